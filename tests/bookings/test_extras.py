"""Seats and bags: in a hold, after payment, for nothing, and what is refused."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.bookings.paid import VISA, bought, cancelled, events, held, leaves, read, somebody
from tests.payments.support import at_the_processor, balances, minor
from tests.support.client import Answer, Client, Sandbox
from tests.support.fleet import Fleet

Row = dict[str, Any]


def flight_id(booking: Row) -> str:
    found: str = booking["slices"][0]["segments"][0]["flight_id"]
    return found


def seat(booking: Row, designator: str, passenger: int = 0) -> Row:
    return {"passenger": passenger, "flight_id": flight_id(booking), "seat": designator}


async def order(
    traveller: Client, booking: Row, *seats: Row, method: str | None = None, **more: Any
) -> Answer:
    body = {"seats": list(seats), **more}
    if method:
        body["payment"] = {"payment_method": method}
    return await traveller.post(f"/bookings/{booking['pnr']}/extras", body)


async def test_in_a_hold_they_are_paid_for_with_the_booking(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """What is due grows; one charge of both; the books tell them apart."""
    hold = await held(traveller, fleet, await fleet.flight(60), brand="Light")

    chosen = await order(
        traveller, hold, seat(hold, "4A"), bags=[{"passenger": 0, "slice": 0, "quantity": 2}]
    )
    paid = await traveller.post(f"/bookings/{hold['pnr']}/payments", VISA)

    assert chosen.status == 200, chosen.body
    extras = sum(minor(extra["amount"]) for extra in chosen.body["extras"])
    due = minor(chosen.body["amount_due"])
    assert due == minor(hold["price"]["total"]) + extras > minor(hold["amount_due"])
    assert {extra["status"] for extra in chosen.body["extras"]} == {"pending"}
    assert (paid.status, minor(paid.body["amount"])) == (201, due)
    after = await read(traveller, hold["pnr"])
    assert {extra["status"] for extra in after["extras"]} == {"paid"}
    assert minor(after["amount_due"]) == 0
    assert after["passengers"][0]["seats"] == [{"flight_id": flight_id(hold), "seat": "4A"}]
    assert await at_the_processor(sandbox, sql, hold["pnr"]) == [("charged", due)]
    assert (await balances(sql, hold["pnr"]))["extras"] == -extras


async def test_a_seat_that_is_changed_in_a_hold_is_ordered_once(traveller: Client, fleet: Fleet) -> None:
    """The first one is free again, and nothing is due for it."""
    hold = await held(traveller, fleet, await fleet.flight(60), brand="Light")
    await order(traveller, hold, seat(hold, "4A"))

    answer = await order(traveller, hold, seat(hold, "9C"))

    assert [extra["seat"] for extra in answer.body["extras"]] == ["9C"]
    extra = minor(answer.body["extras"][0]["amount"])
    assert minor(answer.body["amount_due"]) == minor(hold["price"]["total"]) + extra


async def test_after_payment_what_costs_something_needs_a_payment(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Without one nothing is taken; declined, the seat is free again; paid for, it is theirs."""
    flight = await fleet.flight(60)
    mine, other = [await bought(traveller, fleet, sql, flight, brand="Light") for _ in range(2)]

    without = await order(traveller, mine, seat(mine, "4A"))
    declined = await order(traveller, mine, seat(mine, "4A"), method="pm_card_chargeDeclined")
    untouched = await read(traveller, mine["pnr"])
    theirs = await order(traveller, other, seat(other, "4A"), method="pm_card_visa")
    late = await order(traveller, mine, seat(mine, "4A"), method="pm_card_visa")

    assert (without.status, without.code) == (422, "payment_required")
    assert (declined.status, declined.code) == (402, "payment_declined")
    assert (untouched["extras"], untouched["passengers"][0]["seats"]) == ([], [])
    assert (theirs.status, theirs.body["extras"][0]["status"]) == (200, "paid")
    assert without.body["due"] == theirs.body["extras"][0]["amount"]
    assert theirs.body["price"] == other["price"]
    assert (late.status, late.code, late.body["seats"]) == (409, "seat_taken", ["4A"])
    assert [event["data"].get("reason") for event in await events(sql, other["pnr"])][-1] == "extras"


async def test_what_costs_nothing_is_theirs_at_once(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Standard seats of a brand that includes them; a payment for nothing is refused."""
    booking = await bought(traveller, fleet, sql, await fleet.flight(60))

    pointless = await order(traveller, booking, seat(booking, "9C"), method="pm_card_visa")
    answer = await order(traveller, booking, seat(booking, "9C"))

    assert (pointless.status, pointless.code) == (409, "booking_closed")
    assert pointless.body["errors"][0]["code"] == "nothing_due"
    assert [
        (extra["seat"], extra["status"], extra["amount"]["amount"]) for extra in answer.body["extras"]
    ] == [("9C", "paid", "0.00")]


async def test_who_paid_for_a_seat_moves_to_another_that_costs_no_more(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """For nothing; to a dearer one they do not."""
    booking = await bought(traveller, fleet, sql, await fleet.flight(60), brand="Light")
    await order(traveller, booking, seat(booking, "9A"), method="pm_card_visa")
    paid = await read(traveller, booking["pnr"])

    moved = await order(traveller, booking, seat(booking, "9C"))
    dearer = await order(traveller, booking, seat(booking, "4A"), method="pm_card_visa")

    assert moved.status == 200, moved.body
    assert [(extra["seat"], extra["amount"]) for extra in moved.body["extras"]] == [
        ("9C", paid["extras"][0]["amount"])
    ]
    assert (dearer.status, dearer.code) == (422, "seat_not_allowed")
    assert (await read(traveller, booking["pnr"]))["passengers"][0]["seats"][0]["seat"] == "9C"


async def test_four_who_want_one_seat_at_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """One sits there and has paid for it; the others have paid nothing for it."""
    flight = await fleet.flight(60)
    bookings = [await bought(traveller, fleet, sql, flight, brand="Light") for _ in range(4)]

    answers = await asyncio.gather(
        *(order(traveller, one, seat(one, "4A"), method="pm_card_visa") for one in bookings)
    )

    assert Counter((answer.status, answer.code) for answer in answers) == {
        (200, None): 1,
        (409, "seat_taken"): 3,
    }
    done = [await at_the_processor(sandbox, sql, one["pnr"]) for one in bookings]
    assert sorted(len(one) for one in done) == [1] * 3 + [2]


async def test_exit_rows_and_infants(traveller: Client, fleet: Fleet) -> None:
    """Exits are for adults who could open them; an infant has no seat, and no child sits at an exit."""
    people = [somebody(), somebody(), somebody("child"), somebody("infant", infant_of=1)]
    hold = await held(traveller, fleet, await fleet.flight(160), people=people)
    maps = (
        await traveller.get(
            f"/offers/{(await fleet.offer(traveller, await fleet.flight(160)))['id']}/seat-maps"
        )
    ).body
    exits = _exits(maps)

    allowed = await order(traveller, hold, seat(hold, exits[0], 0))
    refused = [await order(traveller, hold, seat(hold, exits[1], position)) for position in (1, 2, 3)]
    infant = await order(traveller, hold, seat(hold, "20A", 3))

    assert allowed.status == 200, allowed.body
    assert {(answer.status, answer.code) for answer in [*refused, infant]} == {(422, "seat_not_allowed")}


def _exits(maps: Row) -> list[str]:
    """The seats that are not for everybody."""

    def found(node: Any) -> list[str]:
        if isinstance(node, dict):
            if "adults_only" in (node.get("restrictions") or []):
                return [node["seat"] if "seat" in node else node["designator"]]
            return [one for value in node.values() for one in found(value)]
        return [one for value in node for one in found(value)] if isinstance(node, list) else []

    return found(maps)


async def test_who_needs_assistance_pays_for_no_seat_and_sits_at_no_exit(
    traveller: Client, fleet: Fleet
) -> None:
    """A wheelchair is assistance; a meal is none."""
    people = [somebody(services=[{"code": "WCHR"}]), somebody(services=[{"code": "VGML"}])]
    hold = await held(traveller, fleet, await fleet.flight(160), brand="Light", people=people)
    maps = (
        await traveller.get(
            f"/offers/{(await fleet.offer(traveller, await fleet.flight(160)))['id']}/seat-maps"
        )
    ).body

    answer = await order(traveller, hold, seat(hold, "20A"), seat(hold, "20B", 1))
    exit_ = await order(traveller, hold, seat(hold, _exits(maps)[0]))

    assert answer.status == 200, answer.body
    free, priced = answer.body["extras"]
    assert (minor(free["amount"]), minor(priced["amount"]) > 0) == (0, True)
    assert (exit_.status, exit_.code) == (422, "seat_not_allowed")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"bags": [{"passenger": 0, "slice": 0, "quantity": 6}]}, 422, "bag_not_allowed"),
        ({"bags": [{"passenger": 0, "slice": 4}]}, 422, "not_in_booking"),
        ({"bags": [{"passenger": 5, "slice": 0}]}, 422, "not_in_booking"),
        ({"seats": [{"passenger": 0, "flight_id": "7Q1-20270101-TOS", "seat": "4A"}]}, 422, "not_in_booking"),
    ],
)
async def test_what_cannot_be_added(
    traveller: Client, fleet: Fleet, body: Row, status: int, code: str
) -> None:
    hold = await held(traveller, fleet, await fleet.flight(60))

    answer = await traveller.post(f"/bookings/{hold['pnr']}/extras", body)

    assert (answer.status, answer.code) == (status, code)


async def test_bags_are_counted_over_all_orders(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Each piece costs what its number costs; with those of the fare five fly."""
    booking = await bought(traveller, fleet, sql, await fleet.flight(60), brand="Standard")
    one = [{"passenger": 0, "slice": 0}]

    first, second, third, fourth = [
        await order(traveller, booking, method="pm_card_visa", bags=one) for _ in range(4)
    ]
    fifth = await order(traveller, booking, method="pm_card_visa", bags=one)

    assert [answer.status for answer in (first, second, third, fourth)] == [200] * 4
    amounts = [minor(extra["amount"]) for extra in fourth.body["extras"]]
    assert amounts == sorted(set(amounts))
    assert (fifth.status, fifth.code) == (422, "bag_not_allowed")


async def test_nothing_is_added_to_what_is_over(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Cancelled, run out, or flown."""
    flight = await fleet.flight(60)
    over, left = await bought(traveller, fleet, sql), await bought(traveller, fleet, sql, flight)
    late = await held(traveller, fleet)
    await cancelled(traveller, over["pnr"])
    await fleet.run_out(late["pnr"])
    await leaves(sql, flight, -5)
    bag = {"bags": [{"passenger": 0, "slice": 0}]}

    closed, expired, flown = [await order(traveller, one, **bag) for one in (over, late, left)]
    seated = await order(traveller, left, seat(left, "4A"))
    unknown = await order(traveller, await held(traveller, fleet, await fleet.flight(60)), seat(left, "99A"))

    assert (closed.status, closed.code) == (409, "booking_closed")
    assert (expired.status, expired.code) == (409, "hold_expired")
    assert (flown.code, seated.code, unknown.code) == ("not_in_booking",) * 3


async def test_it_is_the_travellers_own_to_add(traveller: Client, api: Client, fleet: Fleet) -> None:
    """Others do not find it, and nobody in particular is asked who they are; a seat that is not there is not found."""
    hold = await held(traveller, fleet, await fleet.flight(60))
    stranger = await api.signed_up()

    theirs, nobodys = await order(stranger, hold), await order(api, hold)
    missing = await order(traveller, hold, seat(hold, "99K"))

    assert (theirs.status, theirs.code, nobodys.status) == (404, "booking_not_found", 401)
    assert (missing.status, missing.code) == (422, "seat_not_found")
