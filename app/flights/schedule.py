"""Keeping schedules: what is missing or old is fetched once for all processes, and kept.

A board is one airport's departures on one local date. Reading never waits for a board that is merely old:
the old answer is served, marked stale, while one process fetches the new one.
"""

import asyncio
import random
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.airlines import service as airlines
from app.airports.service import Airport, Directory, directory
from app.core import clock, db
from app.core.config import settings
from app.core.db import Row, Session
from app.core.logging import logger
from app.core.metrics import UPSTREAM_ROWS_DROPPED
from app.flights import repository, times
from app.flights.errors import ProviderUnavailable
from app.providers import registry
from app.providers.base import FlightRecord, ProviderError

log = logger("jetway.schedule")

Board = tuple[str, date]

_LEASE_SECONDS = 25
_PATIENCE_SECONDS = 12.0
_POLL_SECONDS = 0.05
_EMPTY_FRESH = timedelta(minutes=10)

_fetching: dict[Board, asyncio.Task[None]] = {}


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the schedules behind an answer are: the oldest board decides."""

    source: str
    fetched_at: datetime
    stale: bool


async def ensure(wanted: list[Board]) -> Freshness:
    """Have these boards in the database. Raises ProviderUnavailable when none of them is known.

    It works in short transactions of its own, so that a slow provider holds no connection.
    """
    known = await _known(wanted)
    missing = [board for board in wanted if not _fetched(known.get(board))]
    aged = [board for board in wanted if _fetched(known.get(board)) and not known[board]["fresh"]]
    for board in aged:
        if not known[board]["waiting"]:
            _start(board)
    if missing:
        await asyncio.gather(*(_wait_for(board) for board in missing), return_exceptions=True)
        known = await _known(wanted)
    fetched = [known[board]["fetched_at"] for board in wanted if _fetched(known.get(board))]
    if not fetched:
        raise ProviderUnavailable(retry_after=5)
    stale = bool(aged) or len(fetched) < len(wanted)
    return Freshness(registry.schedules().name, min(fetched), stale)


async def last_outcomes() -> tuple[datetime | None, datetime | None]:
    """When the provider last answered and last failed, in any process."""
    async with db.transaction() as session:
        return await repository.last_outcomes(session)


async def _known(wanted: list[Board]) -> dict[Board, Row]:
    async with db.transaction() as session:
        return await repository.boards(session, wanted)


def _fetched(board: Row | None) -> bool:
    return board is not None and board["fetched_at"] is not None


async def _wait_for(board: Board) -> None:
    """Wait until somebody, in whatever process, has fetched the board or failed to."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        async with asyncio.timeout_at(deadline):
            await asyncio.shield(_start(board))
        state = (await _known([board])).get(board)
        if state and (state["fresh"] or state["waiting"] or _fetched(state)):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _start(board: Board) -> asyncio.Task[None]:
    """The one refresh of this board under way in this process, started if there is none."""
    task = _fetching.get(board)
    if task is None:
        task = _fetching[board] = asyncio.create_task(_refresh_quietly(*board))
        task.add_done_callback(lambda _: _fetching.pop(board, None))
    return task


async def close() -> None:
    """Give up the refreshes under way; their leases run out by themselves."""
    for task in list(_fetching.values()):
        task.cancel()
    await asyncio.gather(*_fetching.values(), return_exceptions=True)


async def _refresh_quietly(airport: str, day: date) -> None:
    try:
        await refresh(airport, day)
    except ProviderError as error:
        log.warning("schedule not refreshed", airport=airport, date=day.isoformat(), reason=error.code)
    except Exception:
        log.exception("schedule not refreshed", airport=airport, date=day.isoformat())


async def refresh(airport: str, day: date) -> None:
    """Fetch one board if its lease can be had. Raises ProviderError; the failure is kept with the board."""
    token = uuid.uuid4()
    async with db.transaction() as session:
        if not await repository.lease(session, airport, day, token, _LEASE_SECONDS):
            return
    source, places = registry.schedules(), directory()
    try:
        today = times.local(clock.now(), places.find(airport).zone).date()
        async with asyncio.timeout(_LEASE_SECONDS - 5):
            found = await source.departures(airport, day, today=today)
        async with db.transaction() as session:
            if not found and await repository.usually_busy(session, airport):
                raise ProviderError("implausibly_empty", retry_after_seconds=60)
            if await repository.board_fetched(session, token, len(found), _fresh_for(day, today, found)):
                await _store(session, found, places, source.name)
    except (ProviderError, TimeoutError) as error:
        failure = error if isinstance(error, ProviderError) else ProviderError("too_slow")
        async with db.transaction() as session:
            await repository.board_failed(session, token, failure.code, failure.retry_after_seconds)
        raise failure from None


def _fresh_for(day: date, today: date, found: list[FlightRecord]) -> timedelta:
    """With a little jitter, so that boards fetched together do not all age together."""
    config = settings()
    fresh = (
        timedelta(minutes=config.schedule_fresh_minutes_today)
        if day <= today
        else timedelta(hours=config.schedule_fresh_hours)
    )
    return (fresh if found else min(fresh, _EMPTY_FRESH)) * random.uniform(0.9, 1.1)


async def _store(session: Session, found: list[FlightRecord], places: Directory, source: str) -> None:
    observed_at = clock.now()
    kept = [row for record in found if (row := _row(record, places, source, observed_at))]
    dropped = len(found) - len(kept)
    if dropped:
        UPSTREAM_ROWS_DROPPED.labels(source, "impossible").inc(dropped)
        log.warning("impossible flights dropped", count=dropped)
    named = {r.carrier: (r.carrier_name, r.carrier_icao) for r in found if r.carrier_name}
    await airlines.learn(session, named)
    unique = {
        tuple(row[name] for name in ("carrier", "number", "departure_date", "origin")): row for row in kept
    }
    await repository.upsert(session, list(unique.values()))


def _row(record: FlightRecord, places: Directory, source: str, observed_at: datetime) -> Row | None:
    """One flight as it is stored, or None where its airports or times cannot be."""
    origin = places.by_iata.get(record.departure.iata)
    destination = places.by_iata.get(record.arrival.iata)
    if origin is None or destination is None or origin is destination:
        return None
    leg = times.leg(origin, destination, record.departure, record.arrival)
    if leg is None:
        return None

    return {
        "carrier": record.carrier,
        "number": record.number,
        "departure_date": leg.departs_local.date(),
        "origin": origin.iata,
        "destination": destination.iata,
        "departs_local": leg.departs_local,
        "arrives_local": leg.arrives_local,
        "departs_at": leg.departs_at,
        "arrives_at": leg.arrives_at,
        "status": record.status,
        "departure_terminal": record.departure.terminal,
        "departure_gate": record.departure.gate,
        "departure_estimated_at": _instant(record.departure.estimated, origin),
        "departure_actual_at": _instant(record.departure.actual, origin),
        "departure_delay_minutes": record.departure.delay_minutes,
        "arrival_terminal": record.arrival.terminal,
        "arrival_gate": record.arrival.gate,
        "arrival_estimated_at": _instant(record.arrival.estimated, destination),
        "arrival_actual_at": _instant(record.arrival.actual, destination),
        "arrival_delay_minutes": record.arrival.delay_minutes,
        "baggage_belt": record.arrival.baggage_belt,
        "aircraft_type": record.aircraft_type,
        "aircraft_registration": record.aircraft_registration,
        "aircraft_icao24": record.aircraft_icao24,
        "codeshares": sorted(record.codeshares),
        "source": source,
        "observed_at": observed_at,
    }


def _instant(reading: datetime | None, airport: Airport) -> datetime | None:
    return times.instants(reading, airport.zone)[0] if reading else None
