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

from app.core import business, clock, money, redis, work
from app.core.config import settings
from app.core.db import Row
from app.core.etags import etag_of
from app.core.metrics import SEARCH_ANSWERS
from app.core.together import Together
from app.fares import service as fares
from app.offers import search
from app.offers.journeys import rules
from app.offers.markets import Market, markets_of
from app.offers.questions import Question, SearchQuery

_MOST_HOT = 256
_RENEWAL_SECONDS = 0.5
_STALE_SECONDS = 5
_GENERATION_SECONDS = 3600
# So long answers that are repeated are only counted, before a line tells how often.
_TOLD_SECONDS = 10.0

Generations = list[bytes | None]


@dataclass(slots=True)
class Answer:
    """`looked_for` is what the business's lines tell of the search, and `repeats` how often nothing has told of it."""

    body: bytes
    headers: list[tuple[bytes, bytes]]
    etag: str
    markets: frozenset[str]
    looked_for: Row
    hot_until: float
    repeats: int = 0


@dataclass(slots=True)
class _Found:
    """The answer as bytes, how many offers there are on all its pages, and the lowest price in minor units."""

    body: bytes
    results: int
    lowest: int | None
    stale: bool = False


_hot: dict[bytes, Answer] = {}
_repeated: list[Answer] = []
_computing: dict[str, asyncio.Task[_Found]] = {}
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


def repeated(answer: Answer) -> None:
    """Count that an answer was given once more; a line for each would cost more than giving it."""
    answer.repeats += 1
    if answer.repeats == 1:
        if not _repeated:
            asyncio.get_running_loop().call_later(_TOLD_SECONDS, _tell_of_repeats)
        _repeated.append(answer)


def _tell_of_repeats() -> None:
    told = [
        one.looked_for | {"jetway.search.source": "hot", "jetway.search.count": one.repeats}
        for one in _repeated
    ]
    for answer in _repeated:
        answer.repeats = 0
    _repeated.clear()
    business.tell("search", told)


async def find(query: Question, raw_query: bytes | None) -> Answer:
    """The answer to a search. Raises what `markets_of` and `search` raise.

    With the bytes of the question, the same bytes get it at once when they come again.
    """
    wanted = markets_of(query)
    names = [
        _name(o, d, market.day) for market in wanted for o in market.origins for d in market.destinations
    ]
    key = f"search:{fares.book().version}:{rules().version}:{query.model_dump_json()}"
    found, generations = await _stored(key, names)
    source = "computed" if found is None else "redis"
    if found is None:
        found = await _computed(key, query, wanted)
        if generations is not None:
            await _store(key, found, generations)
    SEARCH_ANSWERS.labels(source).inc()
    work.answered_from(source)
    answer = _answer(found, names, _looked_for(query, found))
    if query.cursor is None:  # A further page is no further search.
        business.tell(
            "search", [answer.looked_for | {"jetway.search.source": source, "jetway.search.count": 1}]
        )
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
    return f"seats:{origin}:{destination}:{day.isoformat()}"


async def _stored(key: str, names: list[str]) -> tuple[_Found | None, Generations | None]:
    """A stored answer that still holds, and the generations now; both None when Redis is away."""
    values: list[Any] | None = await redis.or_none(redis.client().mget([key, *names]))
    if values is None:
        return None, None
    entry, *generations = values
    if entry is None:
        return None, generations
    head, _, body = entry.partition(b"\n")
    stamp, *counts = head.split(b" ")
    if stamp != _stamp(generations) or len(counts) != 2:
        return None, generations
    return _Found(body, int(counts[0]), int(counts[1]) if counts[1] else None), generations


async def _store(key: str, found: _Found, generations: Generations) -> None:
    seconds = _STALE_SECONDS if found.stale else settings().search_cache_seconds
    if seconds:
        lowest = "" if found.lowest is None else found.lowest
        head = _stamp(generations) + f" {found.results} {lowest}\n".encode()
        await redis.or_none(redis.client().set(key, head + found.body, ex=seconds))


def _stamp(generations: Generations) -> bytes:
    return b",".join(generation or b"0" for generation in generations)


async def _computed(key: str, query: Question, wanted: list[Market]) -> _Found:
    """Computed once in this process, however many ask at the same time."""
    task = _computing.get(key)
    if task is None:
        task = _computing[key] = asyncio.create_task(_compute(query, wanted))
        task.add_done_callback(lambda _: _computing.pop(key, None))
    return await asyncio.shield(task)


async def _compute(query: Question, wanted: list[Market]) -> _Found:
    found = await search.search(query, wanted)
    _latest[:] = found["data"][:1] or _latest
    meta = found["meta"]
    price = meta["facets"]["price"]
    return _Found(orjson.dumps(found), meta["total"], price and money.minor(price["lowest"]), meta["stale"])


def _looked_for(query: Question, found: _Found) -> Row:
    first, *others = query.wishes
    trip = ("one_way", "return" if isinstance(query, SearchQuery) else "multi_city")[bool(others)]
    return {
        "jetway.search.trip": trip,
        "jetway.search.origin": first.origin,
        "jetway.search.destination": first.destination,
        "jetway.search.departure_date": first.departure_date.isoformat(),
        "jetway.search.return_date": others[0].departure_date.isoformat() if trip == "return" else None,
        "jetway.search.adults": query.adults,
        "jetway.search.children": query.children,
        "jetway.search.infants": query.infants,
        "jetway.search.cabin": query.cabin,
        "jetway.search.results": found.results,
        "jetway.search.lowest_price": found.lowest,
        "jetway.money.currency": query.currency,
    }


def _answer(found: _Found, names: list[str], looked_for: Row) -> Answer:
    body, etag = found.body, etag_of(found.body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"etag", etag.encode()),
        (b"cache-control", b"no-cache"),
    ]
    hot_until = monotonic() + settings().hot_cache_seconds
    return Answer(body, headers, etag, frozenset(names), looked_for, hot_until)
