"""When the last flight has landed a booking is completed, and what was used is flown."""

from inspect import unwrap
from typing import Any

from app.bookings import tasks
from tests.bookings.airline import Paid
from tests.bookings.changed import applied
from tests.bookings.paid import bought, cancelled, coupons, events, leaves, read, somebody
from tests.support.client import Client
from tests.support.fleet import Fleet

SEVEN_HOURS_AGO, NINE_HOURS_AGO = -7 * 60, -9 * 60


async def completed(sql: Any) -> None:
    """What Beat asks for, once the dates of flights are those of their times again."""
    await sql(
        "UPDATE flights SET departure_date = departs_at::date WHERE departs_at < now() AND source = 'test'"
    )
    await unwrap(tasks.complete_flown)()


async def test_a_trip_that_was_flown_is_completed_once(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Who was checked in has flown; who stayed away keeps a coupon that was never used. Nothing can be done then."""
    there, back = await fleet.round_trip()
    booking = await bought(traveller, fleet, sql, there, back, people=[somebody(), somebody()])
    pnr = booking["pnr"]
    await leaves(sql, there, 120)
    flight_id = booking["slices"][0]["segments"][0]["flight_id"]
    checked_in = await traveller.post(
        f"/bookings/{pnr}/check-in", {"flight_id": flight_id, "passengers": [0]}
    )
    assert checked_in.status == 200, checked_in.body
    await leaves(sql, there, NINE_HOURS_AGO)
    await completed(sql)
    under_way = await read(traveller, pnr)
    await leaves(sql, back, SEVEN_HOURS_AGO)
    await completed(sql)
    await sql("UPDATE flights SET status = 'landed' WHERE id = :id", id=back.id)
    await completed(sql)
    await completed(sql)

    assert (under_way["status"], coupons(under_way)) == ("confirmed", "FO")
    after = await read(traveller, pnr)
    assert (after["status"], after["available_actions"]) == ("completed", [])
    assert (coupons(after, 0), coupons(after, 1)) == ("FO", "OO")
    assert [event["type"] for event in await events(sql, pnr)].count("booking.completed") == 1
    refused = await traveller.post(f"/bookings/{pnr}/cancellations")
    assert (refused.status, refused.code) == (409, "booking_closed")


async def test_what_is_left_after_the_way_there_can_be_given_back(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Only the way back; the booking is then what was flown, and completed."""
    there, back = await fleet.round_trip()
    booking = await bought(traveller, fleet, sql, there, back)
    pnr = booking["pnr"]
    await leaves(sql, there, 120)
    await traveller.post(
        f"/bookings/{pnr}/check-in", {"flight_id": booking["slices"][0]["segments"][0]["flight_id"]}
    )
    await leaves(sql, there, NINE_HOURS_AGO)
    await completed(sql)

    quote, after = await cancelled(traveller, pnr)
    await completed(sql)

    assert (quote["slices"], after["status"], coupons(after)) == ([1], "confirmed", "FR")
    assert (await read(traveller, pnr))["status"] == "completed"


async def test_who_did_not_fly_has_not_completed(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Neither while the airline's change waits for an answer, nor where the flight was cancelled."""
    await applied()
    waiting = await Paid(traveller, fleet, sql).buys()
    await waiting.is_moved(90)
    ended = await bought(traveller, fleet, sql, lost := await fleet.flight())
    await sql("UPDATE flights SET status = 'cancelled' WHERE id = :id", id=lost.id)
    for flight in (waiting.flight, lost):
        await leaves(sql, flight, NINE_HOURS_AGO)

    await completed(sql)

    assert (await waiting.read())["status"] == "confirmed"
    assert (await read(traveller, ended["pnr"]))["status"] == "confirmed"
