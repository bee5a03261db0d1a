"""The airline changes a flight: what the traveller may answer, until when, and what each answer does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.bookings.airline import Paid
from tests.bookings.changed import applied
from tests.bookings.paid import PAYMENT, cancelled, coupons, events, offer, quoted, settled, somebody
from tests.payments.support import at_the_processor, balances, minor
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


@pytest.fixture
async def paid(traveller: Client, fleet: Fleet, sql: Any) -> Paid:
    await applied()  # What other tests have left behind.
    return Paid(traveller, fleet, sql)


async def test_twenty_minutes_are_told_and_nothing_is_asked(paid: Paid) -> None:
    """The flight flies, a little later."""
    await paid.buys()

    assert await paid.is_moved(20) == {}

    booking = await paid.read()
    assert [change["materiality"] for change in booking["schedule_changes"]] == ["notable"]
    assert (booking["status"], coupons(booking)) == ("confirmed", "O")


async def test_ninety_minutes_can_be_accepted(paid: Paid, sql: Any) -> None:
    """Or another flight be chosen; it is answered once, and before departure."""
    await paid.buys()

    change = await paid.is_moved(90)

    assert (change["materiality"], change["status"]) == ("material", "open")
    assert change["options"] == ["accept", "rebook"]
    assert datetime.now(UTC) < datetime.fromisoformat(change["deadline"])
    assert datetime.fromisoformat(change["deadline"]) < datetime.fromisoformat(change["after"]["departs_at"])
    actions = (await paid.read())["available_actions"]
    assert [action for action in actions if "airline" in action] == [
        "airline_change.accept",
        "airline_change.rebook",
    ]
    refused = await paid.answers("refund", change)
    answer = await paid.answers("accept", change)
    again = await paid.answers("accept", change)
    assert (refused.status, refused.code) == (409, "option_not_offered")
    assert (answer.status, answer.body["airline_changes"][0]["status"]) == (200, "accepted")
    assert (again.status, again.code) == (404, "airline_change_not_found")
    assert not any("airline" in action for action in answer.body["available_actions"])
    assert coupons(answer.body) == "O"
    told = (await events(sql, paid.pnr))[-2:]
    assert [event["data"]["reason"] for event in told] == ["schedule_change", "airline_change_accepted"]
    assert told[0]["data"]["options"] == change["options"]


async def test_for_seven_hours_all_the_money_goes_back(paid: Paid, sandbox: Sandbox, sql: Any) -> None:
    """Whatever the fare says, bags included; the books are even."""
    await paid.buys(await paid.fleet.flight(60), brand="Light")
    bag = {"bags": [{"passenger": 0, "slice": 0}]}
    assert (await paid.traveller.post(f"/bookings/{paid.pnr}/extras", bag | PAYMENT)).status == 200

    change = await paid.is_moved(7 * 60)
    answer = await paid.answers("refund", change)
    await settled()

    assert change["options"] == ["accept", "rebook", "refund"]
    assert {row["rule"] for row in change["passenger_rights"] if row["right"] == "reimbursement"} >= {
        "eu261-delay-5-hours"
    }
    assert (answer.status, answer.body["status"], coupons(answer.body)) == (200, "cancelled", "R")
    assert answer.body["airline_changes"][0]["status"] == "refunded"
    assert {refund["reason"] for refund in answer.body["refunds"]} == {"airline_change"}
    done = await at_the_processor(sandbox, sql, paid.pnr)
    charged, refunded = ([amount for what, amount in done if what == how] for how in ("charged", "refunded"))
    assert sorted(charged) == sorted(refunded)
    books = await balances(sql, paid.pnr)
    assert books.pop("processor") == -books.pop("processor_fees")
    assert books == {}
    assert (await paid.fleet.counts(paid.flight))["sold"] == 0


async def test_who_cancels_what_the_airline_cancelled_loses_nothing(paid: Paid) -> None:
    """It is the same money by whichever door; each of two passengers has it for themselves."""
    await paid.buys(brand="Light", people=[somebody(), somebody()])
    before = await quoted(paid.traveller, paid.pnr)
    await paid.is_cancelled()

    quote, after = await cancelled(paid.traveller, paid.pnr, passengers=[1])
    rest, ended = await cancelled(paid.traveller, paid.pnr)

    assert (before["reason"], quote["reason"], rest["reason"]) == ("fare_rules", *["airline_change"] * 2)
    assert (minor(quote["penalty"]), after["airline_changes"][0]["status"]) == (0, "open")
    assert (minor(rest["penalty"]), ended["airline_changes"][0]["status"]) == (0, "refunded")
    total = minor(paid.paid["price"]["total"])
    assert (ended["status"], minor(quote["refund"]) + minor(rest["refund"])) == ("cancelled", total)


async def test_who_was_cancelled_flies_something_else_for_nothing(
    paid: Paid, sandbox: Sandbox, sql: Any
) -> None:
    """However much dearer: a new ticket, the same price; the seat of the old flight is paid back."""
    flight = await paid.fleet.flight(60)
    other = await paid.fleet.flight(day=flight.day)
    await paid.buys(flight, brand="Standard")
    flight_id = paid.paid["slices"][0]["segments"][0]["flight_id"]
    seat = {"seats": [{"passenger": 0, "flight_id": flight_id, "seat": "4A"}]}
    chosen = await paid.traveller.post(f"/bookings/{paid.pnr}/extras", seat | PAYMENT)
    assert chosen.status == 200, chosen.body
    dear = await offer(paid.traveller, paid.fleet, other, people=[somebody()])

    change = await paid.is_cancelled()
    before = await paid.read()
    answer = await paid.answers("rebook", change, {"offer_id": dear["id"]})
    await settled()

    assert (change["options"], change["after"]) == (["rebook", "refund"], {"status": "cancelled"})
    assert (coupons(before), "check_in" in before["available_actions"]) == ("I", False)
    assert answer.status == 200, answer.body
    after = answer.body
    assert (
        minor(dear["price"]["total"]) > minor(paid.paid["price"]["total"]) == minor(after["price"]["total"])
    )
    assert (coupons(after), after["airline_changes"][0]["status"]) == ("EO", "rebooked")
    assert after["slices"][0]["segments"][0]["flight_number"] == other.number
    assert [refund["amount"] for refund in after["refunds"]] == [chosen.body["extras"][0]["amount"]]
    assert [(await paid.fleet.counts(one))["sold"] for one in (paid.flight, other)] == [0, 1]
    assert after["cancellation"] == paid.paid["cancellation"]


async def test_the_free_way_is_the_same_way_within_three_days(paid: Paid, fleet: Fleet) -> None:
    """Not somewhere else, not a week later."""
    there = {"origin": "TRD", "destination": "BOO"}
    await paid.buys(await fleet.flight(**there))
    elsewhere = await fleet.flight(origin="TRD", destination="SVG", day=paid.flight.day)
    later = await fleet.flight(**there, day=paid.flight.day + timedelta(days=4))
    found = [await offer(paid.traveller, fleet, flight, people=[somebody()]) for flight in (elsewhere, later)]
    change = await paid.is_cancelled()

    for one in found:
        answer = await paid.answers("rebook", change, {"offer_id": one["id"]})
        assert (answer.status, answer.code) == (409, "change_not_allowed")


async def test_where_a_flight_goes_elsewhere_the_way_is_the_one_that_was_booked(
    paid: Paid, fleet: Fleet
) -> None:
    """Who wanted to Bergen is flown to Bergen."""
    flight = await fleet.flight()
    other = await fleet.flight(day=flight.day)
    await paid.buys(flight)
    found = await offer(paid.traveller, fleet, other, people=[somebody()])
    await paid.moves(0, destination="SVG")
    await applied()

    change = await paid.asked()
    answer = await paid.answers("rebook", change, {"offer_id": found["id"]})

    assert change["options"] == ["accept", "rebook", "refund"]
    assert (answer.status, answer.body["slices"][0]["destination"]) == (200, "BGO")


async def test_a_flight_that_flies_after_all_needs_no_answer(paid: Paid) -> None:
    """The ticket is good again."""
    await paid.buys()
    cancelled = await paid.is_cancelled()

    change = await paid.is_cancelled("scheduled")

    assert (change["id"], change["status"]) == (cancelled["id"], "superseded")
    assert coupons(await paid.read()) == "O"
    late = await paid.answers("refund", change)
    assert (late.status, late.code) == (404, "airline_change_not_found")


async def test_a_newer_change_takes_the_place_of_an_open_one(paid: Paid) -> None:
    """Only one can be answered."""
    await paid.buys()
    first = await paid.is_moved(90)
    second = await paid.is_moved(7 * 60)

    changes = (await paid.read())["airline_changes"]
    assert [(change["id"], change["status"]) for change in changes] == [
        (first["id"], "superseded"),
        (second["id"], "open"),
    ]
    assert (await paid.answers("accept", first)).code == "airline_change_not_found"
    assert (await paid.answers("accept", second)).status == 200


async def test_silence_keeps_a_flight_that_flies(paid: Paid) -> None:
    """And gives the money back for one that does not."""
    await paid.buys()
    kept = await paid.says_nothing(await paid.is_moved(90))
    assert (kept["status"], kept["airline_changes"][0]["status"]) == ("confirmed", "accepted")

    gone = await paid.says_nothing(await paid.is_cancelled())

    assert (gone["status"], gone["airline_changes"][-1]["status"]) == ("cancelled", "refunded")
    assert [refund["amount"] for refund in gone["refunds"]] == [paid.paid["price"]["total"]]


async def test_it_is_the_travellers_own_to_answer(paid: Paid, api: Client) -> None:
    """Others do not find it, and nobody in particular is asked who they are."""
    await paid.buys()
    change = await paid.is_moved(90)
    stranger = await api.signed_up()

    unknown = await paid.answers("accept", {"id": "aic_nonsense"})
    assert (unknown.status, unknown.code) == (404, "airline_change_not_found")
    for how, body in (("accept", None), ("refund", None), ("rebook", {"offer_id": "off_x"})):
        path = f"/bookings/{paid.pnr}/airline-changes/{change['id']}/{how}"
        theirs, nobodys = await stranger.post(path, body), await api.post(path, body)
        assert (theirs.status, theirs.code, nobodys.status) == (404, "booking_not_found", 401)
