"""What is believed of a flight when news of it contradict what is known, or each other."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.flights import status
from tests.flights.news import ARRIVES, DEPARTS, SEEN, Row, flight, late

STATUSES = ["scheduled", "departed", "landed", "cancelled", "diverted", "unknown"]
TIMES = [f"{side}_{kind}_at" for side in ("departure", "arrival") for kind in ("estimated", "actual")]
KEPT = [*TIMES, "departure_gate", "arrival_terminal", "baggage_belt", "aircraft_icao24", "aircraft_type"]
RANK = {"projection": 0, "aviationstack": 1, "import": 2}

moments = st.none() | st.integers(-3000, 6000).map(lambda minutes: DEPARTS + timedelta(minutes=minutes))
texts = st.none() | st.sampled_from(["A1", "B2"])


@st.composite
def flights(draw: st.DrawFn) -> Row:
    """Anything a source may say, sense or not."""
    source, moved = draw(st.sampled_from(list(RANK))), timedelta(minutes=draw(st.integers(-300, 300)))
    said = {name: draw(moments) for name in TIMES}
    said |= {name: draw(texts) for name in KEPT if name not in TIMES}
    return flight(
        **said,
        status=draw(st.sampled_from(STATUSES)),
        source=draw(st.sampled_from([source, "aviationstack"])),
        schedule_source=source,
        departs_at=DEPARTS + moved,
        arrives_at=ARRIVES + moved,
        departure_delay_minutes=draw(st.none() | st.integers(0, 300)),
        codeshares=sorted(draw(st.sets(st.sampled_from(["BA1", "LH2", "AF3"])))),
        observed_at=SEEN + timedelta(minutes=draw(st.integers(0, 600))),
    )


@hypothesis(max_examples=100, deadline=None)
@given(first=st.none() | flights(), news=st.lists(flights(), min_size=1, max_size=3))
def test_nothing_that_was_known_is_lost(first: Row | None, news: list[Row]) -> None:
    """Whatever comes in whatever order: times that were, gates, aircraft and codeshares stay."""
    known = status.merged(None, first) if first else None
    for new in news:
        before, after = known, status.merged(known, new)
        assert after["status"] in STATUSES
        if before is not None:
            assert all(after[name] is not None for name in KEPT if known_still(name, before, after))
            assert set(before["codeshares"]) <= set(after["codeshares"])
            if before["status"] == "landed":
                assert after["status"] in ("landed", "diverted", "cancelled")
        if after["arrival_actual_at"]:
            assert after["status"] in ("landed", "diverted")
        if after["departure_actual_at"]:
            assert after["status"] in ("departed", "landed", "diverted")
        known = after


def known_still(name: str, before: Row, after: Row) -> bool:
    """Whether it was known, and of the same schedule if it is an estimate."""
    scheduled = "departs_at" if name.startswith("departure") else "arrives_at"
    same = not name.endswith("_estimated_at") or before[scheduled] == after[scheduled]
    return before[name] is not None and same


@hypothesis(max_examples=100, deadline=None)
@given(first=st.none() | flights(), new=flights())
def test_the_same_news_twice_change_nothing(first: Row | None, new: Row) -> None:
    """A task may run twice, and two searches may bring the same board."""
    known = status.merged(None, first) if first else None
    given_first, given_new = dict(first or {}), dict(new)

    once = status.merged(known, new)

    assert status.merged(once, new) == once
    assert (dict(first or {}), new) == (given_first, given_new)


@hypothesis(max_examples=100, deadline=None)
@given(first=flights(), new=flights())
def test_a_better_source_keeps_its_schedule(first: Row, new: Row) -> None:
    """An operator's file before a provider's board, and that before a projection; news of the day pass."""
    known = status.merged(None, first)

    after = status.merged(known, new)

    better = known if RANK[known["schedule_source"]] > RANK[new["schedule_source"]] else new
    for name in ("departs_at", "arrives_at", "departs_local", "destination", "schedule_source"):
        assert after[name] == better[name]
    if new["schedule_source"] == "projection" and known["schedule_source"] != "projection":
        for name in ("source", "observed_at"):
            assert after[name] == known[name]


@hypothesis(max_examples=100, deadline=None)
@given(first=flights(), new=flights())
def test_minutes_agree_with_the_times(first: Row, new: Row) -> None:
    """The vendor's own count is shown only where there is no time to count from."""
    after = status.merged(status.merged(None, first), new)

    for side, scheduled in (("departure", "departs_at"), ("arrival", "arrives_at")):
        real = after[f"{side}_actual_at"] or after[f"{side}_estimated_at"]
        if real is not None:
            minutes = round((real - after[scheduled]).total_seconds() / 60)
            assert after[f"{side}_delay_minutes"] == minutes


BELIEVED = [
    # before, news, believed
    ({"status": "scheduled"}, {"status": "unknown"}, "scheduled"),
    ({"status": "departed"}, {"status": "unknown"}, "departed"),
    ({"status": "landed"}, {"status": "departed"}, "landed"),
    ({"status": "landed"}, {"status": "scheduled"}, "landed"),
    ({"status": "diverted"}, {"status": "landed"}, "landed"),
    ({"status": "cancelled"}, {"status": "scheduled"}, "scheduled"),
    ({"status": "scheduled"}, {"status": "scheduled", "departure_actual_at": late(5)}, "departed"),
    ({"status": "scheduled"}, {"status": "cancelled", "departure_actual_at": late(5)}, "departed"),
    ({"status": "departed"}, {"status": "departed", "arrival_actual_at": late(130)}, "landed"),
    ({"status": "departed", "departure_actual_at": late(5)}, {"status": "scheduled"}, "departed"),
    ({"status": "departed", "departure_actual_at": late(5)}, {"status": "cancelled"}, "departed"),
    ({"status": "departed", "departure_actual_at": late(5)}, {"status": "diverted"}, "diverted"),
    ({"status": "scheduled"}, {"status": "unknown", "departure_actual_at": late(5)}, "departed"),
    ({"status": "scheduled"}, {"status": "cancelled", "arrival_actual_at": late(130)}, "landed"),
    # A time three weeks away is somebody's mistake.
    ({"status": "scheduled"}, {"status": "scheduled", "departure_actual_at": late(30_000)}, "scheduled"),
]


@pytest.mark.parametrize(("before", "news", "believed"), BELIEVED)
def test_what_happened_counts_more_than_what_is_said(before: Row, news: Row, believed: str) -> None:
    """Times of the past first, then the status; a flight does not come back from where it has landed."""
    known = status.merged(None, flight(**before))

    assert status.merged(known, flight(**news))["status"] == believed


@pytest.mark.parametrize(
    ("state", "minutes", "shown"),
    [
        ("scheduled", None, "scheduled"),
        ("scheduled", 14, "scheduled"),
        ("scheduled", 15, "delayed"),
        ("scheduled", -20, "scheduled"),
        ("departed", 90, "departed"),
        ("cancelled", 90, "cancelled"),
    ],
)
def test_delayed_is_a_flight_still_to_leave_and_late(state: str, minutes: int | None, shown: str) -> None:
    """From a quarter of an hour on; and of a flight that has gone from the schedule nothing is known."""
    estimated: Any = None if minutes is None else late(minutes)
    seen = flight(status=state, departure_estimated_at=estimated)

    assert status.shown(seen) == shown
    assert status.shown(seen | {"missed": 1}) == shown
    assert status.shown(seen | {"missed": 2}) == "unknown"
