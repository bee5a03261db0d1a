"""`GET /offers/{id}`: what an offer is worth now."""

from typing import Any

from app.offers import token
from tests.support.client import Client, adult
from tests.support.fleet import Fleet


async def test_an_offer_shows_the_seats_that_are_left(traveller: Client, fleet: Fleet) -> None:
    """Its price stands, whatever others buy."""
    flight = await fleet.flight(seats=10)
    offer = await fleet.offer(traveller, flight)
    before = await traveller.get(f"/offers/{offer['id']}")
    assert (before.status, before.body["seats_left"]) == (200, 10)

    for n in range(4):
        assert (await traveller.book(offer["id"], [adult(n)])).status == 201
    after = await traveller.get(f"/offers/{offer['id']}")

    assert after.body["seats_left"] == 6
    assert (after.body["id"], after.body["price"]) == (offer["id"], offer["price"])
    assert (after.body["available"], after.body["price_changed"]) == (True, False)
    assert after.body["previous_total"] == offer["price"]["total"]


async def test_an_offer_without_seats_is_not_available(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """It can be read, and says so."""
    flight = await fleet.flight(seats=2)
    offer = await fleet.offer(traveller, flight)
    await sql("UPDATE inventory SET sold = capacity WHERE flight_id = :id", id=flight.id)

    answer = await traveller.get(f"/offers/{offer['id']}")

    assert (answer.status, answer.body["available"], answer.body["seats_left"]) == (200, False, 0)


async def test_later_searches_pay_for_demand_and_earlier_offers_do_not(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """The lowest booking classes close as seats are sold; an offer keeps its own until it expires."""
    flight = await fleet.flight(seats=100)
    early = await fleet.offer(traveller, flight)
    await sql("UPDATE inventory SET sold = 95 WHERE flight_id = :id", id=flight.id)
    late = await fleet.offer(traveller, flight, limit=99)

    assert float(late["price"]["total"]["amount"]) > float(early["price"]["total"]["amount"])
    assert token.read(late["id"]).classes != token.read(early["id"]).classes
    booked = await traveller.book(early["id"])
    assert (booked.status, booked.body["price"]) == (201, early["price"])


async def test_what_is_no_offer_is_refused_with_its_reason(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Altered, cut off, or of a flight that does not leave."""
    flight = await fleet.flight()
    offer_id = (await fleet.offer(traveller, flight))["id"]

    cut = await traveller.get(f"/offers/{offer_id[:60]}")
    altered = await traveller.get(
        f"/offers/{offer_id[:9]}{'A' if offer_id[9] != 'A' else 'B'}{offer_id[10:]}"
    )
    assert (cut.status, cut.code, cut.body["errors"][0]["code"]) == (
        404,
        "offer_not_found",
        "offer_truncated",
    )
    assert (altered.status, altered.body["errors"][0]["code"]) == (404, "offer_altered")

    await sql("UPDATE flights SET status = 'cancelled' WHERE id = :id", id=flight.id)
    assert (await traveller.get(f"/offers/{offer_id}")).code == "flight_not_on_sale"


async def test_an_offer_for_others_is_refused(traveller: Client, fleet: Fleet) -> None:
    """Who was counted in the search travels."""
    offer = await fleet.offer(traveller, await fleet.flight(), adults=2)

    assert (await traveller.book(offer["id"], [adult()])).code == "passengers_mismatch"
