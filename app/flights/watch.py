"""Watching flights that people are booked on, from a day before departure until some hours after arrival.

The nearer something can happen, the more often a flight is looked at; what is new is told once, through the
outbox.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from app.airports.service import directory
from app.core import clock, db, outbox, redis
from app.core.clock import rfc3339
from app.core.config import settings
from app.core.db import Row, Session
from app.core.logging import logger
from app.flights import changes, repository, status, store, times
from app.flights.service import find, public_id
from app.providers import governor, registry
from app.providers.base import FlightRecord, ProviderError

log = logger("jetway.watch")

BEFORE, AFTER = timedelta(hours=24), timedelta(hours=6)
_LEASE = timedelta(minutes=2)
_AFTER_FAILURE = timedelta(minutes=10)
_SECOND_LOOK = timedelta(seconds=90)
_AT_ONCE = 4
# So many steps between two looks while departure is more than so many hours away.
_STEPS = ((6, 12), (2, 3), (0.5, 1))
_OVER = ("landed", "cancelled", "diverted")

_looking: dict[str, asyncio.Task[None]] = {}


async def look(ids: list[int], most: int) -> int:
    """Look at those of these flights that are due, and tell what is new. Returns how many were looked at."""
    async with db.transaction() as session:
        due = await repository.due_for_a_look(session, ids, most, _LEASE)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(flight: Row) -> None:
        async with turns:
            try:
                await _look_at(flight)
            except Exception:
                log.exception("flight not looked at", flight=public_id(flight))

    with governor.background_work():
        await asyncio.gather(*(one(flight) for flight in due))
    return len(due)


def look_behind(flight_id: str) -> None:
    """Somebody reads a flight whose news are old: fetch new ones behind the answer, for whoever asks next."""
    if flight_id not in _looking:
        task = _looking[flight_id] = asyncio.create_task(_look_quietly(flight_id))
        task.add_done_callback(lambda _: _looking.pop(flight_id, None))


async def close() -> None:
    """Give up the looks under way."""
    for task in list(_looking.values()):
        task.cancel()
    await asyncio.gather(*_looking.values(), return_exceptions=True)


async def _look_quietly(flight_id: str) -> None:
    try:
        async with db.transaction() as session:
            known = await find(session, flight_id)
            near = known["departs_at"] - BEFORE < clock.now() < known["arrives_at"] + AFTER
            if not near or not await _first_to_ask(flight_id):
                return
            due = await repository.due_for_a_look(session, [known["id"]], 1, _LEASE, now=True)
        for flight in due:
            await _look_at(flight)
    except Exception:
        log.exception("flight not looked at", flight=flight_id)


async def _first_to_ask(flight_id: str) -> bool:
    """Once in ten minutes: a look in vain is not repeated for every reader. Without Redis nobody asks."""
    asked = redis.client().set(f"flight-asked-for:{flight_id}", 1, nx=True, ex=_AFTER_FAILURE)
    return bool(await redis.or_none(asked))


async def _look_at(flight: Row) -> None:
    try:
        record = await _asked(flight) if _worth_asking(flight) else None
    except ProviderError as error:
        log.warning("flight not seen", flight=public_id(flight), reason=error.code)
        async with db.transaction() as session:
            await repository.look_again(session, flight["id"], clock.now() + _AFTER_FAILURE)
        return
    async with db.transaction() as session:
        if record is not None:
            await store.keep(session, [record], registry.schedules().name)
        for seen in await tell(session, [flight["id"]]):
            await repository.look_again(session, flight["id"], clock.now() + pause(seen, clock.now()))


def _worth_asking(flight: Row) -> bool:
    """Not before the day of departure, of which providers know no news, nor when a search has just brought some."""
    if flight["departure_date"] > times.local(clock.now(), directory().find(flight["origin"]).zone).date():
        return False
    age = clock.now() - flight["observed_at"]
    return bool(flight["pending"]) or age > min(pause(flight, clock.now()), timedelta(minutes=10))


async def _asked(flight: Row) -> FlightRecord | None:
    """This leg among those that fly under the number today: by origin and local date."""
    found = await registry.schedules().flight(flight["carrier"], flight["number"])
    for record in found:
        scheduled = record.departure.scheduled
        same_day = scheduled is not None and scheduled.date() == flight["departure_date"]
        if same_day and record.departure.iata == flight["origin"]:
            return record
    return None


def pause(flight: Row, now: datetime) -> timedelta:
    """How long a flight may be left alone: a multiple of FLIGHT_WATCH_MINUTES, less and less towards departure."""
    if flight["pending"]:
        return _SECOND_LOOK
    if flight["status"] in _OVER:
        return timedelta(hours=3)
    step = timedelta(minutes=settings().flight_watch_minutes)
    departs: datetime = flight["departure_estimated_at"] or flight["departs_at"]
    arrives: datetime = flight["arrival_estimated_at"] or flight["arrives_at"]
    if flight["status"] == "departed":
        return max(step, min(arrives - now, step * 6))
    left = departs - now
    for hours, steps in _STEPS:
        if left > timedelta(hours=hours):
            return min(step * steps, left - timedelta(hours=hours) + step)
    return step / 2


async def tell(session: Session, ids: Iterable[int]) -> list[Row]:
    """Write what is new about these flights into the outbox, once; gives the flights as they stand.

    The rows are locked, so two workers that have seen the same tell it once.
    """
    flights = await repository.locked_by_id(session, list(ids))
    events, ended = [], []
    for flight in flights:
        news, after = status.told(flight)
        for one in news:
            after["event_sequence"] += 1
            events.append(
                {
                    "type": one.type,
                    "subject": public_id(flight),
                    "sequence": after["event_sequence"],
                    "data": {**_facts(flight), **one.data},
                }
            )
        if after["announced_status"] != (flight["announced_status"] or "scheduled"):
            if after["announced_status"] == "cancelled":
                ended.append(changes.ended(flight, "cancelled"))
            elif flight["announced_status"] == "cancelled":
                ended.append(changes.ended(flight, "reinstated"))
        flight.update(after)
        await repository.announced(session, flight)
    await outbox.record(session, events)
    await repository.add_changes(session, ended)
    return flights


def _facts(flight: Row) -> Row:
    """What every event about a flight says."""

    def at(instant: datetime | None) -> str | None:
        return rfc3339(instant) if instant else None

    return {
        "flight_id": public_id(flight),
        "flight_number": flight["carrier"] + flight["number"],
        "origin": flight["origin"],
        "destination": flight["destination"],
        "status": status.shown(flight),
        "scheduled_departure_at": at(flight["departs_at"]),
        "estimated_departure_at": at(flight["departure_estimated_at"]),
        "actual_departure_at": at(flight["departure_actual_at"]),
        "scheduled_arrival_at": at(flight["arrives_at"]),
        "estimated_arrival_at": at(flight["arrival_estimated_at"]),
        "actual_arrival_at": at(flight["arrival_actual_at"]),
        "departure_terminal": flight["departure_terminal"],
        "departure_gate": flight["departure_gate"],
        "observed_at": at(flight["observed_at"]),
    }
