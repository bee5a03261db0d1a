"""Search answers as ready bytes: from this process, from Redis, or computed once for all who ask now.

A market's generation changes whenever its seats move. An answer in Redis carries the generations under
which it was computed, so one `MGET` tells whether it still holds; a process repeats an answer unasked for
some two seconds.
"""

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Any

import orjson

from app.core import clock, redis
from app.core.config import settings
from app.core.db import Row
from app.core.etags import etag_of
from app.core.metrics import SEARCH_ANSWERS
from app.core.together import Together
from app.fares import service as fares
from app.offers import search
from app.offers.journeys import rules
from app.offers.markets import Market, markets_of
from app.offers.questions import Question

_MOST_HOT = 256
_RENEWAL_SECONDS = 0.5
_STALE_SECONDS = 5
_GENERATION_SECONDS = 3600

Generations = list[bytes | None]


@dataclass(slots=True)
class Answer:
    body: bytes
    headers: list[tuple[bytes, bytes]]
    etag: str
    markets: frozenset[str]
    hot_until: float


_hot: dict[bytes, Answer] = {}
_computing: dict[str, asyncio.Task[tuple[bytes, bool]]] = {}
_latest: list[Row] = []
_moved: set[str] = set()


def latest_offer() -> Row | None:
    """The best offer of the last search computed here, for the examples of the documentation."""
    return _latest[0] if _latest and _latest[0]["expires_at"] > clock.rfc3339(clock.now()) else None


def hot(raw_query: bytes) -> Answer | None:
    """What this process answered to the same bytes a moment ago.

    When it has become old, one caller is sent to renew it, and the others get it a little longer.
    """
    answer = _hot.get(raw_query)
    if answer is None or answer.hot_until > (now := monotonic()):
        return answer
    answer.hot_until = now + _RENEWAL_SECONDS
    return None


async def find(query: Question, raw_query: bytes | None) -> Answer:
    """The answer to a search. Raises what `markets_of` and `search` raise.

    With the bytes of the question, the same bytes get it at once when they come again.
    """
    wanted = markets_of(query)
    names = [
        _name(o, d, market.day) for market in wanted for o in market.origins for d in market.destinations
    ]
    key = f"search:{fares.book().version}:{rules().version}:{query.model_dump_json()}"
    stored, generations = await _stored(key, names)
    if stored is None:
        stored, stale = await _computed(key, query, wanted)
        SEARCH_ANSWERS.labels("computed").inc()
        if generations is not None:
            await _store(
                key, stored, generations, _STALE_SECONDS if stale else settings().search_cache_seconds
            )
    else:
        SEARCH_ANSWERS.labels("redis").inc()
    answer = _answer(stored, names)
    if raw_query is not None:
        if len(_hot) >= _MOST_HOT:
            _hot.pop(next(iter(_hot)))
        _hot[raw_query] = answer
    return answer


async def seats_moved(flights: Iterable[tuple[str, str, date]]) -> None:
    """Forget the answers about these flights' markets: origin, destination, local departure date."""
    names = {_name(*flight) for flight in flights}
    for raw_query in [raw for raw, answer in _hot.items() if answer.markets & names]:
        _hot.pop(raw_query, None)
    _moved.update(names)
    await _tell_others()


async def _begin_generations() -> None:
    pipeline = redis.client().pipeline(transaction=False)
    while _moved:
        pipeline.set(_moved.pop(), secrets.token_hex(8), ex=_GENERATION_SECONDS)
    await redis.or_none(pipeline.execute())


_tell_others = Together(_begin_generations)


def _name(origin: str, destination: str, day: date) -> str:
    return f"seats:{origin}:{destination}:{day:%Y%m%d}"


async def _stored(key: str, names: list[str]) -> tuple[bytes | None, Generations | None]:
    """A stored answer that still holds, and the generations now; both None when Redis is away."""
    values: list[Any] | None = await redis.or_none(redis.client().mget([key, *names]))
    if values is None:
        return None, None
    entry, *generations = values
    if entry is None:
        return None, generations
    head, _, body = entry.partition(b"\n")
    return (body if head == _stamp(generations) else None), generations


async def _store(key: str, body: bytes, generations: Generations, seconds: int) -> None:
    if seconds:
        await redis.or_none(redis.client().set(key, _stamp(generations) + b"\n" + body, ex=seconds))


def _stamp(generations: Generations) -> bytes:
    return b",".join(generation or b"0" for generation in generations)


async def _computed(key: str, query: Question, wanted: list[Market]) -> tuple[bytes, bool]:
    """Computed once in this process, however many ask at the same time."""
    task = _computing.get(key)
    if task is None:
        task = _computing[key] = asyncio.create_task(_compute(query, wanted))
        task.add_done_callback(lambda _: _computing.pop(key, None))
    return await asyncio.shield(task)


async def _compute(query: Question, wanted: list[Market]) -> tuple[bytes, bool]:
    found = await search.search(query, wanted)
    _latest[:] = found["data"][:1] or _latest
    return orjson.dumps(found), found["meta"]["stale"]


def _answer(body: bytes, names: list[str]) -> Answer:
    etag = etag_of(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"etag", etag.encode()),
        (b"cache-control", b"no-cache"),
    ]
    return Answer(body, headers, etag, frozenset(names), monotonic() + settings().hot_cache_seconds)
