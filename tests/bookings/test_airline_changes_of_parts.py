"""The airline changes one flight of several: what becomes of the others."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.tickets import service as tickets
from tests.bookings.airline import Paid
from tests.bookings.changed import applied
from tests.bookings.paid import coupons, read
from tests.payments.support import minor
from tests.support.client import Client, in_days
from tests.support.fleet import Fleet
from tests.tickets.support import do


@pytest.fixture
async def paid(traveller: Client, fleet: Fleet, sql: Any) -> Paid:
    await applied()  # What other tests have left behind.
    return Paid(traveller, fleet, sql)


async def test_without_the_way_there_the_way_back_is_of_no_use(paid: Paid, fleet: Fleet) -> None:
    """Who takes the money takes it for both."""
    await paid.buys(*await fleet.round_trip(), brand="Light")

    answer = await paid.answers("refund", await paid.is_cancelled())

    assert (answer.body["status"], coupons(answer.body)) == ("cancelled", "RR")
    assert [refund["amount"] for refund in answer.body["refunds"]] == [paid.paid["price"]["total"]]


async def test_silence_gives_back_only_what_does_not_fly(paid: Paid, fleet: Fleet) -> None:
    """Somebody may have got there by train."""
    await paid.buys(*await fleet.round_trip())

    booking = await paid.says_nothing(await paid.is_cancelled())

    assert (booking["status"], coupons(booking)) == ("confirmed", "RO")
    back = minor(booking["refunds"][0]["amount"])
    assert minor(booking["price"]["total"]) == minor(paid.paid["price"]["total"]) - back


async def test_without_the_way_back_the_way_there_is_flown(paid: Paid, fleet: Fleet) -> None:
    there, back = await fleet.round_trip()
    await paid.buys(there, back, changed=back)

    answer = await paid.answers("refund", await paid.is_cancelled())

    assert (answer.body["status"], coupons(answer.body)) == ("confirmed", "OR")
    assert [one["index"] for one in answer.body["slices"]] == [0]


async def connecting(paid: Paid, fleet: Fleet, day: int) -> None:
    """By way of Oslo: two hours there, two hours on the ground, on to Bergen."""
    noon = datetime.combine(in_days(day), datetime.min.time()).replace(
        hour=12, tzinfo=ZoneInfo("Europe/Oslo")
    )
    first = await fleet.flight_at(noon, destination="OSL")
    await fleet.flight_at(noon + timedelta(hours=4), origin="OSL")
    first.destination = "BGO"  # As it is searched for.
    await paid.buys(first)
    first.destination = "OSL"
    assert paid.paid["slices"][0]["connections"] == 1


async def test_who_misses_the_connection_cannot_be_asked_to_accept(paid: Paid, fleet: Fleet) -> None:
    """An hour and a half later in Oslo, half an hour is left, too little: it is as if this one did not fly."""
    await connecting(paid, fleet, 55)
    assert await paid.is_moved(30) == {}

    change = await paid.is_moved(90)

    assert change["options"] == ["rebook", "refund"]
    answer = await paid.answers("refund", change)
    assert (answer.body["status"], coupons(answer.body)) == ("cancelled", "RR")


async def test_what_was_begun_is_not_paid_back_by_itself(paid: Paid, fleet: Fleet, sql: Any) -> None:
    """Who has got as far as Oslo is told to ask, rather than given nothing."""
    await connecting(paid, fleet, 56)
    change = await paid.is_moved(150)
    [booked] = await sql("SELECT id FROM bookings WHERE pnr = :pnr", pnr=paid.pnr)
    await do(tickets.check_in, booked["id"], {0}, paid.flight.id)
    await do(tickets.fly, [paid.flight.id])

    answer = await paid.answers("refund", change)

    assert (answer.status, answer.code) == (409, "option_not_offered")
    assert (await paid.asked())["status"] == "open"


async def test_one_flight_that_flies_after_all_does_not_answer_for_the_other(
    paid: Paid, fleet: Fleet, sql: Any, traveller: Client
) -> None:
    """Both were cancelled; the second flies again, the first does not."""
    await connecting(paid, fleet, 57)
    first, booking = paid.flight, await read(traveller, paid.pnr)
    await paid.is_cancelled()
    number = booking["slices"][0]["segments"][1]["flight_number"]
    [row] = await sql("SELECT id FROM flights WHERE carrier || number = :number", number=number)
    second = Paid(traveller, fleet, sql)
    second.pnr = paid.pnr
    second.flight = type(first)(row["id"], number, "OSL", "BGO", first.day)
    second.hour = 16
    await second.is_cancelled()
    await second.is_cancelled("scheduled")

    states = {change["flight_id"]: change["status"] for change in (await paid.read())["airline_changes"]}
    assert (states[paid.id], states[second.id]) == ("open", "superseded")
