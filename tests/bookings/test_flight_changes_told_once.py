"""However many workers tell of changes, and wherever they are killed, each booking hears of each once, in order."""

import asyncio
from typing import Any

import pytest

from app.bookings import flight_changes, repository
from app.core import db
from tests.bookings.changed import Booked, applied
from tests.support.client import Client
from tests.support.fleet import Fleet


@pytest.fixture
async def booked(traveller: Client, fleet: Fleet, sql: Any) -> Booked:
    await applied()  # What other tests have left behind.
    return await Booked(traveller, fleet, sql).on(await fleet.flight())


async def test_a_change_is_told_once_whoever_tells_it(booked: Booked) -> None:
    """Two workers at once, and Beat again a moment later."""
    await booked.moves(20)

    await asyncio.gather(*(applied() for _ in range(6)))
    await applied()

    assert len((await booked.read())["schedule_changes"]) == 1
    assert [event["sequence"] for event in await booked.events()] == [1, 2]


async def test_a_later_change_waits_for_the_one_before(booked: Booked) -> None:
    """A worker that comes along while another one tells leaves all of it to that one."""
    await booked.moves(20)
    async with db.transaction() as session:
        assert await flight_changes.apply(session, 1) == 1
        await booked.moves(100)
        await applied()
        assert len(await booked.events()) == 1
    await applied()

    told = [change["materiality"] for change in (await booked.read())["schedule_changes"]]
    assert told == ["notable", "material"]


async def test_several_changes_are_told_in_order(booked: Booked) -> None:
    """With consecutive numbers, so that a receiver sees what is missing."""
    for later in (20, 100, 20, 400):
        await booked.moves(later)
    await applied()

    events = await booked.events()
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5]
    told = [event["data"]["materiality"] for event in events[1:]]
    assert told == ["notable", "material", "material", "significant"]
    befores = [event["data"]["before"]["departs_at"] for event in events[2:]]
    afters = [event["data"]["after"]["departs_at"] for event in events[1:-1]]
    assert befores == afters


async def test_everybody_on_the_flight_is_told_and_nobody_else(booked: Booked) -> None:
    """Each booking counts its own steps."""
    others = [await booked.another() for _ in range(2)]
    elsewhere = await Booked(booked.traveller, booked.fleet, booked.sql).on(await booked.fleet.flight())

    await booked.moves(60)
    await applied()

    for pnr in (booked.pnr, *others):
        assert [event["type"] for event in await booked.events(pnr)] == ["booking.held", "booking.changed"]
    assert len(await elsewhere.events()) == 1


async def test_a_worker_that_is_killed_tells_nothing_by_halves(
    booked: Booked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """History and event are written together, and the change waits for the next run."""
    await booked.moves(60)
    with monkeypatch.context() as patch:

        async def killed(*_: Any, **__: Any) -> None:
            raise RuntimeError("killed here")

        patch.setattr(repository, "step", killed)
        with pytest.raises(RuntimeError, match="killed"):
            await applied()
    assert len(await booked.timeline()) == len(await booked.events()) == 1

    await applied()

    assert len(await booked.timeline()) == len(await booked.events()) == 2


async def test_a_change_of_a_whole_network_is_told_in_one_run(booked: Booked, fleet: Fleet) -> None:
    """A season begins: however many flights changed before it, the booking does not wait for its batch."""
    await booked.sql(
        """
        INSERT INTO flight_changes (flight_id, materiality, before, after)
        SELECT :id, 'material', '{}', '{}' FROM generate_series(1, 250)
        """,
        id=(await fleet.flight()).id,
    )
    await booked.moves(60)

    await applied()

    assert len((await booked.read())["schedule_changes"]) == 1
    waiting = await booked.sql("SELECT count(*) AS waiting FROM flight_changes WHERE applied_at IS NULL")
    assert waiting == [{"waiting": 0}]
