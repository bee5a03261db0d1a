"""What moves along with a change: bags, special services; and what does not: seats of the old flights."""

from datetime import timedelta
from typing import Any

from tests.bookings.paid import PAYMENT, bought, change_quoted, confirm_change, coupons, somebody
from tests.payments.support import balances, minor
from tests.support.client import Client
from tests.support.fleet import Fleet


async def test_bags_fly_along_and_seats_are_credited(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """What a seat cost goes towards the new flights; somebody else can have it."""
    old = await fleet.flight(60)
    new = await fleet.flight(60, day=old.day)
    before = await bought(traveller, fleet, sql, old)
    pnr, flight_id = before["pnr"], before["slices"][0]["segments"][0]["flight_id"]
    seat = {"seats": [{"passenger": 0, "flight_id": flight_id, "seat": "4A"}]}
    chosen = (
        await traveller.post(
            f"/bookings/{pnr}/extras", seat | {"bags": [{"passenger": 0, "slice": 0}]} | PAYMENT
        )
    ).body
    prices = {extra["kind"]: minor(extra["amount"]) for extra in chosen["extras"]}

    quote = (await change_quoted(traveller, fleet, before, new)).body
    after = (await confirm_change(traveller, pnr, quote)).body

    assert {line["kind"]: minor(line["amount"]) for line in quote["lines"]}["old_seats"] == -prices["seat"]
    assert minor(quote["refund"]) == prices["seat"] > 0
    assert [(extra["kind"], extra["slice"], extra["status"]) for extra in after["extras"]] == [
        ("bag", 1, "paid")
    ]
    assert after["passengers"][0]["seats"] == []
    assert (await balances(sql, pnr))["extras"] == -prices["bag"]
    other = await bought(traveller, fleet, sql, old)
    assert (await traveller.post(f"/bookings/{other['pnr']}/extras", seat | PAYMENT)).status == 200


async def test_special_services_are_asked_for_on_the_new_flights(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """A wheelchair is as needed there."""
    old = await fleet.flight()
    new = await fleet.flight(day=old.day)
    before = await bought(traveller, fleet, sql, old, people=[somebody(services=[{"code": "WCHR"}])])

    quote = (await change_quoted(traveller, fleet, before, new)).body
    after = (await confirm_change(traveller, before["pnr"], quote)).body

    [service] = after["passengers"][0]["services"]
    assert (service["code"], service["segments"]) == (
        "WCHR",
        [after["slices"][0]["segments"][0]["flight_id"]],
    )


async def test_the_other_slice_stays_as_it_is(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Its coupon, its seat, its worth; its index names it on."""
    there, back = await fleet.round_trip()
    before = await bought(traveller, fleet, sql, there, back)
    day = back.day + timedelta(days=1)
    later = await fleet.flight(origin=back.origin, destination=back.destination, day=day)

    quote = (await change_quoted(traveller, fleet, before, later, slices=[1])).body
    method = "pm_card_visa" if minor(quote["amount_due"]) else None
    after = (await confirm_change(traveller, before["pnr"], quote, method)).body

    assert [one["index"] for one in after["slices"]] == [0, 2]
    assert after["slices"][0] == before["slices"][0]
    assert coupons(after) == "OEO"
    assert minor(after["price"]["total"]) == minor(before["price"]["total"]) + minor(quote["fare_difference"])
    assert [(await fleet.counts(one))["sold"] for one in (there, back, later)] == [1, 0, 1]
