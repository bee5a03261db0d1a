"""Holds end by the database's clock, with every worker down."""

import asyncio
from typing import Any

import pytest

from app.bookings import service
from app.core import db
from app.core.config import settings
from tests.support.client import Client, adult, in_days
from tests.support.fleet import Fleet


async def sweep() -> int:
    """What the worker does, once."""
    async with db.transaction() as session:
        return await service.expire_due(session)


async def history(sql: Any, pnr: str) -> list[tuple[int, str, str]]:
    """The booking's timeline; the outbox must tell the same."""
    steps = await sql(
        "SELECT t.sequence, t.type, t.status FROM booking_timeline t JOIN bookings b ON b.id = t.booking_id"
        " WHERE b.pnr = :pnr ORDER BY t.sequence",
        pnr=pnr,
    )
    events = await sql(
        "SELECT sequence, type, data->>'status' AS status FROM outbox WHERE subject = :pnr ORDER BY sequence",
        pnr=pnr,
    )
    assert steps == events
    return [(step["sequence"], step["type"], step["status"]) for step in steps]


async def test_a_hold_lasts_as_long_as_it_says(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The booking and its claim end at the same instant, by the database's clock."""
    offer = await fleet.offer(traveller, await fleet.flight())
    pnr = (await traveller.book(offer["id"])).body["pnr"]

    [hold] = await sql(
        """
        SELECT extract(epoch FROM b.hold_expires_at - b.created_at) AS seconds, c.expires_at = b.hold_expires_at AS same
        FROM bookings b JOIN booking_segments s ON s.booking_id = b.id JOIN seat_claims c ON c.id = s.claim_id
        WHERE b.pnr = :pnr
        """,
        pnr=pnr,
    )

    assert hold == {"seconds": settings().hold_minutes * 60, "same": True}


async def test_reading_a_hold_that_ran_out_shows_it_expired(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """The reader makes it so: state, seats, timeline and event together."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    booked = (await traveller.book(offer["id"])).body
    await fleet.run_out(booked["pnr"])

    read = (await traveller.get(f"/bookings/{booked['pnr']}")).body

    assert (read["status"], read["hold_expires_at"]) == ("expired", None)
    of_a_hold = (
        "status",
        "hold_expires_at",
        "price_guaranteed_until",
        "amount_due",
        "available_actions",
        "updated_at",
    )
    assert read | dict.fromkeys(of_a_hold) == booked | dict.fromkeys(of_a_hold)
    assert await history(sql, booked["pnr"]) == [
        (1, "booking.held", "held"),
        (2, "booking.expired", "expired"),
    ]
    counts = await fleet.counts(flight)
    assert (counts["held"], counts["claimed"]) == (0, 0)


async def test_the_list_shows_it_expired_too(traveller: Client, fleet: Fleet) -> None:
    """And no longer among the held ones."""
    offer = await fleet.offer(traveller, await fleet.flight())
    pnr = (await traveller.book(offer["id"])).body["pnr"]
    await fleet.run_out(pnr)

    assert (await traveller.get("/bookings", status="held")).body["data"] == []
    assert [b["pnr"] for b in (await traveller.get("/bookings", status="expired")).body["data"]] == [pnr]


async def test_the_next_buyer_gets_seats_that_nobody_gave_back(
    traveller: Client, api: Client, fleet: Fleet, sql: Any
) -> None:
    """The hold ran out, nobody has read it and no worker runs: the last seat is sold again."""
    flight = await fleet.flight(1)
    offer = await fleet.offer(traveller, flight)
    pnr = (await traveller.book(offer["id"])).body["pnr"]
    other = await api.signed_up()
    assert (await other.book(offer["id"])).code == "sold_out"
    await fleet.run_out(pnr)

    assert (await other.book(offer["id"])).status == 201

    assert (await fleet.counts(flight)) == {"capacity": 1, "held": 1, "sold": 0, "claimed": 1}
    assert (await traveller.get(f"/bookings/{pnr}")).body["status"] == "expired"
    assert (await fleet.counts(flight))["held"] == 1


async def test_of_many_buyers_of_seats_that_ran_out_each_seat_goes_to_one(
    traveller: Client, fleet: Fleet
) -> None:
    """Five holds end at once, forty people want them."""
    flight = await fleet.flight(5)
    offer = await fleet.offer(traveller, flight)
    ended = [(await traveller.book(offer["id"])).body["pnr"] for _ in range(5)]
    await fleet.run_out(*ended)

    answers = await asyncio.gather(*(traveller.book(offer["id"]) for _ in range(40)))

    assert {answer.status for answer in answers} == {201, 409}
    assert sum(answer.status == 201 for answer in answers) == 5
    assert (await fleet.counts(flight)) == {"capacity": 5, "held": 5, "sold": 0, "claimed": 5}


async def test_a_search_counts_seats_that_ran_out_as_free(traveller: Client, fleet: Fleet) -> None:
    """Before anybody has swept them."""
    flight = await fleet.flight(3)
    offer = await fleet.offer(traveller, flight, adults=3)
    pnr = (await traveller.book(offer["id"], [adult(1), adult(2), adult(3)])).body["pnr"]
    assert await fleet.offers(traveller, flight, limit=98) == []
    await fleet.run_out(pnr)

    assert (await fleet.offer(traveller, flight, limit=99))["seats_left"] == 3


async def test_sweeping_twice_releases_once(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The second time there is nothing to do."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    ended, kept = [(await traveller.book(offer["id"])).body["pnr"] for _ in range(2)]
    await fleet.run_out(ended)

    assert await sweep() >= 1
    assert await sweep() == 0

    assert (await fleet.counts(flight)) == {"capacity": 10, "held": 1, "sold": 0, "claimed": 1}
    assert len(await history(sql, ended)) == 2
    assert len(await history(sql, kept)) == 1


async def test_five_sweepers_at_once_release_once(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """And readers and buyers among them change nothing."""
    flight = await fleet.flight(20)
    offer = await fleet.offer(traveller, flight)
    ended = [(await traveller.book(offer["id"])).body["pnr"] for _ in range(12)]
    await fleet.run_out(*ended)

    await asyncio.gather(
        *(sweep() for _ in range(5)),
        *(traveller.get(f"/bookings/{pnr}") for pnr in ended[:4]),
        *(traveller.book(offer["id"]) for _ in range(8)),
    )
    await sweep()

    assert (await fleet.counts(flight)) == {"capacity": 20, "held": 8, "sold": 0, "claimed": 8}
    for pnr in ended:
        assert [step for step, *_ in await history(sql, pnr)] == [1, 2]


async def test_a_sweep_is_done_in_batches(traveller: Client, fleet: Fleet) -> None:
    """However many are due, one transaction stays short."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    await sweep()
    await fleet.run_out(*[(await traveller.book(offer["id"])).body["pnr"] for _ in range(3)])

    async with db.transaction() as session:
        assert await service.expire_due(session, most=2) == 2
    async with db.transaction() as session:
        assert await service.expire_due(session, most=2) == 1


async def test_a_sweep_that_breaks_off_changes_nothing(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State, seats and event are one transaction; the next sweep does it all."""
    flight = await fleet.flight()
    pnr = (await traveller.book((await fleet.offer(traveller, flight))["id"])).body["pnr"]
    await fleet.run_out(pnr)

    async def broken(*_: Any) -> None:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(service.outbox, "record", broken)
        with pytest.raises(RuntimeError):
            await sweep()
    assert (await fleet.counts(flight))["held"] == 1
    assert len(await history(sql, pnr)) == 1

    await sweep()
    assert (await fleet.counts(flight))["held"] == 0
    assert len(await history(sql, pnr)) == 2


async def test_holds_end_and_seats_are_sold_while_redis_is_away(
    no_redis: None, traveller: Client, fleet: Fleet
) -> None:
    """Search, book, run out, book again: Redis is a cache and nothing else."""
    flight = await fleet.flight(1)
    offer = await fleet.offer(traveller, flight)
    pnr = (await traveller.book(offer["id"])).body["pnr"]
    await fleet.run_out(pnr)

    assert (await traveller.book(offer["id"])).status == 201
    assert (await traveller.get(f"/bookings/{pnr}")).body["status"] == "expired"


async def test_all_seats_of_a_round_trip_come_back(traveller: Client, fleet: Fleet) -> None:
    """There and back."""
    there, back = await fleet.round_trip(2)
    offer = await fleet.offer(traveller, there, return_date=back.day)
    pnr = (await traveller.book(offer["id"])).body["pnr"]
    assert [(await fleet.counts(flight))["held"] for flight in (there, back)] == [1, 1]
    await fleet.run_out(pnr)

    await traveller.get(f"/bookings/{pnr}")

    assert [(await fleet.counts(flight))["held"] for flight in (there, back)] == [0, 0]
    assert in_days(0) < there.day < back.day
