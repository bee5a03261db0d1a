"""The way an aircraft has come: nice to have, kept for a minute, and left out when it is not to be had at once."""

import asyncio
from time import monotonic

import orjson

from app.core import redis
from app.core.logging import logger
from app.providers import registry
from app.providers.base import ProviderError, TrackPoint

log = logger("jetway.live")

_KEPT_SECONDS, _MOST_KEPT = 60.0, 500
_PATIENCE_SECONDS = 3.0

Path = list[TrackPoint]

_kept: dict[str, tuple[float, Path]] = {}
_asking: dict[str, asyncio.Task[None]] = {}


async def path(icao24: str) -> Path:
    """Oldest first; empty where nothing is known, or not yet."""
    until, points = _kept.get(icao24, (0.0, []))
    if monotonic() < until:
        return points
    if icao24 not in _asking:
        task = _asking[icao24] = asyncio.create_task(_ask(icao24))
        task.add_done_callback(lambda _: _asking.pop(icao24, None))
    await asyncio.wait({_asking[icao24]}, timeout=_PATIENCE_SECONDS)
    return _kept.get(icao24, (0.0, []))[1]


def forget() -> None:
    """As after a start."""
    _kept.clear()


async def close() -> None:
    """End what is being fetched."""
    for task in list(_asking.values()):
        task.cancel()
    await asyncio.gather(*_asking.values(), return_exceptions=True)


async def _ask(icao24: str) -> None:
    points = await _others(icao24)
    if points is None:
        points = await _fetched(icao24)
    while len(_kept) >= _MOST_KEPT:
        _kept.pop(next(iter(_kept)))
    _kept[icao24] = monotonic() + _KEPT_SECONDS, points


async def _others(icao24: str) -> Path | None:
    """What another process has fetched within the minute."""
    stored = await redis.or_none(redis.client().get(_key(icao24)))
    return [TrackPoint(*point) for point in orjson.loads(stored)] if stored else None


async def _fetched(icao24: str) -> Path:
    try:
        points = await registry.positions().track(icao24)
    except ProviderError as error:
        log.info("no path", reason=error.code)
        return []
    except Exception:
        log.exception("no path")
        return []
    await redis.or_none(
        redis.client().set(
            _key(icao24), orjson.dumps([list(point) for point in points]), ex=int(_KEPT_SECONDS)
        )
    )
    return points


def _key(icao24: str) -> str:
    return f"live:path:{icao24}"
