"""Which flights are looked at, how often, and what happens when nobody answers."""

from datetime import UTC, datetime, timedelta
from inspect import unwrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.bookings import booked as on_flights
from app.bookings import tasks
from app.core import db
from app.core.config import settings
from app.flights import watch
from tests.bookings.watched import Watched
from tests.flights import news
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def watched(traveller: Client, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(traveller, sandbox, sql, monkeypatch)


async def test_a_flight_that_nobody_has_booked_is_not_asked_for(watched: Watched) -> None:
    """It may leave, land and be cancelled as it likes."""
    await watched.made()
    await watched.decide(status="cancelled")

    assert await watched.look() == []
    assert await watched.calls() == 0


async def test_a_held_seat_is_reason_enough_to_look(watched: Watched) -> None:
    """Until the hold has run out."""
    await watched.booked()
    await watched.look()
    assert await watched.calls() == 1

    await watched.sql("UPDATE bookings SET status = 'expired' WHERE pnr = :pnr", pnr=watched.pnr)
    await watched.look()
    assert await watched.calls() == 1


async def test_a_flight_is_left_alone_until_its_next_look(watched: Watched) -> None:
    """However often Beat strikes."""
    await watched.booked()
    await watched.look()

    for _ in range(3):
        await unwrap(tasks.watch_flights)()

    assert await watched.calls() == 1
    assert (await watched.row())["next_look_at"] > datetime.now(UTC) + 10 * MINUTE


async def test_news_that_a_search_has_brought_are_not_fetched_again(watched: Watched) -> None:
    """The board is a moment old: what is on it is told, and costs no call."""
    await watched.booked()
    await watched.sql(
        "UPDATE flights SET departure_estimated_at = departs_at + interval '1 hour' WHERE id = :id",
        id=watched.row_id,
    )

    await unwrap(tasks.watch_flights)()

    assert await watched.calls() == 0
    assert [event["type"] for event in await watched.events()] == ["flight.delayed"]


async def test_a_provider_that_does_not_answer_is_asked_later(watched: Watched) -> None:
    """Nothing is told meanwhile, and nothing is lost."""
    await watched.booked()
    await watched.decide(departure_delay=60)
    await watched.sandbox.fault("error_500")

    assert await watched.look() == []

    wait = (await watched.row())["next_look_at"] - (datetime.now(UTC) + watched.ahead)
    assert timedelta(minutes=5) < wait < timedelta(minutes=15)
    await watched.sandbox.control("DELETE", "/faults")
    await watched.sql("UPDATE provider_endpoints SET paused_until = now() WHERE paused_until IS NOT NULL")
    assert await watched.look() == ["delayed"]


async def test_a_spent_share_of_the_background_costs_looks_not_the_worker(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No call is made, and the next look is planned."""
    await watched.booked()
    await watched.decide(departure_delay=60)
    monkeypatch.setattr(settings(), "aviationstack_background_share", 0.0)

    assert await watched.look() == []

    assert await watched.calls() == 0
    assert (await watched.row())["next_look_at"] > datetime.now(UTC) + MINUTE


async def test_a_number_that_flies_twice_a_day_is_two_flights(watched: Watched) -> None:
    """What becomes of the way back is not told of the way out."""
    await watched.booked()
    back = await watched.sandbox.flight(
        watched.destination,
        watched.origin,
        watched.departs + timedelta(hours=4),
        watched.departs + timedelta(hours=6),
        number=watched.number,
    )
    await watched.sandbox.control("PATCH", f"/flights/{back['key']}", {"departure_delay": 90})
    assert await watched.look() == []

    await watched.decide(departure_delay=30)
    assert await watched.look() == ["delayed"]


async def test_yesterdays_flight_of_the_number_is_another_one(watched: Watched) -> None:
    """It is still in the air, a day late, and the vendor lists both."""
    await watched.booked()
    await watched.sandbox.flight(
        watched.origin,
        watched.destination,
        watched.departs - timedelta(hours=24),
        datetime.now(UTC) + timedelta(hours=2),
        number=watched.number,
    )

    assert [await watched.look() for _ in range(2)] == [[], []]
    assert await watched.calls() == 2
    row = await watched.row()
    assert (row["status"], row["departure_actual_at"]) == ("scheduled", None)


async def test_a_flight_that_cannot_be_dealt_with_does_not_stop_the_others(
    watched: Watched, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bad row costs one flight its news, not all of them."""
    flights, looked = [await fleet.flight() for _ in range(6)], []

    async def look_at(flight: dict[str, Any]) -> None:
        if flight["id"] == flights[0].id:
            raise RuntimeError("something odd about this one")
        looked.append(flight["id"])

    monkeypatch.setattr(watch, "_look_at", look_at)

    assert await watch.look([flight.id for flight in flights], 40) == 6
    assert sorted(looked) == sorted(flight.id for flight in flights[1:])


async def test_the_vendor_may_not_know_the_flight(watched: Watched) -> None:
    """As one that an operator has filed by itself: it is looked at now and then, and nothing is told."""
    await watched.booked()
    await watched.sandbox.control("POST", "/reset")

    assert [await watched.look() for _ in range(2)] == [[], []]

    row = await watched.row()
    assert (row["status"], row["missed"]) == ("scheduled", 0)
    assert row["next_look_at"] > datetime.now(UTC)


WINDOW = [
    # hours until departure, watched; the flight takes two hours
    (25, False),
    (23, True),
    (2, True),
    (-1, True),
    (-7.5, True),
    (-8.5, False),
]


async def test_flights_are_watched_from_a_day_before_until_six_hours_after(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Those with live bookings."""
    booked: dict[float, int] = {}
    for hours, _ in WINDOW:
        flight = await fleet.flight()
        answer = await traveller.book((await fleet.offer(traveller, flight))["id"])
        assert answer.status == 201
        booked[hours] = flight.id
        await sql(
            "UPDATE flights SET departs_at = now() + make_interval(secs => :seconds),"
            " arrives_at = now() + make_interval(secs => :seconds) + interval '2 hours' WHERE id = :id",
            seconds=hours * 3600.0,
            id=flight.id,
        )

    async with db.transaction() as session:
        found = set(await on_flights.booked_between(session, watch.BEFORE, watch.AFTER))

    assert [booked[hours] in found for hours, _ in WINDOW] == [expected for _, expected in WINDOW]


moments = st.integers(-600, 36 * 60).map(lambda minutes: NOW + minutes * MINUTE)


@hypothesis(max_examples=200, deadline=None)
@given(
    departs=moments,
    state=st.sampled_from(["scheduled", "departed", "landed", "cancelled", "diverted", "unknown"]),
    late=st.none() | st.integers(-30, 600),
    pending=st.sampled_from([[], ["cancelled@1"]]),
)
def test_no_flight_is_forgotten_or_hammered(
    departs: datetime, state: str, late: int | None, pending: list[str]
) -> None:
    """Whatever is known of it: not more than once in a minute, and at least four times in a day."""
    flight = news.flight(
        status=state,
        departs_at=departs,
        arrives_at=departs + timedelta(hours=2),
        departure_estimated_at=None if late is None else departs + late * MINUTE,
        pending=pending,
    )

    assert MINUTE < watch.pause(flight, NOW) <= timedelta(hours=6)


def test_the_nearer_departure_is_the_more_often_a_flight_is_looked_at() -> None:
    """And the last hours do not begin with a long pause."""
    hours = [24, 13, 11, 5, 2.5, 1.5, 0.75, 0.2]
    pauses = [
        watch.pause(news.flight(departs_at=NOW + timedelta(hours=left), pending=[]), NOW) for left in hours
    ]

    assert pauses == sorted(pauses, reverse=True)
    assert pauses[0] >= 4 * pauses[-1]


def test_what_awaits_confirmation_is_looked_at_soon() -> None:
    """However far away departure is."""
    doubtful = news.flight(departs_at=NOW + timedelta(hours=20), pending=["cancelled@1"])

    assert watch.pause(doubtful, NOW) <= 2 * MINUTE
