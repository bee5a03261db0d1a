"""Changing to flights that cost more: the old seats stay until the new ones are paid for."""

from typing import Any

import pytest

from tests.bookings.paid import bought, change_quoted, confirm_change, coupons, read
from tests.payments.support import at_the_processor, balances, minor
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet, Flight

Row = dict[str, Any]


@pytest.fixture
async def dearer(traveller: Client, fleet: Fleet, sql: Any) -> tuple[Row, Row, Flight, Flight]:
    """A booking, a quote for a flight that costs more, and both flights."""
    old, new = await fleet.flight(), await fleet.flight(origin="OSL", destination="JFK")
    before = await bought(traveller, fleet, sql, old)
    answer = await change_quoted(traveller, fleet, before, new)
    assert answer.status == 201, answer.body
    return before, answer.body, old, new


async def sold(fleet: Fleet, *flights: Flight) -> list[tuple[int, int]]:
    """Seats held and sold of each flight."""
    counts = [await fleet.counts(flight) for flight in flights]
    return [(one["held"], one["sold"]) for one in counts]


async def test_the_difference_is_paid(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, dearer: tuple[Row, Row, Flight, Flight]
) -> None:
    """Without a payment nothing happens; with one, both charges together are the new price."""
    before, quote, old, new = dearer
    pnr, due = before["pnr"], minor(quote["amount_due"])

    without = await confirm_change(traveller, pnr, quote)
    answer = await confirm_change(traveller, pnr, quote, "pm_card_visa")

    assert (without.status, without.code) == (422, "payment_required")
    assert without.body["due"] == quote["amount_due"] == quote["fare_difference"]
    after = answer.body
    assert (answer.status, coupons(after)) == (200, "EO")
    assert minor(after["price"]["total"]) == minor(before["price"]["total"]) + due
    assert [(payment["purpose"], payment["status"]) for payment in after["payments"]] == [
        ("purchase", "captured"),
        ("change", "captured"),
    ]
    assert await at_the_processor(sandbox, sql, pnr) == [
        ("charged", minor(before["price"]["total"])),
        ("charged", due),
    ]
    assert await sold(fleet, old, new) == [(0, 0), (0, 1)]
    assert sum((await balances(sql, pnr)).values()) == 0


async def test_a_declined_card_leaves_everything_as_it_was(
    traveller: Client, fleet: Fleet, dearer: tuple[Row, Row, Flight, Flight]
) -> None:
    """The new seats are free, the old ones kept; another card can be tried."""
    before, quote, old, new = dearer
    pnr = before["pnr"]

    declined = await confirm_change(traveller, pnr, quote, "pm_card_chargeDeclined")

    assert (declined.status, declined.code) == (402, "payment_declined")
    assert await sold(fleet, old, new) == [(0, 1), (0, 0)]
    after = await read(traveller, pnr)
    assert (after["slices"], coupons(after)) == (before["slices"], "O")
    assert after["available_actions"] == before["available_actions"]
    other = await confirm_change(traveller, pnr, quote, "pm_card_visa")
    assert (other.status, coupons(other.body)) == (200, "EO")
    assert await sold(fleet, old, new) == [(0, 0), (0, 1)]


async def test_a_traveller_who_proves_who_they_are_has_changed(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, dearer: tuple[Row, Row, Flight, Flight]
) -> None:
    """Until then the new seats are held beside the old ones; whoever asks again begins anew."""
    before, quote, old, new = dearer
    pnr = before["pnr"]
    await confirm_change(traveller, pnr, quote, "pm_card_threeDSecure2Required")
    asked = await confirm_change(traveller, pnr, quote, "pm_card_threeDSecure2Required")
    assert asked.status == 200, asked.body
    payment = asked.body["payments"][-1]
    assert (payment["status"], asked.body["slices"]) == ("requires_action", before["slices"])
    assert await sold(fleet, old, new) == [(0, 1), (1, 0)]
    [intent] = await sql(
        "SELECT p.intent FROM payments p JOIN bookings b ON b.id = p.booking_id WHERE b.pnr = :pnr"
        " ORDER BY p.id DESC LIMIT 1",
        pnr=pnr,
    )
    await sandbox.control("POST", f"/cards/intents/{intent['intent']}", {"finish": "succeed"})

    resumed = await traveller.post(f"/bookings/{pnr}/payments/{payment['id']}/resume")

    assert (resumed.status, resumed.body["status"]) == (200, "captured")
    assert await sold(fleet, old, new) == [(0, 0), (0, 1)]
    assert coupons(await read(traveller, pnr)) == "EO"


async def test_while_nobody_knows_both_are_kept(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, dearer: tuple[Row, Row, Flight, Flight]
) -> None:
    """The answer was lost, not the money: the same request again finds the change made, and one charge."""
    before, quote, old, new = dearer
    path = f"/bookings/{before['pnr']}/changes/{quote['id']}/confirm"
    body, key = {"payment": {"payment_method": "pm_card_visa"}}, {"Idempotency-Key": "change"}
    await sandbox.fault("card_500", "/v1/payment_intents*")

    unknown = await traveller.post(path, body, key)
    busy = await traveller.post(f"/bookings/{before['pnr']}/cancellations")

    assert unknown.status == 202, unknown.body
    assert unknown.body["available_actions"] == []
    assert (busy.status, busy.code) == (409, "payment_in_progress")
    assert await sold(fleet, old, new) == [(0, 1), (1, 0)]
    await sandbox.control("DELETE", "/faults")
    known = await traveller.post(path, body, key)
    assert (known.status, coupons(known.body)) == (200, "EO")
    assert await sold(fleet, old, new) == [(0, 0), (0, 1)]


async def test_seats_that_were_sold_meanwhile_are_gone(
    traveller: Client, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Between quote and confirmation somebody else was quicker; the traveller stays where they are."""
    old, new = await fleet.flight(), await fleet.flight(1, origin="OSL", destination="JFK")
    before = await bought(traveller, fleet, sql, old)
    quote = (await change_quoted(traveller, fleet, before, new)).body
    await bought(await api.signed_up(), fleet, sql, new)

    answer = await confirm_change(traveller, before["pnr"], quote, "pm_card_visa")

    assert (answer.status, answer.code) == (409, "sold_out")
    assert len(await at_the_processor(sandbox, sql, before["pnr"])) == 1
    assert (await read(traveller, before["pnr"])) == before
