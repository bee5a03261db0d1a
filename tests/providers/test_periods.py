"""When the vendor begins to count again: at midnight in UTC, or on a day of the month."""

from calendar import isleap
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.core import db
from app.providers import repository

Period = Literal["day", "month"]
DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
MOMENTS = st.builds(datetime.combine, DAYS, st.times(), st.just(UTC))


async def bounds(at: datetime, period: Period, starts_on: int) -> tuple[datetime, datetime]:
    """The product's period around a moment."""
    statement = repository._PERIOD.replace("now()", "CAST(:at AS timestamptz)")
    async with db.transaction() as session:
        [found] = await db.rows(session, statement, at=at, period=period, days=starts_on - 1)
    return found["starts_at"], found["ends_at"]


def expected(at: datetime, period: Period, starts_on: int) -> tuple[datetime, datetime]:
    """The same, counted on fingers."""
    if period == "day":
        begins = datetime.combine(at.date(), time(), UTC)
        return begins, begins + timedelta(days=1)
    day = at.date()
    while day.day != starts_on:
        day -= timedelta(days=1)
    following = day + timedelta(days=1)
    while following.day != starts_on:
        following += timedelta(days=1)
    return datetime.combine(day, time(), UTC), datetime.combine(following, time(), UTC)


@pytest.mark.parametrize(
    ("at", "starts_on", "first", "last"),
    [
        ("2026-11-01T00:00:00", 1, "2026-11-01", "2026-12-01"),
        ("2026-11-30T23:59:59", 1, "2026-11-01", "2026-12-01"),
        ("2026-12-31T23:59:59", 1, "2026-12-01", "2027-01-01"),
        ("2026-11-14T23:59:59", 15, "2026-10-15", "2026-11-15"),
        ("2026-11-15T00:00:00", 15, "2026-11-15", "2026-12-15"),
        ("2027-01-01T00:00:00", 28, "2026-12-28", "2027-01-28"),
        ("2027-02-28T00:00:00", 28, "2027-02-28", "2027-03-28"),
        ("2027-03-01T12:00:00", 28, "2027-02-28", "2027-03-28"),
        ("2028-02-29T12:00:00", 28, "2028-02-28", "2028-03-28"),
    ],
)
async def test_a_month_may_begin_on_any_day(at: str, starts_on: int, first: str, last: str) -> None:
    """Short months and new years included."""
    begins, ends = await bounds(datetime.fromisoformat(at + "+00:00"), "month", starts_on)

    assert (begins, ends) == tuple(datetime.fromisoformat(day + "T00:00:00+00:00") for day in (first, last))


@hypothesis(max_examples=150, deadline=None)
@given(at=MOMENTS, period=st.sampled_from(["day", "month"]), starts_on=st.integers(1, 28))
async def test_the_database_counts_like_a_calendar(at: datetime, period: Period, starts_on: int) -> None:
    """Of every moment, whatever the billing day."""
    assert await bounds(at, period, starts_on) == expected(at, period, starts_on)


async def test_periods_follow_each_other_without_gap_or_overlap() -> None:
    """Every day of a leap year belongs to twelve or thirteen months of a vendor's."""
    assert isleap(2028)
    seen: list[Any] = []
    for offset in range(366):
        period = await bounds(datetime(2028, 1, 1, 12, tzinfo=UTC) + timedelta(days=offset), "month", 20)
        if not seen or seen[-1] != period:
            seen.append(period)

    assert len(seen) == 13
    assert all(earlier[1] == later[0] for earlier, later in pairwise(seen))


async def test_how_much_of_a_period_has_passed_is_a_share(sql: Any) -> None:
    """The share and the seconds that are left agree."""
    async with db.transaction() as session:
        elapsed, left = await repository.period(session, "day", 1)

    assert 0 <= elapsed < 1
    assert abs((1 - elapsed) * 86_400 - left) < 1
    now = datetime.now(UTC)
    gone = (now - datetime.combine(now.date(), time(), UTC)).total_seconds()
    assert (gone + left) % 86_400 == pytest.approx(0, abs=5) or (gone + left) % 86_400 > 86_395
