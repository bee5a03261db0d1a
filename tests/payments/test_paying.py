"""Paying for a held booking, with a card that works."""

import asyncio
from collections import Counter
from typing import Any

from tests.payments.support import VISA, at_the_processor, balances, bought, held, minor, paid_at_once
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


async def test_a_hold_that_is_paid_for_is_confirmed_with_tickets(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """One charge of the exact total; the seats are sold; the books say for what the money came."""
    flight = await fleet.flight()
    hold = await held(traveller, fleet, flight)
    total = minor(hold["price"]["total"])

    answer = await traveller.post(f"/bookings/{hold['pnr']}/payments", VISA)

    assert answer.status == 201, answer.body
    assert (answer.body["status"], answer.body["amount"]) == ("captured", hold["price"]["total"])
    assert answer.body["card"] == {"brand": "visa", "last4": "4242"}
    read = (await traveller.get(f"/bookings/{hold['pnr']}")).body
    assert (read["status"], read["hold_expires_at"]) == ("confirmed", None)
    assert read["payments"] == [answer.body]
    assert len(read["passengers"][0]["ticket_number"]) == 13
    assert "cancel" in read["available_actions"]
    assert "pay" not in read["available_actions"]
    assert await at_the_processor(sandbox, sql, hold["pnr"]) == [("charged", total)]
    counts = await fleet.counts(flight)
    assert (counts["held"], counts["sold"]) == (0, 1)
    books = await balances(sql, hold["pnr"])
    assert sum(books.values()) == 0
    assert (
        sum(amount for account, amount in books.items() if account in ("fares",) or account[:5] == "taxes")
        == -total
    )
    assert books["processor"] + books["processor_fees"] == total


async def test_the_timeline_and_the_events_tell_it_in_order(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Each step once, numbered without a gap."""
    pnr = (await bought(traveller, fleet))["pnr"]

    told = await sql(
        "SELECT sequence, type, data FROM outbox WHERE subject = :pnr ORDER BY sequence", pnr=pnr
    )
    steps = (await traveller.get(f"/bookings/{pnr}/timeline")).body["data"]

    expected = ["booking.held", "payment.succeeded", "booking.confirmed"]
    assert [event["type"] for event in told] == [step["type"] for step in steps] == expected
    assert [event["sequence"] for event in told] == [1, 2, 3]
    assert all(event["data"]["pnr"] == pnr for event in told)


async def test_a_booking_can_be_paid_for_as_it_is_made(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """One request: held, charged, confirmed."""
    offer = await fleet.offer(traveller, await fleet.flight())

    answer = await traveller.post("/bookings", paid_at_once(offer))

    assert (answer.status, answer.body["status"]) == (201, "confirmed"), answer.body
    assert answer.body["payments"][0]["status"] == "captured"
    assert await at_the_processor(sandbox, sql, answer.body["pnr"]) == [
        ("charged", minor(offer["price"]["total"]))
    ]


async def test_a_booking_is_paid_for_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Whoever pays again is told so."""
    booked = await bought(traveller, fleet)

    again = await traveller.post(f"/bookings/{booked['pnr']}/payments", VISA)

    assert (again.status, again.code) == (409, "already_paid")
    assert len(await at_the_processor(sandbox, sql, booked["pnr"])) == 1


async def test_twenty_who_pay_at_once_pay_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Without any idempotency key: one charge, nineteen clear refusals."""
    pnr = (await held(traveller, fleet))["pnr"]

    answers = await asyncio.gather(*(traveller.post(f"/bookings/{pnr}/payments", VISA) for _ in range(20)))

    assert Counter(answer.status for answer in answers) == {201: 1, 409: 19}
    assert {answer.code for answer in answers} <= {None, "payment_in_progress", "already_paid"}
    assert len(await at_the_processor(sandbox, sql, pnr)) == 1


async def test_somebody_elses_booking_cannot_be_paid_for(
    traveller: Client, api: Client, fleet: Fleet
) -> None:
    """It is not there for them."""
    pnr = (await held(traveller, fleet))["pnr"]
    stranger = await api.signed_up()

    answer = await stranger.post(f"/bookings/{pnr}/payments", VISA)

    assert (answer.status, answer.code) == (404, "booking_not_found")
