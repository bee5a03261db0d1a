"""What the routes of a booking that is paid for refuse, beyond what the stories tell."""

from typing import Any

import pytest

from app.core.config import settings
from app.tickets import service as tickets
from tests.bookings.airline import Paid
from tests.bookings.changed import applied
from tests.bookings.paid import (
    PAYMENT,
    agree,
    bought,
    cancelled,
    change_quoted,
    confirm,
    confirm_change,
    coupons,
    leaves,
    quoted,
    read,
    settled,
    somebody,
)
from tests.payments.support import at_the_processor, balances, minor
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet
from tests.tickets.support import do

BAG = {"bags": [{"passenger": 0, "slice": 0}]}


async def test_while_nobody_knows_what_became_of_a_payment_nothing_else_happens(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Every other step waits: quotes that were made before as well."""
    old = await fleet.flight(60)
    new = await fleet.flight(60, day=old.day)
    booking = await bought(traveller, fleet, sql, old)
    pnr = booking["pnr"]
    change, cancellation = (
        (await change_quoted(traveller, fleet, booking, new)).body,
        await quoted(traveller, pnr),
    )
    await sandbox.fault("card_500", "/v1/payment_intents*")

    unknown = await traveller.post(f"/bookings/{pnr}/extras", BAG | PAYMENT)
    answers = [
        await traveller.post(f"/bookings/{pnr}/extras", BAG | PAYMENT),
        await traveller.post(f"/bookings/{pnr}/cancellations"),
        await confirm(traveller, pnr, cancellation),
        await change_quoted(traveller, fleet, booking, new),
        await confirm_change(traveller, pnr, change),
    ]

    assert unknown.status == 202, unknown.body
    assert {(answer.status, answer.code) for answer in answers} == {(409, "payment_in_progress")}
    assert (await read(traveller, pnr))["available_actions"] == []


async def test_a_payment_that_waits_for_its_traveller_gives_way(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Who cancels instead has cancelled: the bag is not paid for, whatever they prove later."""
    booking = await bought(traveller, fleet, sql)
    pnr = booking["pnr"]
    body = BAG | {"payment": {"payment_method": "pm_card_threeDSecure2Required"}}
    asked = await traveller.post(f"/bookings/{pnr}/extras", body)
    payment = asked.body["payments"][-1]
    assert (asked.status, payment["status"]) == (200, "requires_action")

    _, after = await cancelled(traveller, pnr)
    resumed = await traveller.post(f"/bookings/{pnr}/payments/{payment['id']}/resume")
    await settled()

    assert (after["status"], after["payments"][-1]["status"]) == ("cancelled", "cancelled")
    assert (resumed.status, resumed.code) == (402, "payment_declined")
    total = minor(booking["price"]["total"])
    assert await at_the_processor(sandbox, sql, pnr) == [("charged", total), ("refunded", total)]


async def test_seats_that_ran_out_before_the_traveller_came_back_are_gone(
    traveller: Client, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Nothing is charged for the change, and the old seat is still theirs."""
    old, new = await fleet.flight(), await fleet.flight(1, origin="OSL", destination="JFK")
    booking = await bought(traveller, fleet, sql, old)
    pnr = booking["pnr"]
    quote = (await change_quoted(traveller, fleet, booking, new)).body
    asked = await confirm_change(traveller, pnr, quote, "pm_card_threeDSecure2Required")
    payment = asked.body["payments"][-1]
    await sql("UPDATE seat_claims SET expires_at = now() WHERE flight_id = :id", id=new.id)
    await bought(await api.signed_up(), fleet, sql, new)
    [intent] = await sql("SELECT intent FROM payments ORDER BY id DESC OFFSET 1 LIMIT 1")
    await sandbox.control("POST", f"/cards/intents/{intent['intent']}", {"finish": "succeed"})

    answer = await traveller.post(f"/bookings/{pnr}/payments/{payment['id']}/resume")

    assert (answer.status, answer.code) == (409, "hold_expired")
    after = await read(traveller, pnr)
    assert (after["slices"], coupons(after)) == (booking["slices"], "O")
    assert [what for what, _ in await at_the_processor(sandbox, sql, pnr)] == ["charged"]
    assert (await fleet.counts(new)) == {"capacity": 1, "held": 0, "sold": 1, "claimed": 1}


async def test_offers_that_cannot_be_had_are_no_change(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Nonsense, a flight that is full, one that was cancelled."""
    booking = await bought(traveller, fleet, sql)
    full, lost = await fleet.flight(1), await fleet.flight()
    path = f"/bookings/{booking['pnr']}/changes"
    offers = {}
    for flight in (full, lost):
        found = await fleet.offers(traveller, flight)
        offers[flight.id] = next(one["id"] for one in found if one["fare_brand"] == "Flex")
    await sql("UPDATE inventory SET sold = 1 WHERE flight_id = :id", id=full.id)
    await sql("UPDATE flights SET status = 'cancelled' WHERE id = :id", id=lost.id)

    answers = [
        await traveller.post(path, {"slices": [0], "offer_id": one})
        for one in ("off_nonsense", offers[full.id], offers[lost.id])
    ]

    assert [(answer.status, answer.code) for answer in answers] == [
        (404, "offer_not_found"),
        (409, "sold_out"),
        (409, "flight_not_on_sale"),
    ]
    await sql("UPDATE inventory SET sold = 0 WHERE flight_id = :id", id=full.id)


async def test_where_no_payments_are_taken_what_costs_something_cannot_be_had(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a bag nor a dearer flight."""
    booking = await bought(traveller, fleet, sql)
    dear = await fleet.flight(origin="OSL", destination="JFK")
    quote = (await change_quoted(traveller, fleet, booking, dear)).body
    monkeypatch.setattr(settings(), "stripe_secret_key", "")

    bag = await traveller.post(f"/bookings/{booking['pnr']}/extras", BAG | PAYMENT)
    change = await confirm_change(traveller, booking["pnr"], quote, "pm_card_visa")

    assert (bag.status, bag.code) == (change.status, change.code)
    assert bag.code == "payment_not_offered"


async def test_nobody_is_checked_in_on_a_flight_that_does_not_fly(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Nor given money for a ticket that is suspended."""
    await applied()
    paid = await Paid(traveller, fleet, sql).buys()
    flight_id = paid.paid["slices"][0]["segments"][0]["flight_id"]
    await paid.is_cancelled()
    await leaves(sql, paid.flight, 180)
    disputed = await bought(traveller, fleet, sql)
    quote = await quoted(traveller, disputed["pnr"])
    await suspend(sql, disputed["pnr"])

    desk = await traveller.post(f"/bookings/{paid.pnr}/check-in", {"flight_id": flight_id})
    money = await confirm(traveller, disputed["pnr"], quote)

    assert (desk.status, desk.code) == (money.status, money.code) == (409, "coupon_status_conflict")
    assert "check_in" not in (await paid.read())["available_actions"]


async def suspend(sql: Any, pnr: str) -> None:
    [row] = await sql("SELECT id FROM bookings WHERE pnr = :pnr", pnr=pnr)
    await do(tickets.suspend, row["id"], {0}, {0})


async def test_a_long_life_ends_with_even_books(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Held with a bag, paid, a seat, a dearer flight, one of two leaves, the other cancels: to the cent."""
    old, new = await fleet.flight(60), await fleet.flight(60, origin="OSL", destination="JFK")
    booking = await bought(traveller, fleet, sql, old, brand="Standard", people=[somebody(), somebody()])
    pnr, flight_id = booking["pnr"], booking["slices"][0]["segments"][0]["flight_id"]
    seat = {"seats": [{"passenger": 1, "flight_id": flight_id, "seat": "4A"}]}
    assert (await traveller.post(f"/bookings/{pnr}/extras", BAG | seat | PAYMENT)).status == 200
    quote = (await change_quoted(traveller, fleet, booking, new)).body
    assert (await confirm_change(traveller, pnr, quote, "pm_card_visa")).status == 200

    first, half = await cancelled(traveller, pnr, passengers=[1])
    await agree(sql, pnr, "free_until", minutes=60)
    second, after = await cancelled(traveller, pnr)
    await settled()

    done = await at_the_processor(sandbox, sql, pnr)
    charged, refunded = (
        sum(amount for what, amount in done if what == how) for how in ("charged", "refunded")
    )
    assert refunded == minor(first["refund"]) + minor(second["refund"])
    fee, kept = minor(quote["fee"]), minor(first["penalty"]) + minor(second["penalty"])
    assert charged - refunded == fee + kept > 0
    assert minor(half["price"]["total"]) == sum(
        minor(line["paid"]) for line in second["lines"] if line["kind"] in ("fare", "tax")
    )
    assert (after["status"], coupons(after, 0), coupons(after, 1)) == ("cancelled", "ER", "ER")
    books = await balances(sql, pnr)
    fees = books.pop("processor_fees")
    assert books == {"penalties": -(fee + kept), "processor": fee + kept - fees}
    assert [refund["status"] for refund in (await read(traveller, pnr))["refunds"]] == ["succeeded"] * len(
        after["refunds"]
    )
