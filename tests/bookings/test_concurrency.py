"""Many people, several flights: nobody waits for somebody who waits for them."""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

from app.offers import token
from tests.support.client import Client
from tests.support.fleet import Fleet

CLIENTS, SEATS = 60, 10


def reversed_offer(offer_id: str) -> str:
    """The same flights in the opposite order."""
    offer = token.read(offer_id)
    return token.sign(replace(offer, slices=offer.slices[::-1]))


async def deadlocks(sql: Any) -> int:
    await sql("SELECT pg_stat_force_next_flush()")
    found = await sql("SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()")
    count: int = found[0]["n"]
    return count


async def test_opposite_orders_of_two_flights_do_not_block_each_other(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Half book A and B, half B and A: ten trips are sold, and no request fails otherwise."""
    there, back = await fleet.round_trip(SEATS)
    offer = (await fleet.offer(traveller, there, return_date=back.day))["id"]
    turned, before = reversed_offer(offer), await deadlocks(sql)

    answers = await asyncio.gather(*(traveller.book((offer, turned)[i % 2]) for i in range(CLIENTS)))

    assert Counter(answer.status for answer in answers) == {201: SEATS, 409: CLIENTS - SEATS}
    for flight in (there, back):
        assert (await fleet.counts(flight)) == {"capacity": SEATS, "held": SEATS, "sold": 0, "claimed": SEATS}
    assert await deadlocks(sql) == before


async def test_seats_that_ran_out_on_one_flight_of_a_trip_block_nobody(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """The flight back is full of ended holds, so every buyer gives seats back and tries again."""
    for _ in range(3):
        there, back = await fleet.round_trip(SEATS)
        trip = (await fleet.offer(traveller, there, return_date=back.day))["id"]
        last = (await fleet.offer(traveller, back))["id"]
        ended = await asyncio.gather(*(traveller.book(last) for _ in range(SEATS)))
        await fleet.run_out(*(answer.body["pnr"] for answer in ended))
        before = await deadlocks(sql)

        answers = await asyncio.gather(*(traveller.book(trip) for _ in range(CLIENTS)))

        assert {answer.status for answer in answers} <= {201, 409}
        counts = await fleet.counts(there), await fleet.counts(back)
        assert counts[0] == counts[1] == {"capacity": SEATS, "held": SEATS, "sold": 0, "claimed": SEATS}
        assert await deadlocks(sql) == before


async def test_a_trip_that_fails_on_its_second_flight_keeps_nothing_of_the_first(
    traveller: Client, fleet: Fleet
) -> None:
    """All seats or none."""
    there, back = await fleet.round_trip(SEATS)
    trip = (await fleet.offer(traveller, there, return_date=back.day))["id"]
    last = (await fleet.offer(traveller, back))["id"]
    await asyncio.gather(*(traveller.book(last) for _ in range(SEATS)))

    answers = await asyncio.gather(*(traveller.book(trip) for _ in range(12)))

    assert {answer.code for answer in answers} == {"sold_out"}
    assert (await fleet.counts(there)) == {"capacity": SEATS, "held": 0, "sold": 0, "claimed": 0}
