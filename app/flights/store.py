"""From records to stored flights: instants found, old and new knowledge merged, changes kept.

Whoever brings flights (a provider's board, a look at one flight, an operator's file, a projection) brings
them here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime

from app.airlines import service as airlines
from app.airports.service import Airport, Directory, directory
from app.core import clock
from app.core.db import Row, Session
from app.core.logging import logger
from app.core.metrics import UPSTREAM_ROWS_DROPPED
from app.flights import changes, repository, status, times
from app.providers.base import FlightRecord

log = logger("jetway.flights")

# After so many complete boards without it a flight is taken for withdrawn.
GONE = 2
# If so many of a board's flights would be impossibly fast or slow, the vendor's clock has changed, not they.
_TELL_TALE_SHARE = 0.05
_IMPOSSIBLE_SHARE = 0.25
_SLICE = 1000


class ImplausibleTimes(Exception):
    """So many block times make no sense that none of them can be believed."""


@dataclass(slots=True)
class Kept:
    """How many flights were stored, how many of them said something new, and which were not, with the reason."""

    stored: int = 0
    added: int = 0
    changed: int = 0
    refused: list[tuple[FlightRecord, str]] = field(default_factory=list)


async def keep(
    session: Session,
    found: list[FlightRecord],
    source: str,
    *,
    observed_at: datetime | None = None,
) -> Kept:
    """Store flights under the name of who vouches for them: a provider, `import` or `projection`.

    Raises ImplausibleTimes, and then nothing is stored.
    """
    places, kept = directory(), Kept()
    fresh: dict[tuple[object, ...], Row] = {}
    for record in found:
        row, reason = _row(record, places, source, observed_at or clock.now())
        if row is None:
            kept.refused.append((record, reason))
        else:
            fresh[repository.identity(row)] = row
    _judge(kept, len(found), source)
    await _learn_airlines(session, found)
    known = await repository.locked(session, list(fresh))
    rows = [status.merged(known.get(identity), row) for identity, row in fresh.items()]
    await repository.add_changes(session, _changes(known, rows))
    await repository.upsert(session, rows)
    kept.stored, kept.added = len(rows), sum(identity not in known for identity in fresh)
    kept.changed = sum(_says_more(known.get(repository.identity(row)), row) for row in rows)
    return kept


def _says_more(known: Row | None, row: Row) -> bool:
    """Whether a flight that was known is another one now, but for the moment at which it was seen."""
    if known is None:
        return False
    gone = known["missed"] >= GONE
    return gone or any(known[name] != value for name, value in row.items() if name != "observed_at")


def _judge(kept: Kept, total: int, source: str) -> None:
    for _, reason in kept.refused:
        UPSTREAM_ROWS_DROPPED.labels(source, reason).inc()
    odd = sum(reason == "implausible_block_time" for _, reason in kept.refused)
    if odd > max(2, total * _TELL_TALE_SHARE):
        log.error("block times make no sense; has the vendor's clock changed?", odd=odd, flights=total)
    if odd > max(3, total * _IMPOSSIBLE_SHARE):
        raise ImplausibleTimes


def _changes(known: dict[tuple[object, ...], Row], rows: list[Row]) -> list[Row]:
    found: list[Row | None] = []
    for row in rows:
        before = known.get(repository.identity(row))
        if before is None:
            continue
        if before["missed"] >= GONE:
            found.append(changes.ended(before, "reinstated"))
        found.append(changes.of(before, row, before["id"]))
    return [change for change in found if change is not None]


async def sweep(session: Session, airport: str, day: date, since: datetime) -> None:
    """Note which flights a complete board, fetched since, did not list; two such boards withdraw a flight."""
    gone = [row for row in await repository.unseen(session, airport, day, since) if row["missed"] >= GONE]
    await repository.add_changes(session, [changes.ended(flight, "withdrawn") for flight in gone])
    if gone:
        log.warning("flights withdrawn", airport=airport, date=day.isoformat(), flights=len(gone))


async def withdraw_unlisted(
    session: Session,
    carrier: str,
    first: date,
    last: date,
    listed: Callable[[Row], bool],
    *,
    in_utc: bool,
    after: repository.Place,
) -> tuple[int, repository.Place | None]:
    """Take for gone what an operator's earlier file listed for these days and the new one does not.

    It works in slices: how many flights have gone, and after which one to go on, if there is more.
    """
    found = await repository.imported(session, carrier, first, last, in_utc, after, _SLICE)
    gone = await repository.end(session, [flight["id"] for flight in found if not listed(flight)])
    await repository.add_changes(session, [changes.ended(flight, "withdrawn") for flight in gone])
    if len(found) < _SLICE:
        return len(gone), None
    return len(gone), (found[-1]["number"], found[-1]["departure_date"], found[-1]["origin"])


async def sell_also(session: Session, flights: list[tuple[object, ...]], designator: str) -> tuple[int, int]:
    """Note another number under which flights are sold: how many of them are known, for how many it is new."""
    known = await repository.locked(session, flights)
    new = [flight["id"] for flight in known.values() if designator not in flight["codeshares"]]
    await repository.add_codeshare(session, new, designator)
    return len(known), len(new)


async def _learn_airlines(session: Session, found: list[FlightRecord]) -> None:
    named = {r.carrier: (r.carrier_name, r.carrier_icao) for r in found if r.carrier_name}
    await airlines.learn(session, named)


def _row(
    record: FlightRecord, places: Directory, source: str, observed_at: datetime
) -> tuple[Row | None, str]:
    """One flight as it is stored, or None and the reason."""
    origin = places.by_iata.get(record.departure.iata)
    destination = places.by_iata.get(record.arrival.iata)
    if origin is None or destination is None:
        return None, "unknown_airport"
    if origin is destination:
        return None, "same_airport"
    leg = times.leg(origin, destination, record.departure, record.arrival)
    if leg is None or not times.plausible(origin, destination, leg):
        return None, "implausible_block_time"
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
        "departure_estimated_at": _instant(record.departure.estimated, origin, leg.departs_at),
        "departure_actual_at": _instant(record.departure.actual, origin, leg.departs_at),
        "departure_delay_minutes": record.departure.delay_minutes,
        "arrival_terminal": record.arrival.terminal,
        "arrival_gate": record.arrival.gate,
        "arrival_estimated_at": _instant(record.arrival.estimated, destination, leg.arrives_at),
        "arrival_actual_at": _instant(record.arrival.actual, destination, leg.arrives_at),
        "arrival_delay_minutes": record.arrival.delay_minutes,
        "baggage_belt": record.arrival.baggage_belt,
        "aircraft_type": record.aircraft_type,
        "aircraft_registration": record.aircraft_registration,
        "aircraft_icao24": record.aircraft_icao24,
        "codeshares": sorted(record.codeshares),
        "source": source,
        "schedule_source": source,
        "observed_at": observed_at,
    }, ""


def _instant(reading: datetime | None, airport: Airport, scheduled: datetime) -> datetime | None:
    """Of two instants that a reading can mean, the one nearer to the schedule."""
    if reading is None:
        return None
    return min(times.instants(reading, airport.zone), key=lambda instant: abs(instant - scheduled))
