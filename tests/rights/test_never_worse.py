"""What holds for every trip: it is answered, nothing is negative, and more trouble is never less of a right."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.airports.service import directory
from app.rights import service
from app.rights.trips import Disruption, Rerouting, Trip
from tests.rights.support import HOMES, way

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
MINUTES = st.integers(-3000, 3000)
KINDS = ("delayed", "cancelled", "diverted", "schedule_change", "downgraded", "denied_boarding")
ORDER = ("no", "maybe", "yes")


@lru_cache
def codes() -> list[str]:
    return sorted(directory().by_iata)


@st.composite
def trips(draw: st.DrawFn) -> Trip:
    departs_at = EPOCH + timedelta(minutes=draw(st.integers(0, 10 * 365 * 24 * 60)))
    route = draw(st.lists(st.sampled_from(codes()), min_size=2, max_size=4))
    carrier = draw(st.sampled_from([*HOMES, "??"]))
    return Trip((way(*route, departs_at=departs_at, hours=draw(st.integers(1, 15)), carrier=carrier),))


@st.composite
def disruptions(draw: st.DrawFn, departs_at: datetime, kinds: tuple[str, ...] = KINDS) -> Disruption:
    rerouting = None
    if draw(st.booleans()):
        leaves = departs_at + timedelta(minutes=draw(MINUTES))
        rerouting = Rerouting(leaves, leaves + timedelta(minutes=draw(st.integers(30, 3000))))
    return Disruption(
        draw(st.sampled_from(kinds)),
        departs_at - timedelta(minutes=draw(st.integers(-3000, 60_000))),
        departure_minutes=draw(MINUTES),
        arrival_minutes=draw(MINUTES),
        rerouting=rerouting,
    )


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_every_trip_is_answered(data: st.DataObject) -> None:
    """From any airport to any other, by anybody, whatever happens to it."""
    trip = data.draw(trips())
    disruption = data.draw(disruptions(trip.departs_at))
    booked_at = trip.departs_at - timedelta(hours=data.draw(st.integers(0, 9000)))
    now = disruption.known_at

    rows = service.advice(trip, disruption, now, booked_at)
    options = service.change_options(trip, disruption, now)
    due = service.refund_due(trip, data.draw(st.sampled_from(["card", "other"])), now)

    assert len({(row["jurisdiction"], row["right"]) for row in rows}) == len(rows)
    for row in rows:
        assert (row["amount"] is None) == (row["right"] != "compensation" or row["applies"] == "no")
        assert row["amount"] is None or float(row["amount"]["amount"]) > 0
    assert options.options
    assert options.deadline > now
    assert now.date() < due.on <= now.date() + timedelta(days=15)
    assert ("refund" in options.options) <= options.significant


@given(st.data(), st.integers(1, 600), st.integers(1, 600))
@settings(max_examples=100, deadline=None)
def test_a_longer_delay_never_loses_a_right(data: st.DataObject, minutes: int, more: int) -> None:
    """Nor an amount, nor a choice."""
    trip = data.draw(trips())
    known_at = trip.departs_at - timedelta(minutes=data.draw(st.integers(-600, 40_000)))
    kind: Any = data.draw(st.sampled_from(["delayed", "schedule_change", "diverted"]))
    short, long = (
        Disruption(kind, known_at, departure_minutes=late, arrival_minutes=late)
        for late in (minutes, minutes + more)
    )

    before, after = (_worth(service.advice(trip, one, known_at)) for one in (short, long))
    chosen, then = (set(service.change_options(trip, one, known_at).options) for one in (short, long))

    assert all(after[right] >= worth for right, worth in before.items())
    assert chosen <= then


@given(st.data(), st.integers(0, 40_000), st.integers(1, 40_000))
@settings(max_examples=60, deadline=None)
def test_to_be_told_later_never_loses_compensation(data: st.DataObject, minutes: int, less: int) -> None:
    """Of a cancelled flight, with the same other way."""
    trip = data.draw(trips())
    known_at = trip.departs_at - timedelta(minutes=minutes + less)
    rerouting = data.draw(disruptions(trip.departs_at)).rerouting
    early = Disruption("cancelled", known_at, rerouting=rerouting)
    late = Disruption("cancelled", known_at + timedelta(minutes=less), rerouting=rerouting)

    before, after = (_worth(service.advice(trip, one, known_at)) for one in (early, late))

    assert all(after[right] >= worth for right, worth in before.items())


def _worth(rows: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, float]]:
    """How good each right is for the passenger."""
    return {
        (row["jurisdiction"], row["right"]): (
            ORDER.index(row["applies"]),
            float(row["amount"]["amount"]) if row["amount"] else 0.0,
        )
        for row in rows
    }
