"""`GET /bookings/{pnr}/events`: what happens to a booking and its flights, while an app looks on."""

import asyncio
from typing import Any

from app.auth import tokens
from app.bookings import guests
from app.core import clock
from tests.bookings.paid import bought, change_quoted, confirm_change, held
from tests.bookings.streamed import closed, happens, is_late, leaves_from, opened, refused, types
from tests.payments.support import VISA
from tests.support.client import Client
from tests.support.fleet import Fleet


async def test_a_payment_and_a_gate_arrive(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Each once."""
    flight = await fleet.flight()
    pnr = (await held(traveller, fleet, flight))["pnr"]
    await leaves_from(sql, flight, "A1")
    async with opened(traveller, pnr) as stream:
        assert types([await stream.next()]) == ["snapshot"]
        paid = await traveller.post(f"/bookings/{pnr}/payments", VISA)
        assert paid.status == 201
        told = await stream.take(2)
        await leaves_from(sql, flight, "B2")
        gate = await stream.next()
        assert await stream.is_silent()

    assert types(told) == ["payment.succeeded", "booking.confirmed"]
    assert (gate["event"], gate["data"]["data"]["gate"]) == ("flight.gate_changed", "B2")
    await closed()


async def test_within_a_second(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The quickest of a few; what takes longer was held up by what else this machine does."""
    pnr = (await held(traveller, fleet))["pnr"]
    loop, waits = asyncio.get_running_loop(), []
    async with opened(traveller, pnr) as stream:
        await stream.next()
        for _ in range(3):
            await happens(sql, pnr, "booking.changed")
            committed = loop.time()
            await stream.next()
            waits.append(loop.time() - committed)

    assert min(waits) < 1


async def test_an_event_is_what_a_webhook_sends(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The same id, type, number and data, on one line."""
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as stream:
        await stream.next()
        await happens(sql, pnr, "booking.changed")
        told = await stream.next()
    [row] = await sql("SELECT * FROM outbox WHERE subject = :pnr AND sequence = 2", pnr=pnr)

    assert told["event"] == "booking.changed"
    assert told["data"] == {
        "id": f"evt_{row['event_id'].hex}",
        "type": "booking.changed",
        "created_at": clock.rfc3339(row["created_at"]),
        "sequence": 2,
        "data": row["data"],
    }


async def test_it_begins_with_a_snapshot_and_nothing_older(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The snapshot has an id, so a client that is cut off at once has missed nothing either."""
    pnr = (await held(traveller, fleet))["pnr"]
    await happens(sql, pnr, "booking.changed")
    async with opened(traveller, pnr.lower()) as stream:
        assert stream.response.content_type == "text/event-stream"
        assert stream.response.headers["X-Accel-Buffering"] == "no"
        assert "no-store" in stream.response.headers["Cache-Control"]
        assert (await stream.response.content.readuntil(b"\n\n")) == b"retry: 3000\n\n"
        snapshot = await stream.next()
        assert snapshot["data"] == {"pnr": pnr, "status": "held"}
    await happens(sql, pnr, "booking.confirmed")

    async with opened(traveller, pnr, snapshot["id"]) as stream:
        assert (await stream.next())["event"] == "booking.confirmed"


async def test_nobody_else_may_watch(traveller: Client, api: Client, fleet: Fleet) -> None:
    """To others there is no such booking; who shows no token is asked for one."""
    pnr = (await held(traveller, fleet))["pnr"]
    other = await api.signed_up()

    told = [(await refused(client, pnr)) for client in (other, api)]

    assert [(one.status, one.code) for one in told] == [(404, "booking_not_found"), (401, "unauthorized")]
    assert (await refused(traveller, "nonsense")).code == "booking_not_found"


async def test_a_guest_watches_the_one_booking(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """With the token of their link."""
    mine, other = [(await held(traveller, fleet))["pnr"] for _ in range(2)]
    guest = Client(traveller.session, traveller.base, tokens.sign(guests._KIND, mine, 60))
    async with opened(guest, mine) as stream:
        await stream.next()
        await happens(sql, mine, "booking.confirmed")
        assert (await stream.next())["event"] == "booking.confirmed"

    assert (await refused(guest, other)).code == "booking_not_found"


async def test_what_guests_do_stays_in_the_house(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Whatever such an event is about."""
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as stream:
        await stream.next()
        await happens(sql, pnr, "guest.link_requested", "booking.confirmed")
        assert (await stream.next())["event"] == "booking.confirmed"


async def test_the_flights_are_those_that_are_flown(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """After a change the new one is told of, from then on, and the old one is not; others' never were."""
    old, stranger = await fleet.flight(), await fleet.flight()
    booking = await bought(traveller, fleet, sql, old)
    pnr = booking["pnr"]
    new = await fleet.flight()
    await is_late(sql, new, 20)
    # That was told a while before the traveller came to it.
    await sql(
        "UPDATE outbox SET created_at = created_at - interval '1 minute' WHERE subject LIKE :number || '-%'",
        number=new.number,
    )
    async with opened(traveller, pnr) as stream:
        before = await stream.next()
        quote = (await change_quoted(traveller, fleet, booking, new)).body
        answer = await confirm_change(traveller, pnr, quote, "pm_card_visa")
        assert answer.status == 200, answer.body
        while (await stream.next())["event"] != "booking.changed":
            pass
        for flight in (old, stranger):
            await is_late(sql, flight, 30)
        await is_late(sql, new, 60)
        while (live := await stream.next())["event"] != "flight.delayed":
            pass
        assert live["data"]["data"]["delay_minutes"] == 60
        assert await stream.is_silent()

    # Whoever was away all the while hears the same.
    async with opened(traveller, pnr, before["id"]) as stream:
        while (missed := await stream.next())["event"] != "flight.delayed":
            pass
        assert missed["data"] == live["data"]
        assert await stream.is_silent()


async def test_everybody_who_is_on_a_flight_hears_of_it(api: Client, fleet: Fleet, sql: Any) -> None:
    """All open streams of a process are looked after by one question at a time."""
    flight = await fleet.flight(30)
    people = await asyncio.gather(*(api.signed_up() for _ in range(8)))
    pnrs = [(await held(one, fleet, flight))["pnr"] for one in people]
    streams = [opened(one, pnr) for one, pnr in zip(people, pnrs, strict=True)]
    open_ones = [await stream.__aenter__() for stream in streams]
    for one in open_ones:
        await one.next()
    await is_late(sql, flight, 45)
    told = [await one.next() for one in open_ones]
    for stream in streams:
        await stream.__aexit__(None, None, None)

    assert len({one["data"]["id"] for one in told}) == 1
    await closed()


async def test_redis_is_not_needed(traveller: Client, fleet: Fleet, sql: Any, no_redis: None) -> None:
    """Events come as fast without it."""
    pnr = (await held(traveller, fleet))["pnr"]
    async with opened(traveller, pnr) as stream:
        await stream.next()
        await happens(sql, pnr, "booking.confirmed")
        assert (await stream.next())["event"] == "booking.confirmed"
