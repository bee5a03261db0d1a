"""Checking in over HTTP: when, who with whom, on which seats, and what comes of it afterwards."""

from typing import Any

import pytest

from tests.bookings.paid import (
    bought,
    cancelled,
    change_quoted,
    confirm_change,
    coupons,
    held,
    leaves,
    read,
    somebody,
)
from tests.support.client import Answer, Client
from tests.support.fleet import Fleet

Row = dict[str, Any]
HOUR = 60


async def check_in(traveller: Client, booking: Row, *passengers: int, flight: int = 0) -> Answer:
    flights = [segment["flight_id"] for one in booking["slices"] for segment in one["segments"]]
    body: Row = {"flight_id": flights[flight]} | ({"passengers": list(passengers)} if passengers else {})
    return await traveller.post(f"/bookings/{booking['pnr']}/check-in", body)


def seats(booking: Row) -> list[str | None]:
    return [next((one["seat"] for one in p["seats"]), None) for p in booking["passengers"]]


async def test_a_family_is_checked_in_together(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """No documents are asked for; they sit together, the infant on a lap; each has a number of the flight's."""
    flight = await fleet.flight(60)
    people = [somebody(), somebody("child"), somebody("infant", infant_of=0)]
    family, other = [
        await bought(traveller, fleet, sql, flight, people=one) for one in (people, [somebody()])
    ]
    await leaves(sql, flight, 3 * HOUR)
    assert "check_in" in (await read(traveller, family["pnr"]))["available_actions"]

    answer = await check_in(traveller, family)
    last = await check_in(traveller, other)
    again = await check_in(traveller, family)

    assert answer.status == 200, answer.body
    assert [coupons(answer.body, position) for position in range(3)] == ["C"] * 3
    adult, child, infant = seats(answer.body)
    assert adult
    assert child
    assert (adult[:-1], infant) == (child[:-1], None)
    assert "check_in" not in answer.body["available_actions"]
    assert "cancel" in answer.body["available_actions"]
    numbers = await sql(
        "SELECT check_in_sequence AS number FROM coupons WHERE flight_id = :id ORDER BY 1", id=flight.id
    )
    assert [row["number"] for row in numbers] == [1, 2, 3, 4]
    assert (last.status, again.body) == (200, answer.body)


async def test_an_infant_is_checked_in_with_its_adult(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Whoever was named; the others wait."""
    flight = await fleet.flight(60)
    people = [somebody(), somebody(), somebody("infant", infant_of=1)]
    booking = await bought(traveller, fleet, sql, flight, people=people)
    await leaves(sql, flight, 3 * HOUR)

    answer = await check_in(traveller, booking, 1)

    assert [coupons(answer.body, position) for position in range(3)] == ["O", "C", "C"]
    assert "check_in" in answer.body["available_actions"]


async def test_who_needs_assistance_is_given_no_seat_at_an_exit(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Where only exits are left the desk has to help."""
    flight = await fleet.flight(60)
    booking = await bought(traveller, fleet, sql, flight, people=[somebody(services=[{"code": "WCHC"}])])
    await leaves(sql, flight, 3 * HOUR)
    offered = await fleet.offer(traveller, await fleet.flight(60))
    maps = (await traveller.get(f"/offers/{offered['id']}/seat-maps")).body
    await sql(
        """
        INSERT INTO seat_assignments (flight_id, seat, claim_id, position)
        SELECT :flight_id, x.seat, s.id, 100 + row_number() OVER ()
        FROM unnest(CAST(:seats AS text[])) AS x(seat), seat_claims s WHERE s.flight_id = :flight_id
        """,
        flight_id=flight.id,
        seats=_not_at_exits(maps),
    )

    answer = await check_in(traveller, booking)

    assert (answer.status, answer.code) == (422, "seat_not_allowed")


def _not_at_exits(node: Any) -> list[str]:
    if isinstance(node, dict):
        if "restrictions" in node:
            return [] if "adults_only" in node["restrictions"] else [node.get("seat") or node["designator"]]
        return [one for value in node.values() for one in _not_at_exits(value)]
    return [one for value in node for one in _not_at_exits(value)] if isinstance(node, list) else []


@pytest.mark.parametrize(
    ("minutes", "code"),
    [
        (24 * HOUR + 1, "check_in_not_open"),
        (24 * HOUR - 1, None),
        (HOUR + 1, None),
        (HOUR - 1, "check_in_closed"),
    ],
)
async def test_it_is_open_from_a_day_until_an_hour_before(
    traveller: Client, fleet: Fleet, sql: Any, minutes: int, code: str | None
) -> None:
    """And the actions say so."""
    flight = await fleet.flight()
    booking = await bought(traveller, fleet, sql, flight)
    await leaves(sql, flight, minutes)

    actions = (await read(traveller, booking["pnr"]))["available_actions"]
    answer = await check_in(traveller, booking)

    assert (answer.code, "check_in" in actions) == (code, code is None)


async def test_only_who_has_paid_and_flies_is_checked_in(
    traveller: Client, api: Client, fleet: Fleet, sql: Any
) -> None:
    """Each other case has its refusal."""
    hold = await held(traveller, fleet)
    flight = await fleet.flight()
    booking = await bought(traveller, fleet, sql, flight, people=[somebody(), somebody()])
    await cancelled(traveller, booking["pnr"], passengers=[1])
    await leaves(sql, flight, 3 * HOUR)
    stranger = await api.signed_up()

    unpaid, gone = await check_in(traveller, hold), await check_in(traveller, booking, 1)
    elsewhere = await check_in(traveller, booking | {"slices": hold["slices"]})
    theirs, nobodys = await check_in(stranger, booking), await check_in(api, booking)

    assert (unpaid.status, unpaid.code) == (409, "booking_closed")
    assert (gone.status, gone.code) == (elsewhere.status, elsewhere.code) == (422, "not_in_booking")
    assert (theirs.status, theirs.code, nobodys.status) == (404, "booking_not_found", 401)


async def test_who_cancels_is_off_loaded(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Their seat is free, their coupon refunded; and so is who changes, with a new coupon."""
    flight, new = await fleet.flight(60), await fleet.flight(60)
    one, two = [await bought(traveller, fleet, sql, flight) for _ in range(2)]
    quote = (await change_quoted(traveller, fleet, two, new)).body
    await leaves(sql, flight, 3 * HOUR)
    for booking in (one, two):
        assert (await check_in(traveller, booking)).status == 200

    _, after = await cancelled(traveller, one["pnr"])
    method = "pm_card_visa" if quote["amount_due"]["amount"] != "0.00" else None
    changed = await confirm_change(traveller, two["pnr"], quote, method)

    assert (coupons(after), seats(after)) == ("R", [None])
    assert (changed.status, coupons(changed.body), seats(changed.body)) == (200, "EO", [None])
    taken = await sql(
        "SELECT count(*) AS seats FROM seat_assignments WHERE flight_id = :id AND released_at IS NULL",
        id=flight.id,
    )
    assert taken == [{"seats": 0}]
