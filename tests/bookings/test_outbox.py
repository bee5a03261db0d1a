"""Events are written with what they tell of, or not at all."""

from typing import Any

import orjson
import pytest

from app.bookings import repository, service, views
from tests.support.client import Client, adult
from tests.support.fleet import Fleet


async def events(sql: Any, pnr: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await sql(
        "SELECT * FROM outbox WHERE subject = :pnr ORDER BY sequence", pnr=pnr
    )
    return found


async def test_a_booking_is_one_event(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """With what a receiver needs to know, waiting to be delivered."""
    booked = (await traveller.book((await fleet.offer(traveller, await fleet.flight()))["id"])).body

    [event] = await events(sql, booked["pnr"])

    assert (event["type"], event["sequence"], event["dispatched_at"]) == ("booking.held", 1, None)
    assert event["data"] == {
        "pnr": booked["pnr"],
        "status": "held",
        "total": booked["price"]["total"],
        "hold_expires_at": booked["hold_expires_at"],
    }


async def test_each_step_counts_on(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Without a gap, so that a receiver sees what is missing."""
    pnr = (await traveller.book((await fleet.offer(traveller, await fleet.flight()))["id"])).body["pnr"]
    await fleet.run_out(pnr)
    for _ in range(3):
        await traveller.get(f"/bookings/{pnr}")

    found = await events(sql, pnr)

    assert [(e["sequence"], e["type"]) for e in found] == [(1, "booking.held"), (2, "booking.expired")]
    assert len({event["event_id"] for event in found}) == 2
    [kept] = await sql("SELECT sequence FROM bookings WHERE pnr = :pnr", pnr=pnr)
    assert kept["sequence"] == 2


async def test_events_name_nobody(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """They leave the house; names, addresses, telephones and birthdays do not."""
    offer = await fleet.offer(traveller, await fleet.flight())
    people = [adult(given_name="Canarina", family_name="Kanarievogel", born_on="1971-03-17")]
    pnr = (await traveller.book(offer["id"], people)).body["pnr"]
    await fleet.run_out(pnr)
    await traveller.get(f"/bookings/{pnr}")

    told = orjson.dumps([event["data"] for event in await events(sql, pnr)]).decode().lower()

    for private in (
        "canarina",
        "kanarievogel",
        "1971-03-17",
        "ada@example.com",
        "441632960000",
        traveller.user["id"],
    ):
        assert private not in told


@pytest.mark.parametrize("breaks", ["repository.add", "views.view"])
async def test_a_booking_that_fails_leaves_nothing(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch, breaks: str
) -> None:
    """No seat, no row, no event, no key, wherever it broke off."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    tables = (
        "bookings",
        "booking_passengers",
        "booking_segments",
        "booking_timeline",
        "outbox",
        "idempotency_keys",
    )
    counting = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in tables)
    before, add = await sql(counting), repository.add

    async def stores_and_breaks(*arguments: Any) -> Any:
        await add(*arguments)
        raise RuntimeError("killed here")

    def shows_nothing(*_: Any) -> Any:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        if breaks == "repository.add":
            patch.setattr(repository, "add", stores_and_breaks)
        else:
            patch.setattr(views, "view", shows_nothing)
        failed = await traveller.book(offer["id"], **{"Idempotency-Key": "breaks"})

    assert (failed.status, failed.code) == (500, "internal_error")
    assert b"killed" not in failed.raw
    assert await sql(counting) == before
    assert (await fleet.counts(flight)) == {"capacity": 10, "held": 0, "sold": 0, "claimed": 0}
    assert (await traveller.book(offer["id"], **{"Idempotency-Key": "breaks"})).status == 201


async def test_a_reference_in_use_is_drawn_again(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the failed draw leaves no second claim or event."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    taken = (await traveller.book(offer["id"])).body["pnr"]
    drawn = iter((taken, "BCDFG2"))
    monkeypatch.setattr(service, "_drawn_reference", lambda: next(drawn))

    booked = await traveller.book(offer["id"])

    assert (booked.status, booked.body["pnr"]) == (201, "BCDFG2")
    assert len(await events(sql, taken)) == len(await events(sql, "BCDFG2")) == 1
    assert (await fleet.counts(flight))["held"] == 2


async def test_references_are_drawn_from_letters_nobody_misreads(traveller: Client, fleet: Fleet) -> None:
    """Six of them, no vowels, no 0, 1, I, L or O, and not in sequence."""
    offer = await fleet.offer(traveller, await fleet.flight(30))

    pnrs = [(await traveller.book(offer["id"])).body["pnr"] for _ in range(30)]

    assert all(len(pnr) == 6 and set(pnr) <= set("BCDFGHJKMNPQRSTVWXYZ23456789") for pnr in pnrs)
    assert len(set(pnrs)) == 30
    assert pnrs != sorted(pnrs)
