"""One leg of a flight over a period, as a line of a schedule states it, and the dated flights it stands for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from app.airports.service import Airport
from app.flights import times
from app.providers.base import FlightRecord, Movement

# Flights are sold so far ahead; one that leaves now somewhere may have been yesterday's in UTC.
_DAYS_BACK, _DAYS_AHEAD = 1, 361
# A day of operation and the local date of a departure differ by the date variation and the zone.
_REACH = timedelta(days=4)
_DAY = timedelta(days=1)


class Refused(Exception):
    """A line, or a field of it, that is not used. The message is ours and quotes codes at most."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that is not used, named by its number."""

    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A line that is right and brings no flight that could be sold."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Window:
    """The local departure dates that are of interest, both included."""

    first: date
    last: date

    @classmethod
    def around(cls, today: date) -> "Window":
        return cls(today - timedelta(days=_DAYS_BACK), today + timedelta(days=_DAYS_AHEAD))


@dataclass(frozen=True, slots=True)
class FlightLeg:
    """A leg on all its days of operation.

    `departs` and `arrives` count from midnight of the day of operation, by the airports' clocks or, `in_utc`,
    by UTC; so a day of operation is a date in that time too. `utc_offsets` are what the file says of the two
    airports. `last` is None for a period without end, and `sold_on` names the flight of which this leg is
    only another carrier's number.
    """

    line: int
    carrier: str
    number: str
    origin: Airport
    destination: Airport
    departs: timedelta
    arrives: timedelta
    first: date
    last: date | None
    days: frozenset[int]
    every_weeks: int = 1
    in_utc: bool = False
    arrival_day_known: bool = True
    utc_offsets: tuple[timedelta | None, timedelta | None] = (None, None)
    departure_terminal: str | None = None
    arrival_terminal: str | None = None
    aircraft: str | None = None
    codeshares: frozenset[str] = frozenset()
    sold_on: tuple[str, str] | None = None


Entry = FlightLeg | Refusal | PassedOver


def days_of_operation(leg: FlightLeg, first: date, last: date) -> Iterator[date]:
    """The leg's days between two dates; every second week counts from the beginning of its period."""
    day, end = max(first, leg.first), min(last, leg.last or last)
    while day <= end:
        if day.isoweekday() in leg.days and (day - leg.first).days // 7 % leg.every_weeks == 0:
            yield day
        day += _DAY


def check_period(leg: FlightLeg) -> None:
    """Raises Refused for a period that ends before it begins, or holds none of its days."""
    if leg.last is not None and leg.last < leg.first:
        raise Refused("period_reversed", "The period ends before it begins.")
    if next(days_of_operation(leg, leg.first, leg.first + timedelta(days=6)), None) is None:
        raise Refused("no_operating_day", "No day of operation falls into the period.")


def dated(leg: FlightLeg, window: Window) -> list[FlightRecord]:
    """The flights of a leg that leave within the window, by local date. Raises Refused if none could be flown.

    A single one that could not, as at a reading that clocks pass over on that day, is left to whoever stores them.
    """
    flights = [
        _flight(leg, day) for day in days_of_operation(leg, window.first - _REACH, window.last + _REACH)
    ]
    found = [flight for flight in flights if window.first <= departure_date(flight) <= window.last]
    if found and not any(_could_be_flown(leg, flight) for flight in found):
        raise Refused("implausible_block_time", "No aircraft flies that far in the time between these times.")
    return found


def departure_date(flight: FlightRecord) -> date:
    """The local date on which a flight of a schedule leaves."""
    assert flight.departure.scheduled is not None  # noqa: S101  Legs always have times.
    return flight.departure.scheduled.date()


def _could_be_flown(leg: FlightLeg, flight: FlightRecord) -> bool:
    one = times.leg(leg.origin, leg.destination, flight.departure, flight.arrival)
    return one is not None and times.plausible(leg.origin, leg.destination, one)


def _flight(leg: FlightLeg, day: date) -> FlightRecord:
    departs, departure_offset = _reading(leg, day, leg.departs, leg.origin, leg.utc_offsets[0])
    arrives, arrival_offset = _reading(leg, day, leg.arrives, leg.destination, leg.utc_offsets[1])
    return FlightRecord(
        carrier=leg.carrier,
        number=leg.number,
        departure=Movement(
            leg.origin.iata, departs, terminal=leg.departure_terminal, utc_offset=departure_offset
        ),
        arrival=Movement(
            leg.destination.iata,
            arrives,
            scheduled_time_only=not leg.arrival_day_known,
            terminal=leg.arrival_terminal,
            utc_offset=arrival_offset,
        ),
        aircraft_type=leg.aircraft,
        codeshares=set(leg.codeshares),
    )


def _reading(
    leg: FlightLeg, day: date, after_midnight: timedelta, airport: Airport, said: timedelta | None
) -> tuple[datetime, timedelta | None]:
    """What the clock at the airport shows then, and how far it is from UTC if that is known."""
    moment = datetime.combine(day, time()) + after_midnight
    if not leg.in_utc:
        return moment, said
    local = moment.replace(tzinfo=UTC).astimezone(airport.zone)
    return local.replace(tzinfo=None, fold=0), local.utcoffset()
