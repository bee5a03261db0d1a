"""Who is booked on a flight hears what becomes of it: each thing once, in order, with what is known."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.core import db
from app.flights import watch
from tests.bookings.watched import Watched
from tests.support.client import Client, Sandbox


@pytest.fixture
async def flight(traveller: Client, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return await Watched(traveller, sandbox, sql, monkeypatch).booked()


async def test_a_day_of_trouble_is_told_step_by_step(flight: Watched) -> None:
    """A delay at once, a gate and a cancellation after a second look, and nothing twice."""
    await flight.decide(departure_gate="A1")
    assert [await flight.look() for _ in range(2)] == [[], []]

    await flight.decide(departure_delay=45)
    assert [await flight.look() for _ in range(2)] == [["delayed"], []]

    await flight.decide(departure_gate="B2")
    assert [await flight.look() for _ in range(3)] == [[], ["gate_changed"], []]

    await flight.decide(departure_delay=50)
    assert await flight.look() == []

    await flight.decide(status="cancelled")
    assert [await flight.look() for _ in range(3)] == [[], ["cancelled"], []]

    events = await flight.events()
    assert [event["sequence"] for event in events] == [1, 2, 3]
    assert [event["data"]["status"] for event in events] == ["delayed", "delayed", "cancelled"]
    delayed, gate, cancelled = [event["data"] for event in events]
    assert (delayed["delay_minutes"], delayed["previous_delay_minutes"]) == (45, 0)
    assert delayed["estimated_departure_at"] == at(flight.departs + timedelta(minutes=45))
    assert (gate["gate"], gate["previous_gate"], gate["departure_gate"]) == ("B2", "A1", "B2")
    assert {event["flight_id"] for event in (delayed, gate, cancelled)} == {flight.id}
    assert (await flight.traveller.get(f"/flights/{flight.id}")).body["status"] == "cancelled"


def at(instant: Any) -> str:
    text: str = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    return text


async def test_a_flight_is_followed_until_it_has_landed(flight: Watched) -> None:
    """It leaves early and lands; both are told with their times."""
    assert await flight.look() == []
    await flight.decide(status="active")
    assert [await flight.look() for _ in range(2)] == [["departed"], []]
    await flight.decide(status="landed")
    assert [await flight.look() for _ in range(2)] == [["landed"], []]

    departed, landed = [event["data"] for event in await flight.events()]
    assert departed["actual_departure_at"] is not None
    assert departed["actual_arrival_at"] is None
    assert landed["actual_arrival_at"] is not None
    assert (landed["scheduled_departure_at"], landed["status"]) == (at(flight.departs), "landed")


async def test_a_diversion_is_told_after_a_second_look(flight: Watched) -> None:
    """While it is under way."""
    await flight.decide(status="active")
    await flight.look()
    await flight.decide(status="diverted")

    assert [await flight.look() for _ in range(3)] == [[], ["diverted"], []]


async def test_what_is_taken_back_before_the_second_look_is_not_told(flight: Watched) -> None:
    """The vendor was wrong for some minutes."""
    await flight.decide(departure_gate="A1")
    await flight.look()
    for decision, mended in (
        ({"status": "cancelled"}, {"status": "scheduled"}),
        ({"departure_gate": "C3"}, {"departure_gate": "A1"}),
    ):
        await flight.decide(**decision)
        assert await flight.look() == []
        await flight.decide(**mended)
        assert await flight.look() == []

    assert await flight.look() == []


async def test_two_workers_at_once_tell_it_once(flight: Watched) -> None:
    """Each flight is one worker's for a while."""
    await flight.decide(departure_delay=60)
    await flight.time_passes()

    looked = await asyncio.gather(*(watch.look([flight.row_id], 40) for _ in range(6)))

    assert sum(looked) == 1
    assert await flight.calls() == 1
    assert [event["type"] for event in await flight.events()] == ["flight.delayed"]


async def test_news_that_two_have_seen_are_told_once(flight: Watched) -> None:
    """A search has brought the board while a worker looked."""
    await flight.sql(
        "UPDATE flights SET status = 'departed', departure_actual_at = departs_at + interval '20 minutes',"
        " departure_estimated_at = departs_at + interval '20 minutes' WHERE id = :id",
        id=flight.row_id,
    )

    async def tell() -> None:
        async with db.transaction() as session:
            await watch.tell(session, [flight.row_id])

    await asyncio.gather(*(tell() for _ in range(8)))

    assert [(e["type"], e["sequence"]) for e in await flight.events()] == [("flight.departed", 1)]


async def test_what_could_not_be_written_is_told_the_next_time(
    flight: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker was killed between seeing and telling: neither is kept without the other."""
    await flight.decide(departure_delay=60)
    with monkeypatch.context() as patch:

        async def killed(*_: Any) -> None:
            raise RuntimeError("killed here")

        patch.setattr(watch.outbox, "record", killed)
        await flight.time_passes()
        await watch.look([flight.row_id], 1)
    assert await flight.events() == []
    assert (await flight.row())["announced_delay_minutes"] == 0

    assert await flight.look() == ["delayed"]
