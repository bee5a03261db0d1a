"""Between wall clocks and instants.

A reading that DST skips moves forward; of one that comes twice, the first counts.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY = 1440


@cache
def zone(name: str) -> ZoneInfo:
    """Kept for good: ZoneInfo itself remembers only the last few strongly."""
    return ZoneInfo(name)


def instant(day: date, minute: int, tz: ZoneInfo) -> datetime:
    """The UTC instant at which clocks in `tz` first read `minute` minutes past midnight on `day`."""
    # fold=0 applies the offset from before the change, which is the first reading of a fold and, for a
    # reading that does not exist, lands as far behind the gap as the reading lay inside it.
    reading = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=tz)
    return reading.astimezone(UTC)


def wall(moment: datetime, tz: ZoneInfo) -> datetime:
    """What a clock in `tz` shows, without any mark of the zone."""
    return moment.astimezone(tz).replace(tzinfo=None)


def iso(moment: datetime) -> str:
    """`2026-11-22T08:15:00Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text: str) -> datetime:
    """Reads an instant; one without an offset is refused, because nobody knows what it means."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} needs a Z or an offset")
    return moment.astimezone(UTC)


@cache
def _offsets(name: str) -> tuple[int, ...]:
    """UTC offsets in minutes, once a week for two years."""
    tz = zone(name)
    start = datetime(2026, 1, 7, 12, tzinfo=UTC)
    weeks = (start + timedelta(weeks=week) for week in range(105))
    return tuple(
        int((moment.astimezone(tz).utcoffset() or timedelta()).total_seconds()) // 60 for moment in weeks
    )


@cache
def widest_shift(origin: str, destination: str) -> int:
    """How far clocks at `destination` can run ahead of those at `origin` (may be negative), in minutes.

    Neighbouring weeks are crossed with each other, so that a flight under way while one end changes its
    clocks is covered as well.
    """
    here, there = _offsets(origin), _offsets(destination)
    same_week = max(t - h for h, t in zip(here, there, strict=True))
    next_week = max(t - h for h, t in zip(here, there[1:], strict=False))
    return max(same_week, next_week)
