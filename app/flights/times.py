"""From clock readings at two airports to two instants.

Providers publish local times. An airport's IANA zone and date give the offset; no offset a provider sends
is believed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from app.airports.service import Airport, distance_km
from app.providers.base import Movement

_LONGEST_BLOCK = timedelta(hours=22)
_TAXI_MINUTES = 35
_KM_PER_MINUTE = 13.5
# Around the usual block time: tail winds and short taxiing below, turboprops and crowded airports above.
_FASTEST, _SLACK_BELOW = 0.65, timedelta(minutes=10)
_SLOWEST, _SLACK_ABOVE = 1.5, timedelta(minutes=45)
# Across the date line a flight may land on the day before it left, or two days after.
_ARRIVAL_DAYS = (-1, 0, 1, 2)


@dataclass(frozen=True, slots=True)
class Leg:
    departs_local: datetime
    arrives_local: datetime
    departs_at: datetime
    arrives_at: datetime


def instants(local: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instants a clock reading can mean: two in the hour that is repeated when clocks go back.

    A reading that clocks skip when they go forward means the moment as far past the change as it says.
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    repeated = second > first
    return [first, second] if repeated else [first]


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    """An instant as an aware clock reading at an airport."""
    return instant.astimezone(zone)


def leg(origin: Airport, destination: Airport, departure: Movement, arrival: Movement) -> Leg | None:
    """The pair of instants whose block time fits the distance best, or None where no pair makes sense."""
    if departure.scheduled is None or arrival.scheduled is None:
        return None
    days = _ARRIVAL_DAYS if arrival.scheduled_time_only else (0,)
    landings = [arrival.scheduled + timedelta(days=days_later) for days_later in days]
    candidates = [
        Leg(departure.scheduled, landing, departs_at, arrives_at)
        for landing in landings
        for departs_at, arrives_at in product(
            _meant(departure.scheduled, departure.utc_offset, origin.zone),
            _meant(landing, arrival.utc_offset, destination.zone),
        )
        if timedelta() < arrives_at - departs_at <= _LONGEST_BLOCK
    ]
    usual = usual_block(origin, destination)
    return min(candidates, key=lambda one: abs(one.arrives_at - one.departs_at - usual), default=None)


def _meant(reading: datetime, offset: timedelta | None, zone: ZoneInfo) -> list[datetime]:
    """The instants a reading can mean, or the one of them that an offset picks."""
    possible = instants(reading, zone)
    told = [one for one in possible if offset is not None and reading.replace(tzinfo=UTC) - offset == one]
    return told or possible


def plausible(origin: Airport, destination: Airport, leg: Leg) -> bool:
    """Whether an aircraft, a slow or a fast one, can fly that leg in that time."""
    usual, block = usual_block(origin, destination), leg.arrives_at - leg.departs_at
    return usual * _FASTEST - _SLACK_BELOW <= block <= usual * _SLOWEST + _SLACK_ABOVE


def usual_block(origin: Airport, destination: Airport) -> timedelta:
    """A jet's block time for the distance: taxi and climb, then cruise."""
    km = distance_km(origin.latitude, origin.longitude, destination.latitude, destination.longitude)
    return timedelta(minutes=_TAXI_MINUTES + km / _KM_PER_MINUTE)
