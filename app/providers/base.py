"""The vocabulary in which the outside world is spoken of, whoever the vendor is.

Times are local clock readings as a provider publishes them; `flights` turns them into instants, because it
knows the airports' zones.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol


class ProviderError(Exception):
    """No usable answer. `code` is ours and bounded, so that it can be stored, counted and shown."""

    def __init__(self, code: str, *, retry_after_seconds: int = 30) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class DateNotOffered(ProviderError):
    """The provider publishes nothing for this date; `first_date` is the first that it does, if it said so."""

    def __init__(self, first_date: date | None) -> None:
        super().__init__("date_not_offered", retry_after_seconds=3600)
        self.first_date = first_date


@dataclass(frozen=True, slots=True)
class AirlineRecord:
    iata: str
    name: str
    icao: str | None = None
    callsign: str | None = None
    country: str | None = None
    active: bool = True


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


class ScheduleSource(Protocol):
    """Whoever publishes schedules."""

    name: str

    async def departures(self, airport: str, local_date: date, *, today: date) -> list[FlightRecord]:
        """The operating flights that leave an airport on a local date. Raises ProviderError."""
        ...

    async def airlines(self) -> list[AirlineRecord]:
        """Every airline the provider knows. Raises ProviderError."""
        ...
