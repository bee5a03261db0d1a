"""When a government moves its clocks: instants of flights to come are computed anew from their clock readings."""

import hashlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.airports.service import directory
from app.core import clock, db
from app.core.db import Row, Session, rows
from app.core.logging import logger
from app.flights import changes, repository, times
from app.providers.base import Movement

log = logger("jetway.zones")

_AHEAD = timedelta(days=400)
_STEP = timedelta(hours=6)
_BATCH = 500


async def recompute() -> int:
    """Move the flights whose zones' rules differ from those last used, and those of airports that were
    corrected since; returns how many have moved.

    The fingerprints are kept last, so that a killed run is done again.
    """
    prints = {
        name: fingerprint(ZoneInfo(name)) for name in {a.time_zone for a in directory().by_iata.values()}
    }
    async with db.transaction() as session:
        before = await _rules(session)
        corrected = await _corrected_airports(session)
    new = {name for name, seen in prints.items() if name in before and before[name]["fingerprint"] != seen}
    affected = {a.iata for a in directory().by_iata.values() if a.time_zone in new} | corrected
    moved = await _move(sorted(affected)) if affected else 0
    async with db.transaction() as session:
        await _keep_rules(session, prints)
    if moved:
        log.warning("time zones changed", zones=sorted(new), flights=moved)
    return moved


def fingerprint(zone: ZoneInfo) -> str:
    """The zone's offsets in the time that can be booked, as a hash."""
    now = clock.now().astimezone(UTC)
    start = datetime(now.year, 1, 1, tzinfo=UTC)
    steps = int((_AHEAD + timedelta(days=366)) / _STEP)
    offsets = (str((start + step * _STEP).astimezone(zone).utcoffset()) for step in range(steps))
    digest = hashlib.sha256(f"{start.year}:{','.join(offsets)}".encode()).hexdigest()
    return f"{start.year}:{digest}"


async def _move(airports: list[str]) -> int:
    moved, after = 0, 0
    while True:
        async with db.transaction() as session:
            flights = await _to_come(session, airports, after, _BATCH)
            other = [new for flight in flights if (new := _recomputed(flight)) is not None]
            await _give_instants(session, other)
            was = {flight["id"]: flight for flight in flights}
            found = [changes.of(was[new["id"]], new, new["id"]) for new in other]
            await repository.add_changes(session, [change for change in found if change is not None])
        moved += len(other)
        if len(flights) < _BATCH:
            return moved
        after = flights[-1]["id"]


def _recomputed(flight: Row) -> Row | None:
    """The flight with other instants, or None if they are the same."""
    places = directory()
    leg = times.leg(
        places.find(flight["origin"]),
        places.find(flight["destination"]),
        Movement(flight["origin"], flight["departs_local"]),
        Movement(flight["destination"], flight["arrives_local"]),
    )
    if leg is None or (leg.departs_at, leg.arrives_at) == (flight["departs_at"], flight["arrives_at"]):
        return None
    return {**flight, "departs_at": leg.departs_at, "arrives_at": leg.arrives_at}


async def _rules(session: Session) -> dict[str, Row]:
    return {row["time_zone"]: row for row in await rows(session, "SELECT * FROM zone_rules")}


async def _corrected_airports(session: Session) -> set[str]:
    """Airports whose rows have changed since the last check; perhaps they have been given another zone."""
    found = await rows(
        session,
        "SELECT iata FROM airports WHERE updated_at > (SELECT min(checked_at) FROM zone_rules)",
    )
    return {row["iata"] for row in found}


async def _keep_rules(session: Session, fingerprints: dict[str, str]) -> None:
    await rows(
        session,
        """
        INSERT INTO zone_rules (time_zone, fingerprint)
        SELECT * FROM unnest(CAST(:zones AS text[]), CAST(:prints AS text[]))
        ON CONFLICT (time_zone) DO UPDATE SET fingerprint = excluded.fingerprint, checked_at = now()
        """,
        zones=list(fingerprints),
        prints=list(fingerprints.values()),
    )


async def _to_come(session: Session, airports: list[str], after_id: int, most: int) -> list[Row]:
    """Flights still to leave from or to these airports, in slices by id, locked."""
    return await rows(
        session,
        """
        SELECT id, origin, destination, departs_local, arrives_local, departs_at, arrives_at FROM flights
        WHERE departs_at > now() AND id > :after
          AND (origin = ANY(CAST(:airports AS text[])) OR destination = ANY(CAST(:airports AS text[])))
        ORDER BY id LIMIT :most FOR UPDATE
        """,
        airports=airports,
        after=after_id,
        most=most,
    )


async def _give_instants(session: Session, moved: list[Row]) -> None:
    """Give flights the instants that their clock readings mean now."""
    if moved:
        await rows(
            session,
            """
            UPDATE flights f SET departs_at = new.departs_at, arrives_at = new.arrives_at
            FROM unnest(CAST(:ids AS bigint[]), CAST(:departs AS timestamptz[]), CAST(:arrives AS timestamptz[]))
                AS new (id, departs_at, arrives_at)
            WHERE f.id = new.id
            """,
            ids=[flight["id"] for flight in moved],
            departs=[flight["departs_at"] for flight in moved],
            arrives=[flight["arrives_at"] for flight in moved],
        )
