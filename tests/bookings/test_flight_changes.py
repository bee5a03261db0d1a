"""A schedule that changes reaches the bookings on the flight: once, in order, and only if anybody would notice."""

from datetime import datetime
from typing import Any

import pytest

from app.core import db
from app.flights import watch
from tests.bookings.changed import MINUTE, Booked, applied
from tests.support.client import Client
from tests.support.fleet import Fleet


@pytest.fixture
async def booked(traveller: Client, fleet: Fleet, sql: Any) -> Booked:
    await applied()  # What other tests have left behind.
    return await Booked(traveller, fleet, sql).on(await fleet.flight())


async def test_a_material_change_is_in_the_booking_its_history_and_an_event(booked: Booked) -> None:
    """All three say the same."""
    before = (await booked.read())["slices"][0]["segments"][0]
    await booked.moves(75)

    await applied()

    booking = await booked.read()
    [change] = booking["schedule_changes"]
    after = booking["slices"][0]["segments"][0]
    assert (change["flight_id"], change["materiality"]) == (booked.id, "material")
    assert (after["departing_at"], after["arriving_at"]) != (before["departing_at"], before["arriving_at"])
    assert await booked.timeline() == [(1, "booking.held"), (2, "booking.changed")]
    [_, event] = await booked.events()
    assert (event["type"], event["sequence"]) == ("booking.changed", 2)
    told = {name: change[name] for name in ("flight_id", "materiality", "before", "after")}
    assert event["data"] == told | {"pnr": booked.pnr, "status": "held", "reason": "schedule_change"}
    assert change["before"].keys() == change["after"].keys()
    [row] = await booked.sql("SELECT departs_at FROM flights WHERE id = :id", id=booked.flight.id)
    assert change["after"]["departs_at"] == f"{row['departs_at']:%Y-%m-%dT%H:%M:%SZ}"
    assert change["before"]["departs_at"] == f"{row['departs_at'] - 75 * MINUTE:%Y-%m-%dT%H:%M:%SZ}"


async def test_a_minor_change_is_shown_and_told_nobody(booked: Booked) -> None:
    """The itinerary has the new time; nothing else has happened to the booking."""
    await booked.moves(14)

    await applied()

    assert await booked.noted() == ["minor"]
    assert (await booked.read())["schedule_changes"] == []
    assert await booked.timeline() == [(1, "booking.held")]
    assert len(await booked.events()) == 1


async def test_small_changes_add_up(booked: Booked) -> None:
    """A quarter of an hour in three steps is a quarter of an hour; counting begins anew when it was told."""
    for later in (7, 14):
        await booked.moves(later)
        await applied()
    assert (await booked.read())["schedule_changes"] == []

    for later in (21, 28, 35, 49):
        await booked.moves(later)
        await applied()

    told = (await booked.read())["schedule_changes"]
    assert [change["materiality"] for change in told] == ["notable", "notable"]
    assert told[0]["after"] == told[1]["before"]
    shifts = [
        datetime.fromisoformat(change["after"]["departs_at"])
        - datetime.fromisoformat(change["before"]["departs_at"])
        for change in told
    ]
    assert shifts == [21 * MINUTE, 28 * MINUTE]


async def test_a_change_counts_from_what_was_told_last(booked: Booked) -> None:
    """Not from a step on the way that nobody heard of: fourteen minutes and fifty are more than an hour."""
    await booked.moves(14)
    await booked.moves(64)
    await applied()
    await booked.moves(70)
    await booked.moves(50)
    await applied()

    told = (await booked.read())["schedule_changes"]
    assert [change["materiality"] for change in told] == ["material"]
    assert await booked.noted() == ["minor", "material", "minor", "minor"]


async def test_the_same_schedule_again_is_no_change(booked: Booked) -> None:
    """Nor is a gate, a delay or another aircraft."""
    for _ in range(3):
        await booked.moves(0)

    assert await booked.noted() == []


async def test_a_flight_that_goes_elsewhere_is_a_significant_change(booked: Booked) -> None:
    """Whatever the times."""
    await booked.moves(0, destination="SVG")

    await applied()

    [change] = (await booked.read())["schedule_changes"]
    assert change["materiality"] == "significant"
    assert (change["before"]["destination"], change["after"]["destination"]) == ("BGO", "SVG")


async def test_a_cancelled_flight_and_its_return(booked: Booked) -> None:
    """Each after a second look, once."""
    for status, materiality in (("cancelled", "cancelled"), ("scheduled", "reinstated")):
        for second in range(2):
            await booked.moves(0, status=status)
            await booked.sql(
                "UPDATE flights SET observed_at = observed_at + make_interval(secs => :later) WHERE id = :id",
                later=float(second),
                id=booked.flight.id,
            )
            async with db.transaction() as session:
                await watch.tell(session, [booked.flight.id])
        await applied()
        assert (await booked.read())["schedule_changes"][-1]["after"] == {"status": materiality}

    assert await booked.noted() == ["cancelled", "reinstated"]
    assert [step for _, step in await booked.timeline()] == ["booking.held", *["booking.changed"] * 2]


async def test_a_withdrawn_flight_and_its_return(booked: Booked) -> None:
    """It was no longer on the board, and then it was; the times that it had are told."""
    await booked.disappears()
    await applied()
    await booked.moves(0)
    await applied()

    changes = (await booked.read())["schedule_changes"]
    assert [change["materiality"] for change in changes] == ["withdrawn", "reinstated"]
    assert changes[0]["before"].keys() == {"departs_at", "arrives_at"}


async def test_a_flight_that_comes_back_at_another_time_says_both(booked: Booked) -> None:
    """That it flies, and when."""
    await booked.disappears()
    await booked.moves(90)
    await applied()

    changes = (await booked.read())["schedule_changes"]
    assert [change["materiality"] for change in changes] == ["withdrawn", "reinstated", "material"]


async def test_a_booking_that_has_ended_is_left_alone(booked: Booked) -> None:
    """Its history is closed."""
    await booked.fleet.run_out(booked.pnr)
    assert (await booked.read())["status"] == "expired"
    await booked.moves(300)

    await applied()

    assert (await booked.read())["schedule_changes"] == []
    assert [step for _, step in await booked.timeline()] == ["booking.held", "booking.expired"]
