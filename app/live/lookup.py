"""Flights that nobody has searched for: looked up by their number with the provider of schedules, sparingly.

A tenth of the provider's calls may go to it, from the background's part, so that nobody who types numbers
at random spends what people who search need. Redis counts; without Redis nobody is asked.
"""

import asyncio

from app.airlines.service import directory
from app.core import clock, db, redis
from app.core.config import settings
from app.core.logging import logger
from app.flights import store
from app.live import numbers
from app.providers import governor, registry
from app.providers.base import ProviderError

log = logger("jetway.live")

_SHARE, _DAYS = 0.1, 30
_NOT_AGAIN_SECONDS, _A_DAY_SECONDS = 600, 90_000
_PATIENCE_SECONDS = 4.0

_looking: dict[str, asyncio.Task[None]] = {}


async def learn(name: str) -> bool:
    """Whether the provider was asked about a number; what it knows is stored then."""
    told = numbers.parsed(name)
    carrier = (
        next((one for one in numbers.carriers(told[0]) if one in directory().by_iata), None) if told else None
    )
    if told is None or carrier is None:
        return False
    flight = carrier + told[1]
    if flight not in _looking:
        if not await _may_be_asked_for(flight):
            return False
        task = _looking[flight] = asyncio.create_task(_learn(carrier, told[1]))
        task.add_done_callback(lambda _: _looking.pop(flight, None))
    await asyncio.wait({_looking[flight]}, timeout=_PATIENCE_SECONDS)
    return True


async def close() -> None:
    """Give up what is being looked up."""
    for task in list(_looking.values()):
        task.cancel()
    await asyncio.gather(*_looking.values(), return_exceptions=True)


async def _may_be_asked_for(flight: str) -> bool:
    """Once in ten minutes, and all of them together so often in a day."""
    most = int(settings().aviationstack_calls_per_month * _SHARE / _DAYS)
    first = redis.client().set(f"live:asked-for:{flight}", 1, nx=True, ex=_NOT_AGAIN_SECONDS)
    if not most or not await redis.or_none(first):
        return False
    today = f"live:lookups:{clock.now():%Y%m%d}"
    counting = redis.client().pipeline(transaction=False)
    counting.incr(today)
    counting.expire(today, _A_DAY_SECONDS)
    counted = await redis.or_none(counting.execute())
    return counted is not None and counted[0] <= most


async def _learn(carrier: str, number: str) -> None:
    source = registry.schedules()
    try:
        with governor.background_work():
            found = await source.flight(carrier, number)
        async with db.transaction() as session:
            await store.keep(session, found, source.name)
    except ProviderError as error:
        log.info("not looked up", reason=error.code)
    except Exception:
        log.exception("not looked up")
