"""Cancelling a whole booking: a quote, its confirmation, and what goes back by the fare's rules."""

from typing import Any

import pytest

from tests.bookings.paid import (
    agree,
    bought,
    cancelled,
    confirm,
    coupons,
    events,
    held,
    leaves,
    quoted,
    read,
    settled,
    somebody,
)
from tests.payments.support import at_the_processor, balances, minor
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


def adds_up(quote: dict[str, Any], paid: int) -> None:
    """Every line is what was paid, part of it given back and part of it kept; together they are the quote."""
    lines = quote["lines"]
    for line in lines:
        assert minor(line["paid"]) == minor(line["refund"]) + minor(line["penalty"])
    assert sum(minor(line["refund"]) for line in lines) == minor(quote["refund"])
    assert sum(minor(line["penalty"]) for line in lines) == minor(quote["penalty"])
    assert minor(quote["refund"]) + minor(quote["penalty"]) == paid


async def test_a_hold_is_cancelled_for_nothing(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Nothing was paid, nothing goes back; the seats are free and found at once."""
    flight = await fleet.flight(1)
    hold = await held(traveller, fleet, flight)

    quote, booking = await cancelled(traveller, hold["pnr"])

    assert (quote["refund"]["amount"], quote["penalty"]["amount"], quote["reason"]) == (
        "0.00",
        "0.00",
        "hold",
    )
    assert quote["expires_at"] <= hold["hold_expires_at"]
    assert (booking["status"], booking["available_actions"]) == ("cancelled", [])
    assert await fleet.counts(flight) == {"capacity": 1, "held": 0, "sold": 0, "claimed": 0}
    assert (await fleet.offer(traveller, flight))["seats_left"] == 1
    assert [event["type"] for event in await events(sql, hold["pnr"])] == [
        "booking.held",
        "booking.cancelled",
    ]


async def test_a_hold_is_cancelled_as_a_whole_and_while_it_lasts(traveller: Client, fleet: Fleet) -> None:
    """Parts are refused; one that ran out has ended already."""
    pnr = (await held(traveller, fleet, people=[somebody(), somebody()]))["pnr"]

    part = await traveller.post(f"/bookings/{pnr}/cancellations", {"passengers": [1]})
    await fleet.run_out(pnr)
    late = await traveller.post(f"/bookings/{pnr}/cancellations")

    assert (part.status, part.code) == (409, "booking_closed")
    assert (late.status, late.code) == (409, "hold_expired")


async def test_what_is_not_refundable_gives_only_taxes_back(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """To the cent: the lines, the processor, the books; the fare stays as the penalty."""
    flight = await fleet.flight()
    booking = await bought(traveller, fleet, sql, flight, brand="Light")
    total, base = minor(booking["price"]["total"]), minor(booking["price"]["base"])

    quote, after = await cancelled(traveller, booking["pnr"])
    await settled()

    adds_up(quote, total)
    assert (quote["reason"], minor(quote["refund"]), minor(quote["penalty"])) == (
        "fare_rules",
        total - base,
        base,
    )
    assert (after["status"], coupons(after)) == ("cancelled", "R")
    assert await at_the_processor(sandbox, sql, booking["pnr"]) == [
        ("charged", total),
        ("refunded", total - base),
    ]
    books = await balances(sql, booking["pnr"])
    fees = books.pop("processor_fees")
    assert books == {"penalties": -base, "processor": base - fees}
    assert await fleet.counts(flight) == {"capacity": 10, "held": 0, "sold": 0, "claimed": 0}


async def test_a_refundable_fare_keeps_its_fee_of_each_passenger(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """And never more than that passenger's fare."""
    booking = await bought(traveller, fleet, sql, brand="Standard", people=[somebody(), somebody()])
    fee = minor(booking["conditions"]["refund"]["fee"])
    base = minor(booking["price"]["base"]) // 2

    quote, _ = await cancelled(traveller, booking["pnr"])

    adds_up(quote, minor(booking["price"]["total"]))
    assert minor(quote["penalty"]) == 2 * min(fee, base) > 0


async def test_a_flexible_fare_goes_back_whole_and_is_tracked(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """By a day and a rule; pending until the processor has sent it, and then told once."""
    booking = await bought(traveller, fleet, sql, method="pm_card_visa")
    total = booking["price"]["total"]

    quote, after = await cancelled(traveller, booking["pnr"])

    assert (quote["refund"], minor(quote["penalty"])) == (total, 0)
    [refund] = after["refunds"]
    assert (refund["status"], refund["amount"], refund["reason"]) == ("pending", total, "fare_rules")
    assert refund["due_rule"].endswith("261-refund")
    assert refund["due_on"] > booking["created_at"][:10]
    assert refund["payment_id"] == after["payments"][0]["id"]

    await settled()
    await settled()

    told = await events(sql, booking["pnr"])
    assert [event["type"] for event in told][-2:] == ["booking.cancelled", "payment.refunded"]
    assert told[-1]["data"]["amount"] == total
    assert told[-2]["data"]["refund_due_on"] == refund["due_on"]
    done = await read(traveller, booking["pnr"])
    assert (done["refunds"][0]["status"], done["payments"][0]["refunded"]) == ("succeeded", total)
    charged = minor(total)
    assert await at_the_processor(sandbox, sql, booking["pnr"]) == [
        ("charged", charged),
        ("refunded", charged),
    ]


async def test_a_sale_of_today_is_voided(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Whatever the fare says, until the midnight that was agreed; the tickets never were."""
    booking = await bought(traveller, fleet, sql, brand="Light")
    await agree(sql, booking["pnr"], "void_until", minutes=2)

    quote, after = await cancelled(traveller, booking["pnr"])

    assert (quote["reason"], quote["refund"]) == ("void", booking["price"]["total"])
    assert (
        quote["expires_at"]
        == (await read(traveller, booking["pnr"]))["cancellation"]["void_until"][:19] + "Z"
    )
    assert coupons(after) == "V"


async def test_a_day_of_free_cancellation_is_agreed_at_purchase(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """By the rules of the United States, a week ahead; it ends when it was said to end."""
    flight = await fleet.flight(origin="JFK", destination="ORD")
    booking = await bought(traveller, fleet, sql, flight, brand="Light")
    assert booking["cancellation"]["free_rule"] == "us-24-hours"
    free = await quoted(traveller, booking["pnr"])
    await agree(sql, booking["pnr"], "free_until", minutes=-1)
    late = await quoted(traveller, booking["pnr"])

    assert (free["reason"], free["refund"]) == ("free_cancellation", booking["price"]["total"])
    assert (late["reason"], late["refund"] == booking["price"]["total"]) == ("fare_rules", False)


async def test_money_without_decimals_adds_up_too(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Yen have no smaller unit."""
    booking = await bought(traveller, fleet, sql, brand="Standard", currency="JPY")
    total = minor(booking["price"]["total"])

    quote, _ = await cancelled(traveller, booking["pnr"])
    await settled()

    assert "." not in quote["refund"]["amount"]
    adds_up(quote, total)
    assert (await at_the_processor(sandbox, sql, booking["pnr"]))[1] == ("refunded", minor(quote["refund"]))


async def test_a_booking_is_cancelled_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Under one key the same answer again; otherwise a refusal. One refund."""
    booking = await bought(traveller, fleet, sql)
    quote = await quoted(traveller, booking["pnr"])
    path = f"/bookings/{booking['pnr']}/cancellations/{quote['id']}/confirm"

    first, again = [await traveller.post(path, headers={"Idempotency-Key": "cancel"}) for _ in range(2)]
    other = await confirm(traveller, booking["pnr"], quote)
    anew = await traveller.post(f"/bookings/{booking['pnr']}/cancellations")
    await settled()

    assert (first.status, again.raw) == (200, first.raw)
    assert (other.status, other.code) == (anew.status, anew.code) == (409, "booking_closed")
    assert len(await at_the_processor(sandbox, sql, booking["pnr"])) == 2


@pytest.mark.parametrize("quote_id", ["cnl_00000000000000000000000000000000", "nonsense"])
async def test_a_quote_that_is_not_there_is_not_found(
    traveller: Client, fleet: Fleet, sql: Any, quote_id: str
) -> None:
    """Nor is another booking's."""
    pnr = (await held(traveller, fleet))["pnr"]

    answer = await confirm(traveller, pnr, {"id": quote_id})

    assert (answer.status, answer.code) == (404, "quote_not_found")


async def test_only_the_newest_quote_of_what_is_so_still_can_be_confirmed(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """A newer one, or a booking that has changed since, takes its place; and it runs out."""
    flight = await fleet.flight()
    booking = await bought(traveller, fleet, sql, flight, people=[somebody(), somebody()])
    pnr, bag = (
        booking["pnr"],
        {"bags": [{"passenger": 0, "slice": 0}], "payment": {"payment_method": "pm_card_visa"}},
    )
    older, newer = [await quoted(traveller, pnr) for _ in range(2)]
    superseded = await confirm(traveller, pnr, older)
    await traveller.post(f"/bookings/{pnr}/extras", bag)
    changed = await confirm(traveller, pnr, newer)
    newest = await quoted(traveller, pnr)
    await sql("UPDATE cancellation_quotes SET expires_at = now() WHERE confirmed_at IS NULL")
    expired = await confirm(traveller, pnr, newest)

    assert (superseded.status, superseded.code) == (changed.status, changed.code) == (409, "quote_superseded")
    assert (expired.status, expired.code) == (409, "quote_expired")
    assert (await read(traveller, pnr))["status"] == "confirmed"
    assert (await fleet.counts(flight))["sold"] == 2


async def test_it_is_the_travellers_own_to_cancel(traveller: Client, api: Client, fleet: Fleet) -> None:
    """Others do not find it, and nobody in particular is asked who they are."""
    pnr = (await held(traveller, fleet))["pnr"]
    quote = await quoted(traveller, pnr)
    stranger = await api.signed_up()

    for path in (f"/bookings/{pnr}/cancellations", f"/bookings/{pnr}/cancellations/{quote['id']}/confirm"):
        theirs, nobodys = await stranger.post(path), await api.post(path)
        assert (theirs.status, theirs.code, nobodys.status) == (404, "booking_not_found", 401)


async def test_what_has_left_cannot_be_cancelled(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Nor what was never in the booking."""
    flight = await fleet.flight()
    booking = await bought(traveller, fleet, sql, flight)
    unknown = await traveller.post(f"/bookings/{booking['pnr']}/cancellations", {"slices": [7]})
    await leaves(sql, flight, -60)
    late = await traveller.post(f"/bookings/{booking['pnr']}/cancellations")

    assert (late.status, late.code) == (unknown.status, unknown.code) == (422, "nothing_to_cancel")
    assert unknown.body["errors"][0]["pointer"] == "/slices/0"
    assert (await read(traveller, booking["pnr"]))["available_actions"] == []
