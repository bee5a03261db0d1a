"""Cancelling some of the passengers, some of the slices, or both: the rest flies, at what the rest costs."""

from typing import Any

from tests.bookings.paid import (
    PAYMENT,
    agree,
    bought,
    cancelled,
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


async def test_one_of_two_passengers_leaves(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Half the money goes back, one seat is free, and the booking goes on for the other."""
    flight = await fleet.flight()
    booking = await bought(traveller, fleet, sql, flight, people=[somebody(), somebody()])
    total = minor(booking["price"]["total"])

    quote, after = await cancelled(traveller, booking["pnr"], passengers=[1])
    await settled()

    assert (minor(quote["refund"]), quote["passengers"]) == (total // 2, [1])
    assert after["status"] == "confirmed"
    assert minor(after["price"]["total"]) == total // 2
    assert [person["status"] for person in after["passengers"]] == ["active", "cancelled"]
    assert (coupons(after, 0), coupons(after, 1)) == ("O", "R")
    assert await fleet.counts(flight) == {"capacity": 10, "held": 0, "sold": 1, "claimed": 1}
    assert await at_the_processor(sandbox, sql, booking["pnr"]) == [
        ("charged", total),
        ("refunded", total // 2),
    ]
    [*_, told, refunded] = await events(sql, booking["pnr"])
    assert (told["type"], told["data"]["reason"]) == ("booking.changed", "partly_cancelled")
    assert refunded["type"] == "payment.refunded"


async def test_an_infant_leaves_with_its_adult(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Though nobody named it; a child does not stay without one."""
    flight = await fleet.flight()
    people = [somebody(), somebody(), somebody("child"), somebody("infant", infant_of=1)]
    booking = await bought(traveller, fleet, sql, flight, people=people)
    pnr = booking["pnr"]

    alone = await traveller.post(f"/bookings/{pnr}/cancellations", {"passengers": [0, 1]})
    quote, after = await cancelled(traveller, pnr, passengers=[1])

    assert (alone.status, alone.code) == (422, "nothing_to_cancel")
    assert alone.body["errors"][0]["code"] == "child_left_alone"
    assert quote["passengers"] == [1, 3]
    assert [person["status"] for person in after["passengers"]] == [
        "active",
        "cancelled",
        "active",
        "cancelled",
    ]
    assert (await fleet.counts(flight))["sold"] == 2


async def test_the_way_back_is_given_up(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """What is left is worth what was not given back; in the end all of it was."""
    there, back = await fleet.round_trip()
    booking = await bought(traveller, fleet, sql, there, back)
    pnr, total = booking["pnr"], minor(booking["price"]["total"])

    quote, after = await cancelled(traveller, pnr, slices=[1])

    assert [one["index"] for one in after["slices"]] == [0]
    assert minor(after["price"]["total"]) == total - minor(quote["refund"])
    assert coupons(after) == "OR"
    assert ((await fleet.counts(there))["sold"], (await fleet.counts(back))["sold"]) == (1, 0)
    again = await traveller.post(f"/bookings/{pnr}/cancellations", {"slices": [1]})
    assert (again.status, again.code) == (422, "nothing_to_cancel")

    rest, ended = await cancelled(traveller, pnr)
    await settled()

    assert minor(quote["refund"]) + minor(rest["refund"]) == total
    assert (ended["status"], coupons(ended)) == ("cancelled", "RR")
    books = await balances(sql, pnr)
    assert books.pop("processor") == -books.pop("processor_fees")
    assert books == {}


async def test_one_passenger_gives_up_one_slice(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """They still fly there, the other flies both ways; a bag for the way back is sold to that one alone."""
    there, back = await fleet.round_trip()
    booking = await bought(traveller, fleet, sql, there, back, people=[somebody(), somebody()])
    pnr = booking["pnr"]

    _, after = await cancelled(traveller, pnr, passengers=[1], slices=[1])

    assert [person["status"] for person in after["passengers"]] == ["active", "active"]
    assert (coupons(after, 0), coupons(after, 1)) == ("OO", "OR")
    assert ((await fleet.counts(there))["sold"], (await fleet.counts(back))["sold"]) == (2, 1)
    bag = await traveller.post(f"/bookings/{pnr}/extras", {"bags": [{"passenger": 1, "slice": 1}], **PAYMENT})
    flight = after["slices"][1]["segments"][0]["flight_id"]
    seat = await traveller.post(
        f"/bookings/{pnr}/extras", {"seats": [{"passenger": 1, "flight_id": flight, "seat": "5A"}], **PAYMENT}
    )
    assert (bag.status, bag.code, seat.status, seat.code) == (422, "not_in_booking") * 2


async def test_refunds_go_against_the_latest_payments_first(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """What came in three payments goes back in three; each no more than it brought."""
    flight = await fleet.flight(60)
    booking = await bought(traveller, fleet, sql, flight)
    pnr = booking["pnr"]
    for kind in range(2):
        bags = [{"passenger": 0, "slice": 0, "quantity": 1 + kind}]
        answer = await traveller.post(f"/bookings/{pnr}/extras", {"bags": bags, **PAYMENT})
        assert answer.status == 200, answer.body
    await agree(sql, pnr, "free_until", minutes=60)

    quote, after = await cancelled(traveller, pnr)
    await settled()

    charged = [minor(payment["amount"]) for payment in after["payments"]]
    assert len(charged) == 3
    assert minor(quote["refund"]) == sum(charged)
    assert {line["kind"] for line in quote["lines"]} == {"fare", "tax", "bag"}
    assert [minor(refund["amount"]) for refund in after["refunds"]] == charged[::-1]
    done = await at_the_processor(sandbox, sql, pnr)
    assert sorted(amount for what, amount in done if what == "refunded") == sorted(charged)
    assert (await read(traveller, pnr))["extras"] == []


async def test_seats_and_bags_are_kept_by_the_fares_rules(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """They are lines of the quote, given back as penalty; the seat is free again."""
    flight = await fleet.flight(60)
    booking = await bought(traveller, fleet, sql, flight)
    pnr, flight_id = booking["pnr"], booking["slices"][0]["segments"][0]["flight_id"]
    chosen = {
        "seats": [{"passenger": 0, "flight_id": flight_id, "seat": "4A"}],
        "bags": [{"passenger": 0, "slice": 0}],
    }
    assert (await traveller.post(f"/bookings/{pnr}/extras", chosen | PAYMENT)).status == 200

    quote = await quoted(traveller, pnr)

    kept = {line["kind"]: minor(line["penalty"]) for line in quote["lines"] if minor(line["penalty"])}
    assert kept.keys() == {"seat", "bag"}
    assert quote["refund"] == booking["price"]["total"]
    await cancelled(traveller, pnr)
    other = await bought(traveller, fleet, sql, flight)
    mine = await traveller.post(f"/bookings/{other['pnr']}/extras", {"seats": chosen["seats"], **PAYMENT})
    assert mine.status == 200, mine.body
