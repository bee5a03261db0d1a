"""A ticket has four coupons at most; a longer journey has several tickets with numbers in a row."""

from itertools import pairwise
from typing import Any

from app.tickets import service
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.tickets.support import booked, do


async def test_a_journey_of_any_length_fits_on_tickets_in_a_row(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """From one segment to eighteen, for two passengers; given in whatever order, flown in theirs."""
    trip = await booked(traveller, fleet, sql, adults=2)
    flights = [(await fleet.flight()).id for _ in range(18)]
    journey = [
        {"slice_index": place // 3, "segment_index": place % 3, "flight_id": flight}
        for place, flight in enumerate(flights)
    ]
    for length in range(1, 19):
        issued = await do(service.issue, trip.id, trip.names(), journey[:length][::-1])
        tickets = await trip.tickets()
        for position, numbers in issued.items():
            own = [ticket for ticket in tickets if ticket["number"] in numbers]

            assert {ticket["position"] for ticket in own} == {position}
            flown = [[coupon["flight_id"] for coupon in ticket["coupons"]] for ticket in own]

            assert [ticket["number"] for ticket in own] == numbers
            assert all(int(after) == int(before) + 1 for before, after in pairwise(numbers))
            assert flown == [flights[:length][i : i + 4] for i in range(0, length, 4)]
            assert [ticket["conjunction_of"] for ticket in own] == [None] + [numbers[0]] * (len(numbers) - 1)
            assert all([c["number"] for c in t["coupons"]] == [1, 2, 3, 4][: len(t["coupons"])] for t in own)
        await sql("UPDATE coupons SET status = 'V' WHERE booking_id = :id AND status = 'O'", id=trip.id)
