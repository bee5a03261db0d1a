"""The vocabulary in which the outside world is spoken of, whoever the vendor is.

Times are local clock readings as a provider publishes them; `flights` turns them into instants, because it
knows the airports' zones.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")

# Operators raise budgets and change plans: who keeps a refusal asks again after this at the latest.
LONGEST_WAIT_SECONDS = 3600


class ProviderError(Exception):
    """No usable answer. `code` is ours and bounded, so that it can be stored, counted and shown."""

    def __init__(self, code: str, *, retry_after_seconds: int = 30) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class DateNotOffered(ProviderError):
    """The provider publishes nothing for this date; its window begins and ends so, where it said."""

    def __init__(self, first_date: date | None, last_date: date | None) -> None:
        super().__init__("date_not_offered", retry_after_seconds=3600)
        self.first_date = first_date
        self.last_date = last_date


@dataclass(frozen=True, slots=True)
class AirlineRecord:
    iata: str
    name: str
    icao: str | None = None
    callsign: str | None = None
    country: str | None = None
    active: bool = True
    accounting_code: str | None = None


@dataclass(frozen=True, slots=True)
class AirportRecord:
    """An airport as a provider describes it, None where it says nothing that can be read."""

    iata: str | None
    icao: str | None
    name: str | None
    city_code: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    time_zone: str | None


@dataclass(frozen=True, slots=True)
class ReferencePage(Generic[T]):
    """A page of a provider's table; `next_offset` is None after the last one.

    `total` is a hint that is shown and never trusted; `dropped` counts rows that no record could be made of.
    """

    records: list[T]
    next_offset: int | None
    total: int | None
    dropped: int


@dataclass(slots=True)
class Movement:
    """One end of a flight. `scheduled` and the rest are naive clock times at that airport."""

    iata: str
    scheduled: datetime | None
    # A clock time whose date the provider leaves out; the reader must find the day.
    scheduled_time_only: bool = False
    estimated: datetime | None = None
    actual: datetime | None = None
    terminal: str | None = None
    gate: str | None = None
    delay_minutes: int | None = None
    baggage_belt: str | None = None
    # What the source says of the airport's clocks then. It only tells the two hours apart that look the same.
    utc_offset: timedelta | None = None


@dataclass(slots=True)
class FlightRecord:
    """One operating flight; `codeshares` are the marketing numbers under which it is sold too."""

    carrier: str
    number: str
    departure: Movement
    arrival: Movement
    status: str = "scheduled"
    carrier_name: str | None = None
    carrier_icao: str | None = None
    aircraft_type: str | None = None
    aircraft_registration: str | None = None
    aircraft_icao24: str | None = None
    codeshares: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """A page of an airport's departures; `next_offset` is None after the last one."""

    flights: list[FlightRecord]
    next_offset: int | None


class ScheduleSource(Protocol):
    """Whoever publishes schedules."""

    name: str

    def departures(
        self, airport: str, local_date: date, *, today: date, offset: int = 0
    ) -> AsyncIterator[SchedulePage]:
        """The operating flights that leave an airport on a local date, from an offset on.

        Raises ProviderError, and DateNotOffered for a date outside the provider's window.
        """
        ...

    async def flight(self, carrier: str, number: str) -> list[FlightRecord]:
        """The legs that fly under an operating number about now. Raises ProviderError."""
        ...

    async def airports_page(self, offset: int) -> ReferencePage[AirportRecord]:
        """A page of every airport the provider knows. Raises ProviderError."""
        ...

    async def airlines_page(self, offset: int) -> ReferencePage[AirlineRecord]:
        """A page of every airline the provider knows. Raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the map in degrees; `west` is less than `east`, so none crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float


class AircraftState(NamedTuple):
    """One aircraft as it was heard: metres, metres a second, degrees; None where nothing was heard.

    Times are seconds of the epoch by the source's clock. The address is in lower case, the callsign in
    upper case and without blanks. A tuple, because there are ten thousand in an answer.
    """

    icao24: str
    callsign: str | None
    latitude: float | None
    longitude: float | None
    altitude_m: float | None
    ground_speed_mps: float | None
    heading_deg: float | None
    vertical_rate_mps: float | None
    on_ground: bool
    positioned_at: int | None
    heard_at: int


@dataclass(frozen=True, slots=True)
class PositionReport:
    """What a source hears at one moment of its own clock, by which every age is counted."""

    time: int
    aircraft: list[AircraftState]
    dropped: int


class TrackPoint(NamedTuple):
    at: int
    latitude: float
    longitude: float
    altitude_m: float | None


class PositionSource(Protocol):
    """Whoever hears aircraft."""

    name: str

    def resolution_seconds(self) -> int:
        """How often there is something new."""
        ...

    def price(self, box: Box | None) -> int:
        """Credits for what is heard in a box, or in the whole world."""
        ...

    async def states(self, box: Box | None) -> PositionReport:
        """Every aircraft in a box, or in the whole world. Raises ProviderError."""
        ...

    async def track(self, icao24: str) -> list[TrackPoint]:
        """The way an aircraft has come on the flight that it is on; empty if none is known. Raises ProviderError."""
        ...
