"""Pictures of tiles, fetched when somebody looks and shared by all who do.

A picture is fresh for as long as the source has nothing newer. Then whoever looks next has it fetched: once
in this process, and once among all processes that share a Redis. Viewers who have an old picture wait for
the new one for a moment only. When no new one is to be had, because the source does not answer or the
credits are to last for the day, the old one serves for a quarter of an hour.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

from app.core import db
from app.core.config import settings
from app.core.logging import logger
from app.core.metrics import LIVE_TILES
from app.flights import lookups as flights
from app.live import matching, pictures, shared
from app.live.areas import Tile
from app.live.errors import PositionsDisabled, PositionsUnavailable
from app.live.pictures import Picture
from app.live.shared import Stored
from app.providers import registry
from app.providers.base import PositionReport, ProviderError

log = logger("jetway.live")

# With an old picture at hand, and with none.
_PATIENCE_SECONDS, _LONGEST_PATIENCE_SECONDS = 2.0, 12.0
_FETCH_SECONDS = 20.0
_POLL_SECONDS = 0.05
_SHORTEST_REST_SECONDS, _LONGEST_REST_SECONDS = 1.0, 60.0


@dataclass(slots=True)
class _Held:
    """What this process has of a tile; moments are of the monotonic clock."""

    picture: Picture | None = None
    number: int = 0
    fresh_until: float = 0.0
    usable_until: float = 0.0
    rest_until: float = 0.0
    refreshing: "asyncio.Task[None] | None" = None

    @property
    def fresh(self) -> bool:
        return self.picture is not None and monotonic() < self.fresh_until

    @property
    def usable(self) -> Picture | None:
        return self.picture if monotonic() < self.usable_until else None


class Look(NamedTuple):
    """A picture, whether it is an old one, and for how many seconds there will be no newer one."""

    picture: Picture
    stale: bool
    fresh_seconds: float


_held: dict[Tile, _Held] = {}


def at_hand(tile: Tile) -> bool:
    """Whether a fresh picture is in this process's memory."""
    held = _held.get(tile)
    return held is not None and held.fresh


def old(tile: Tile) -> Look | None:
    """What there is of a tile, without asking anybody."""
    held = _held.get(tile)
    picture = held.usable if held else None
    return Look(picture, stale=True, fresh_seconds=0) if picture else None


async def look(tile: Tile) -> Look:
    """A tile's picture. Raises PositionsUnavailable and PositionsDisabled."""
    if not settings().opensky_enabled:
        raise PositionsDisabled
    held = _held.get(tile) or _begin(tile)
    if not held.fresh and monotonic() >= held.rest_until:
        await _refreshed(tile, held)
    if held.fresh and held.picture is not None:
        LIVE_TILES.labels("fresh").inc()
        return Look(held.picture, stale=False, fresh_seconds=held.fresh_until - monotonic())
    picture = held.usable
    if picture is not None:
        LIVE_TILES.labels("stale").inc()
        return Look(picture, stale=True, fresh_seconds=max(0.0, held.rest_until - monotonic()))
    LIVE_TILES.labels("nothing").inc()
    raise PositionsUnavailable(retry_after=max(1, round(held.rest_until - monotonic())))


def forget() -> None:
    """As after a start."""
    _held.clear()


async def close() -> None:
    """End what is being fetched, while there still are connections to end it with."""
    fetches = [held.refreshing for held in _held.values() if held.refreshing is not None]
    for fetch in fetches:
        fetch.cancel()
    await asyncio.gather(*fetches, return_exceptions=True)


def _begin(tile: Tile) -> _Held:
    """A place for a tile; pictures that nobody may use any more make room."""
    for other, held in list(_held.items()):
        if held.refreshing is None and held.usable is None and monotonic() >= held.rest_until:
            del _held[other]
    return _held.setdefault(tile, _Held())


async def _refreshed(tile: Tile, held: _Held) -> None:
    """Wait for a new picture, together with all who want it, but not for ever."""
    if held.refreshing is None:
        held.refreshing = asyncio.create_task(_refresh(tile, held))
    patience = _PATIENCE_SECONDS if held.usable else _LONGEST_PATIENCE_SECONDS
    await asyncio.wait({held.refreshing}, timeout=patience)


async def _refresh(tile: Tile, held: _Held) -> None:
    try:
        async with asyncio.timeout(_FETCH_SECONDS):
            await _bring(tile, held)
    except ProviderError as error:
        _rest(held, error.retry_after_seconds)
    except TimeoutError:
        log.warning("no positions in time", tile=tile.name)
        _rest(held, _SHORTEST_REST_SECONDS)
    except Exception as error:
        # Whatever it is, viewers go on with what there is and booking has nothing to do with it.
        log.exception("no positions", tile=tile.name, kind=type(error).__name__)
        _rest(held, _SHORTEST_REST_SECONDS)
    finally:
        held.refreshing = None


async def _bring(tile: Tile, held: _Held) -> None:
    """A fresh picture from Redis, or from the source by the one process whose turn it is."""
    while not await _taken_over(tile, held):
        number = await shared.take(tile.name)
        if number is None:
            body = await _fetch(tile)
            await _keep(held, body, 0, shared.KEPT_SECONDS, registry.positions().resolution_seconds())
            return
        if number:
            # Somebody may have stored one between the look and the lock.
            if await _taken_over(tile, held):
                await shared.give_back(tile.name, number)
            else:
                await _fetch_for_all(tile, held, number)
            return
        await asyncio.sleep(_POLL_SECONDS)


async def _fetch_for_all(tile: Tile, held: _Held, number: int) -> None:
    try:
        body = await _fetch(tile)
    except BaseException as error:
        seconds = error.retry_after_seconds if isinstance(error, ProviderError) else _SHORTEST_REST_SECONDS
        failure = error.code if isinstance(error, ProviderError) else "unexpected"
        await shared.give_back(tile.name, number, failure, min(seconds, _LONGEST_REST_SECONDS))
        raise
    fresh_seconds = registry.positions().resolution_seconds()
    await _keep(held, body, number, shared.KEPT_SECONDS, fresh_seconds)
    await shared.put(tile.name, number, body, fresh_seconds)


async def _taken_over(tile: Tile, held: _Held) -> bool:
    """Whether another process had a fresh picture. Raises ProviderError where it has just failed to get one."""
    stored = await shared.read(tile.name, held.number)
    if stored is None:
        return False
    if stored.body:
        await _keep(held, stored.body, stored.number, stored.left_seconds, stored.fresh_seconds)
    elif stored.number and stored.number == held.number:
        held.fresh_until = max(held.fresh_until, monotonic() + stored.fresh_seconds)
    if not held.fresh and stored.failure:
        raise _told(stored)
    return held.fresh


def _told(stored: Stored) -> ProviderError:
    return ProviderError(stored.failure, retry_after_seconds=max(1, round(stored.failed_for_seconds)))


async def _keep(held: _Held, body: bytes, number: int, left_seconds: float, fresh_seconds: float) -> None:
    picture = await asyncio.to_thread(pictures.decoded, body)
    now = monotonic()
    held.picture, held.number = picture, number
    held.usable_until, held.fresh_until = now + left_seconds, now + fresh_seconds


def _rest(held: _Held, seconds: float) -> None:
    held.rest_until = monotonic() + min(max(seconds, _SHORTEST_REST_SECONDS), _LONGEST_REST_SECONDS)


async def _fetch(tile: Tile) -> bytes:
    source = registry.positions()
    report = await source.states(tile.box)
    matches = await _matched(report)
    LIVE_TILES.labels("upstream").inc()
    return await asyncio.to_thread(pictures.encoded, report, matches, source.name)


async def _matched(report: PositionReport) -> dict[str, matching.Claim]:
    """Who flies what, with one question to the database for all aircraft of a tile."""
    aircraft = [state for state in report.aircraft if state.positioned_at is not None]
    if not aircraft:
        return {}
    called = sorted(await asyncio.to_thread(matching.numbers_heard, aircraft))
    at = pictures.moment(report.time)
    async with db.transaction() as session:
        known = await flights.heard(
            session,
            [state.icao24.upper() for state in aircraft],
            [carrier for carrier, _ in called],
            [number for _, number in called],
            at,
        )
    return await asyncio.to_thread(matching.pairs, aircraft, known, at)
