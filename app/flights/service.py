"""One flight as travellers see it."""

import re
from datetime import date, datetime, timedelta

from app.airports.service import Airport, directory
from app.core import clock, db
from app.core.clock import rfc3339
from app.core.config import settings
from app.core.db import Row, Session
from app.flights import repository, status, times
from app.flights.errors import FlightNotFound

# The same days as those of schedule boards; see `repository.purge`.
_KEPT_DAYS, _LOOKED_BACK_DAYS = 100, 30
_A_BATCH = 2000
_ID = re.compile(r"([A-Z0-9]{2})(\d{1,4}[A-Z]?)-(\d{4})(\d{2})(\d{2})-([A-Z]{3})")


def public_id(flight: Row) -> str:
    """Carrier, number, local departure date and origin: what makes a flight that flight."""
    # A format of its own would cost a search with many flights ten times as much for each.
    day = flight["departure_date"].isoformat().replace("-", "")
    return f"{flight['carrier']}{flight['number']}-{day}-{flight['origin']}"


async def read(session: Session, flight_id: str) -> Row:
    """One flight as it is shown. Raises FlightNotFound."""
    return view(await find(session, flight_id))


def identity(flight_id: str) -> tuple[str, str, date, str] | None:
    """What a public id is made of; None where it cannot be one. Raises FlightNotFound for a day that is none."""
    match = _ID.fullmatch(flight_id.upper())
    if match is None:
        return None
    carrier, number, year, month, day, origin = match.groups()
    try:
        return carrier, number, date(int(year), int(month), int(day)), origin
    except ValueError:
        raise FlightNotFound("There is no flight on a day that does not exist.") from None


async def find(session: Session, flight_id: str) -> Row:
    """One flight as it is stored, by its public id. Raises FlightNotFound."""
    known = identity(flight_id)
    flight = await repository.by_identity(session, *known) if known else None
    if flight is None:
        raise FlightNotFound("No flight with this id is known; ids come from a search.")
    return flight


def view(flight: Row) -> Row:
    """A flight with the names of its airline, as it is shown."""
    origin, destination = directory().find(flight["origin"]), directory().find(flight["destination"])
    return {
        "id": public_id(flight),
        "flight_number": flight["carrier"] + flight["number"],
        "airline": {
            "iata": flight["carrier"],
            "icao": flight["airline_icao"],
            "name": flight["airline_name"] or flight["carrier"],
        },
        "status": status.shown(flight),
        "departure": _side(flight, "departure", origin, flight["departs_at"]),
        "arrival": _side(flight, "arrival", destination, flight["arrives_at"])
        | {"baggage_belt": flight["baggage_belt"]},
        "aircraft": _aircraft(flight),
        "codeshares": flight["codeshares"],
        "source": flight["source"],
        "projected": flight["schedule_source"] == "projection",
        "observed_at": rfc3339(flight["observed_at"]),
        "stale": _stale(flight),
    }


def _side(flight: Row, side: str, airport: Airport, scheduled_at: datetime) -> Row:
    def at(instant: datetime | None) -> str | None:
        return times.local(instant, airport.zone).isoformat() if instant else None

    return {
        "airport": airport.stop,
        "terminal": flight[f"{side}_terminal"],
        "gate": flight[f"{side}_gate"],
        "scheduled_at": at(scheduled_at),
        "estimated_at": at(flight[f"{side}_estimated_at"]),
        "actual_at": at(flight[f"{side}_actual_at"]),
        "delay_minutes": flight[f"{side}_delay_minutes"],
    }


def _aircraft(flight: Row) -> Row | None:
    aircraft = {
        "type": flight["aircraft_type"],
        "registration": flight["aircraft_registration"],
        "icao24": flight["aircraft_icao24"],
    }
    return aircraft if any(aircraft.values()) else None


def _stale(flight: Row) -> bool:
    """Older than we would keep a schedule of that day: minutes around departure, a day before that."""
    now = clock.now()
    near = flight["departs_at"] - timedelta(days=1) < now < flight["arrives_at"] + timedelta(hours=6)
    minutes = settings().schedule_fresh_minutes_today if near else settings().schedule_fresh_hours * 60
    return bool(now - flight["observed_at"] > timedelta(minutes=minutes))


async def drop_unbooked() -> int:
    """Drop flights of the past that nobody ever held a seat on, batch by batch; returns how many.

    Searches look back some weeks to know on which weekdays a route is flown. Of what is older a month is looked at,
    so that a pause of some weeks does no harm, and what is kept for good is not looked at for ever.
    """
    dropped, last = 0, clock.now().date() - timedelta(days=_KEPT_DAYS + 1)
    for day in (last - timedelta(days=n) for n in range(_LOOKED_BACK_DAYS)):
        while True:
            async with db.transaction() as session:
                batch = await repository.drop_unbooked(session, day, _A_BATCH)
            dropped += batch
            if batch < _A_BATCH:
                break
    return dropped


async def purge(session: Session) -> None:
    await repository.purge(session)
