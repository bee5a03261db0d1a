"""Everybody on a flight has a sequence number of their own, from one, however many check in at once."""

import asyncio
from typing import Any

import pytest

from app.core import db
from app.tickets import repository, service
from app.tickets.errors import CouponNotAllowed
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.tickets.support import Trip, booked, do


async def full_flight(traveller: Client, fleet: Fleet, sql: Any, bookings: int) -> list[Trip]:
    """So many bookings of nine, with their tickets."""
    flight = await fleet.flight(9 * bookings)
    trips = [await booked(traveller, fleet, sql, flight, adults=9) for _ in range(bookings)]
    for trip in trips:
        await trip.issued()
    return trips


async def sequence(trip: Trip, position: int) -> int:
    """Check one passenger in."""
    (coupon,) = await do(service.check_in, trip.id, {position}, trip.flights[0])
    assert (coupon["status"], coupon["position"]) == ("C", position)
    number: int = coupon["check_in_sequence"]
    return number


async def test_a_hundred_who_check_in_at_once_are_counted(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Each asks twice at the same time, and once more afterwards: the number is the same."""
    trips = await full_flight(traveller, fleet, sql, 12)
    everybody = [(trip, position) for trip in trips for position in trip.positions][:100]

    twice = await asyncio.gather(*(sequence(*one) for one in [*everybody, *everybody]))
    again = [await sequence(*one) for one in everybody[:20]]

    assert sorted(twice[:100]) == list(range(1, 101))
    assert twice[:100] == twice[100:]
    assert again == twice[:20]


async def test_a_number_would_be_given_twice_if_it_were_read_and_then_written(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the constraint stands, and somebody is sent away."""
    (trip,) = await full_flight(traveller, fleet, sql, 1)

    async def read_then_write(session: db.Session, flight_id: int, count: int) -> int:
        found = await db.rows(
            session,
            "SELECT coalesce(max(check_in_sequence), 0) AS last FROM coupons WHERE flight_id = :id",
            id=flight_id,
        )
        await asyncio.sleep(0.02)
        return int(found[0]["last"]) + count

    monkeypatch.setattr(repository, "take_sequences", read_then_write)
    found = await asyncio.gather(
        *(sequence(trip, position) for position in trip.positions), return_exceptions=True
    )

    assert any("uq_coupons_sequence_of_flight" in str(one) for one in found)


async def test_a_family_checks_in_together(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """In the order of passengers, the infant too; the flight back counts for itself."""
    trip = await booked(traveller, fleet, sql, *await fleet.round_trip(), adults=2, infants=1)
    await trip.issued()
    there, back = trip.flights

    first = await do(service.check_in, trip.id, {1}, there)
    all_there = await do(service.check_in, trip.id, {0, 1, 2}, there)
    all_back = await do(service.check_in, trip.id, {0, 1, 2}, back)

    assert [coupon["check_in_sequence"] for coupon in first] == [1]
    assert [(one["position"], one["check_in_sequence"]) for one in all_there] == [(0, 2), (1, 1), (2, 3)]
    assert [(one["position"], one["check_in_sequence"]) for one in all_back] == [(0, 1), (1, 2), (2, 3)]
    assert await trip.statuses() == "CCCCCC"


async def test_who_is_off_loaded_keeps_the_number(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """So it is never somebody else's."""
    trip = await booked(traveller, fleet, sql, adults=3)
    await trip.issued()
    await do(service.check_in, trip.id, {0, 1}, trip.flights[0])
    (off,) = await do(service.offload, trip.id, {1}, trip.flights[0])

    assert (off["status"], await sequence(trip, 2), await sequence(trip, 1)) == ("O", 3, 2)


async def test_who_has_left_or_boarded_does_not_check_in(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The refusal says what is in the way, and nobody else of those who ask is checked in either."""
    trip = await booked(traveller, fleet, sql, adults=2)
    numbers = await trip.issued()
    await sequence(trip, 0)
    await do(service.board, trip.id, {0}, trip.flights[0])

    with pytest.raises(CouponNotAllowed) as refused:
        await do(service.check_in, trip.id, {0, 1}, trip.flights[0])
    assert refused.value.members == {
        "coupons": [{"ticket_number": numbers[0][0], "number": 1, "status": "L"}]
    }
    assert await trip.statuses() == "LO"
    assert [coupon["position"] for coupon in await do(service.fly, trip.flights)] == [0]
    with pytest.raises(CouponNotAllowed):
        await sequence(trip, 0)
    assert await trip.statuses() == "FO"


async def test_only_who_has_a_coupon_for_the_flight_checks_in(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Not on another flight, not without a ticket, not on somebody else's booking."""
    trip, other = await booked(traveller, fleet, sql, adults=2), await booked(traveller, fleet, sql)
    await trip.issued(0)
    await other.issued()

    for booking, position, flight in (
        (trip, 0, other.flights[0]),
        (trip, 1, trip.flights[0]),
        (other, 0, trip.flights[0]),
    ):
        with pytest.raises(CouponNotAllowed):
            await do(service.check_in, booking.id, {position}, flight)
    assert await trip.statuses() + await other.statuses() == "OO"
