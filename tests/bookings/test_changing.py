"""Changing to other flights where nothing is to be paid: equal, cheaper, and what becomes of the difference."""

from typing import Any

from tests.bookings.paid import (
    agree,
    bought,
    change_quoted,
    confirm_change,
    coupons,
    events,
    quoted,
    read,
    settled,
    somebody,
)
from tests.payments.support import at_the_processor, balances, minor
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


async def test_a_flexible_fare_moves_to_an_equal_flight_for_nothing(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The old seat is free, the new one sold; a new ticket takes the old one's place, which says so."""
    old = await fleet.flight()
    new = await fleet.flight(day=old.day)
    before = await bought(traveller, fleet, sql, old)
    pnr = before["pnr"]

    quote = (await change_quoted(traveller, fleet, before, new)).body
    untouched = await read(traveller, pnr)
    answer = await confirm_change(traveller, pnr, quote)

    assert [line["kind"] for line in quote["lines"]] == ["new_flights", "old_flights"]
    assert {quote[name]["amount"] for name in ("amount_due", "refund", "fee", "fare_difference")} == {"0.00"}
    assert untouched == before
    assert answer.status == 200, answer.body
    after = answer.body
    [slice_] = after["slices"]
    assert (slice_["index"], slice_["segments"][0]["flight_number"]) == (1, new.number)
    assert coupons(after) == "EO"
    numbers = [ticket["number"] for ticket in after["passengers"][0]["tickets"]]
    assert numbers == [before["passengers"][0]["ticket_number"], after["passengers"][0]["ticket_number"]]
    [replaced] = await sql("SELECT exchanged_for FROM tickets WHERE number = :number", number=numbers[1])
    assert replaced["exchanged_for"] == numbers[0]
    assert after["price"]["total"] == before["price"]["total"]
    assert await fleet.counts(old) == {"capacity": 10, "held": 0, "sold": 0, "claimed": 0}
    assert await fleet.counts(new) == {"capacity": 10, "held": 0, "sold": 1, "claimed": 1}
    assert (await events(sql, pnr))[-1]["data"]["reason"] == "changed"
    assert len(await at_the_processor(sandbox, sql, pnr)) == 1

    again = await confirm_change(traveller, pnr, quote)
    assert (again.status, again.code) == (409, "booking_closed")


async def test_of_a_refundable_fare_the_rest_goes_back(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """To the cent, against the payment it came by; what is left can be cancelled like any booking."""
    far = await fleet.flight(origin="OSL", destination="JFK")
    near = await fleet.flight()
    before = await bought(traveller, fleet, sql, far)
    pnr, paid = before["pnr"], minor(before["price"]["total"])

    quote = (await change_quoted(traveller, fleet, before, near)).body
    after = (await confirm_change(traveller, pnr, quote)).body
    await settled()

    back = minor(quote["refund"])
    assert minor(after["price"]["total"]) == paid - back > 0
    assert -minor(quote["fare_difference"]) == back == -sum(minor(line["amount"]) for line in quote["lines"])
    assert [(refund["reason"], minor(refund["amount"])) for refund in after["refunds"]] == [("change", back)]
    assert await at_the_processor(sandbox, sql, pnr) == [("charged", paid), ("refunded", back)]
    rest = await quoted(traveller, pnr)
    assert (minor(rest["refund"]), rest["reason"]) == (paid - back, "fare_rules")
    books = await balances(sql, pnr)
    sold = -sum(amount for account, amount in books.items() if account[:5] in ("fares", "taxes"))
    assert (sold, sum(books.values()), books.get("refunds_owed")) == (paid - back, 0, None)


async def test_the_fee_is_for_each_passenger_with_a_seat(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """It is taken from what goes back; an infant on a lap pays none."""
    people = [somebody(), somebody("child"), somebody("infant", infant_of=0)]
    far = await fleet.flight(origin="OSL", destination="JFK")
    before = await bought(traveller, fleet, sql, far, brand="Standard", people=people)
    fee = minor(before["conditions"]["change"]["fee"])

    quote = (await change_quoted(traveller, fleet, before, await fleet.flight())).body
    after = (await confirm_change(traveller, before["pnr"], quote)).body

    assert minor(quote["fee"]) == 2 * fee > 0
    assert minor(quote["refund"]) == -minor(quote["fare_difference"]) - 2 * fee
    assert (await balances(sql, before["pnr"]))["penalties"] == -2 * fee
    assert [coupons(after, position) for position in range(3)] == ["EO"] * 3


async def test_of_a_fare_that_is_not_refundable_nothing_goes_back(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """What the new flights are cheaper is forfeited, and shown as such."""
    far = await fleet.flight(origin="OSL", destination="JFK")
    before = await bought(traveller, fleet, sql, far)
    await sql(
        "UPDATE bookings SET conditions = jsonb_set(conditions, '{refund}', '{\"allowed\": false, \"fee\": null}')"
        " WHERE pnr = :pnr",
        pnr=before["pnr"],
    )

    quote = (await change_quoted(traveller, fleet, before, await fleet.flight())).body
    after = (await confirm_change(traveller, before["pnr"], quote)).body
    await settled()

    forfeited = {line["kind"]: minor(line["amount"]) for line in quote["lines"]}["not_refundable"]
    assert (quote["refund"]["amount"], quote["amount_due"]["amount"]) == ("0.00", "0.00")
    assert forfeited == -minor(quote["fare_difference"]) > 0
    assert (after["refunds"], (await balances(sql, before["pnr"]))["penalties"]) == ([], -forfeited)
    assert len(await at_the_processor(sandbox, sql, before["pnr"])) == 1


async def test_free_cancellation_ends_with_a_change(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """It was agreed for what was bought, and so was the day of sale."""
    old = await fleet.flight()
    before = await bought(traveller, fleet, sql, old, brand="Standard")
    pnr = before["pnr"]
    await agree(sql, pnr, "free_until", minutes=60)
    await agree(sql, pnr, "void_until", minutes=60)
    free = await quoted(traveller, pnr)
    quote = (
        await change_quoted(traveller, fleet, before, await fleet.flight(origin="OSL", destination="JFK"))
    ).body
    paid = await confirm_change(traveller, pnr, quote, "pm_card_visa")

    assert paid.status == 200, paid.body
    assert (free["reason"], (await quoted(traveller, pnr))["reason"]) == ("free_cancellation", "fare_rules")


async def test_only_the_newest_quote_can_be_confirmed_and_only_for_a_while(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Nor one of before a cancellation, nor one that there never was."""
    old = await fleet.flight()
    new = await fleet.flight(day=old.day)
    before = await bought(traveller, fleet, sql, old, people=[somebody(), somebody()])
    pnr = before["pnr"]
    older, newer = [(await change_quoted(traveller, fleet, before, new)).body for _ in range(2)]

    superseded = await confirm_change(traveller, pnr, older)
    unknown = await confirm_change(traveller, pnr, {"id": "chg_nonsense"})
    await sql("UPDATE change_quotes SET expires_at = now() WHERE confirmed_at IS NULL")
    expired = await confirm_change(traveller, pnr, newer)

    assert (superseded.status, superseded.code) == (409, "quote_superseded")
    assert (unknown.status, unknown.code) == (404, "quote_not_found")
    assert (expired.status, expired.code) == (409, "quote_expired")
    assert (await fleet.counts(new)) == {"capacity": 10, "held": 0, "sold": 0, "claimed": 0}
