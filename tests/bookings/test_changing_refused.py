"""Changes that cannot be made, each with its reason."""

from typing import Any

from tests.bookings.paid import (
    bought,
    cancelled,
    change_quoted,
    confirm_change,
    held,
    leaves,
    offer,
    somebody,
)
from tests.support.client import Client
from tests.support.fleet import Fleet


async def test_the_fare_must_allow_it(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """And the new flights are bought in the same brand: its conditions are what was paid for."""
    light = await bought(traveller, fleet, sql, brand="Light")
    flex = await bought(traveller, fleet, sql)
    new = await fleet.flight()

    not_allowed = await change_quoted(traveller, fleet, light, new)
    other_brand = await change_quoted(traveller, fleet, flex, new, brand="Light")

    assert "change" not in light["available_actions"]
    assert (not_allowed.status, not_allowed.code) == (409, "change_not_allowed")
    assert (other_brand.status, other_brand.code) == (409, "change_not_allowed")
    assert other_brand.body["errors"][0]["pointer"] == "/offer_id"


async def test_what_is_not_paid_for_or_over_cannot_be_changed(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """A hold is let go and another one made."""
    hold = await held(traveller, fleet)
    over = await bought(traveller, fleet, sql)
    await cancelled(traveller, over["pnr"])
    new = await fleet.flight()

    for booking in (hold, over):
        answer = await change_quoted(traveller, fleet, booking, new, people=[somebody()])
        assert (answer.status, answer.code) == (409, "booking_closed")


async def test_what_has_left_cannot_be_changed(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Nor what was never in the booking."""
    flight, new = await fleet.flight(), await fleet.flight()
    booking = await bought(traveller, fleet, sql, flight)
    unknown = await change_quoted(traveller, fleet, booking, new, slices=[4])
    await leaves(sql, flight, -5)
    left = await change_quoted(traveller, fleet, booking, new)

    assert (left.status, left.code) == (unknown.status, unknown.code) == (409, "change_not_allowed")
    assert unknown.body["errors"][0]["pointer"] == "/slices/0"


async def test_flights_do_not_overlap(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Nobody flies there while they fly back."""
    there, back = await fleet.round_trip()
    booking = await bought(traveller, fleet, sql, there, back)
    new = await fleet.flight(origin=there.destination, destination=there.origin, day=there.day)

    answer = await change_quoted(traveller, fleet, booking, new, slices=[1])

    assert (answer.status, answer.code) == (409, "change_not_allowed")


async def test_the_offer_is_for_those_who_travel(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """In their number, their currency and their cabin."""
    booking = await bought(traveller, fleet, sql, people=[somebody(), somebody()])
    new = await fleet.flight()

    fewer = await change_quoted(traveller, fleet, booking, new, people=[somebody()])
    euros = await change_quoted(traveller, fleet, booking, new, currency="EUR")

    assert (fewer.status, fewer.code) == (422, "passengers_mismatch")
    assert (euros.status, euros.code) == (409, "change_not_allowed")


async def test_nobody_is_twice_on_a_flight(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Not by changing there either."""
    somebodys, new = somebody(), await fleet.flight()
    twin = await bought(traveller, fleet, sql, new, people=[somebodys])
    booking = await bought(
        traveller, fleet, sql, await fleet.flight(day=new.day, origin="BOO"), people=[somebodys]
    )

    quote = (await change_quoted(traveller, fleet, booking, new)).body
    answer = await confirm_change(traveller, booking["pnr"], quote, "pm_card_visa")

    assert (answer.status, answer.code, answer.body["pnr"]) == (409, "duplicate_trip", twin["pnr"])


async def test_it_is_the_travellers_own_to_change(
    traveller: Client, api: Client, fleet: Fleet, sql: Any
) -> None:
    """Others do not find it, and nobody in particular is asked who they are."""
    booking, new = await bought(traveller, fleet, sql), await fleet.flight()
    found = await offer(traveller, fleet, new, people=[somebody()])
    stranger = await api.signed_up()
    body = {"slices": [0], "offer_id": found["id"]}

    for path, sent in (
        (f"/bookings/{booking['pnr']}/changes", body),
        (f"/bookings/{booking['pnr']}/changes/x/confirm", None),
    ):
        theirs, nobodys = await stranger.post(path, sent), await api.post(path, sent)
        assert (theirs.status, theirs.code, nobodys.status) == (404, "booking_not_found", 401)
