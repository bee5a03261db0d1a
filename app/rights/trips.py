"""What is asked about: a trip as it was booked, and what happened to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from app.airports.service import Airport, distance_km

Disrupted = Literal["delayed", "cancelled", "diverted", "schedule_change", "downgraded", "denied_boarding"]
Changed = Literal["other_airport", "more_connections", "downgraded", "accessibility_lost"]

# What can befall a flight, in the words of the tables.
EVENTS = (
    "cancelled",
    "denied_boarding",
    "earlier_departure",
    "later_departure",
    "later_arrival",
    "other_airport",
    "more_connections",
    "downgraded",
    "accessibility_lost",
)


@dataclass(frozen=True, slots=True)
class Leg:
    """A flight as it was booked. `carrier` operates it; `carrier_country` is None where nobody knows."""

    origin: Airport
    destination: Airport
    departs_at: datetime
    arrives_at: datetime
    carrier: str
    carrier_country: str | None


@dataclass(frozen=True, slots=True)
class Slice:
    """Flights from where somebody sets out to where they want to be."""

    legs: tuple[Leg, ...]

    @property
    def origin(self) -> Airport:
        return self.legs[0].origin

    @property
    def destination(self) -> Airport:
        return self.legs[-1].destination

    @property
    def departs_at(self) -> datetime:
        return self.legs[0].departs_at

    @property
    def arrives_at(self) -> datetime:
        return self.legs[-1].arrives_at

    @property
    def day(self) -> date:
        """The local date of departure, whose rules count."""
        return self.departs_at.astimezone(self.origin.zone).date()

    @property
    def airports(self) -> Iterator[Airport]:
        for leg in self.legs:
            yield from (leg.origin, leg.destination)

    @property
    def metres(self) -> int:
        """The great circle from the first airport to the last."""
        one, two = self.origin, self.destination
        return round(distance_km(one.latitude, one.longitude, two.latitude, two.longitude) * 1000)


@dataclass(frozen=True, slots=True)
class Trip:
    slices: tuple[Slice, ...]

    @property
    def departs_at(self) -> datetime:
        return self.slices[0].departs_at

    @property
    def day(self) -> date:
        return self.slices[0].day


@dataclass(frozen=True, slots=True)
class Rerouting:
    """Another way to the destination that was offered."""

    departs_at: datetime
    arrives_at: datetime


@dataclass(frozen=True, slots=True)
class Disruption:
    """What happened to a leg of a slice, and since when the passengers know.

    `departure_minutes` is how much later that leg leaves than booked, negative if it leaves earlier;
    `arrival_minutes` is how much later the slice reaches its last airport. What else differs is in `changes`.
    """

    kind: Disrupted
    known_at: datetime
    slice: int = 0
    leg: int = 0
    departure_minutes: int = 0
    arrival_minutes: int = 0
    changes: frozenset[Changed] = frozenset()
    rerouting: Rerouting | None = None

    @property
    def flies(self) -> bool:
        """Whether the passenger can still take the flight that was booked."""
        return self.kind not in ("cancelled", "denied_boarding")
