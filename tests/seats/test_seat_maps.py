"""`GET /offers/{id}/seat-maps`: every seat of the cabin, free or not, and what it costs."""

import asyncio
from itertools import pairwise
from typing import Any

from app.seats.schemas import SeatMapsOut
from tests.seats.support import assign, at_once, claim, run_out, wants
from tests.support.client import Client
from tests.support.fleet import Fleet, Flight

Element = dict[str, Any]


def elements(seat_map: dict[str, Any], kind: str = "seat") -> list[Element]:
    """What of this type is on a map."""
    return [
        element
        for cabin in seat_map["cabins"]
        for row in cabin["rows"]
        for section in row["sections"]
        for element in section["elements"]
        if element["type"] == kind
    ]


async def maps(api: Client, offer_id: str) -> list[dict[str, Any]]:
    answer = await api.get(f"/offers/{offer_id}/seat-maps")
    assert answer.status == 200, answer.body
    assert SeatMapsOut.model_validate(answer.body, extra="forbid").model_dump() == answer.body
    found: list[dict[str, Any]] = answer.body["data"]
    return found


async def seats(api: Client, offer_id: str) -> dict[str, Element]:
    [found] = await maps(api, offer_id)
    return {element["designator"]: element for element in elements(found)}


async def offered(api: Client, fleet: Fleet, seats: int = 150) -> tuple[Flight, str]:
    """The cheapest offer of a flight, in which no choice of seats is included."""
    flight = await fleet.flight(seats)
    return flight, (await fleet.offer(api, flight))["id"]


async def test_a_map_shows_the_cabin_of_the_offer(api: Client, fleet: Fleet) -> None:
    """As many seats as it sells, between its aisles, with what is around them."""
    flight, offer_id = await offered(api, fleet)

    [found] = await maps(api, offer_id)
    [cabin] = found["cabins"]

    assert found["flight_id"].startswith(f"{flight.number}-")
    assert (found["aircraft"], cabin["cabin"], cabin["deck"], cabin["aisles"]) == ("A320", "economy", 0, 1)
    assert len(elements(found)) == 150
    numbered = [row for row in cabin["rows"] if row["number"]]
    assert [row["number"] for row in numbered] == [n for n in range(4, 30) if n != 13]
    assert [row["number"] for row in numbered if row["exit_row"]] == [14, 15]
    assert len(elements(found, "exit_row")) == 4
    assert cabin["rows"][-1]["sections"][0]["elements"][0] == {"type": "lavatory"}
    wings = cabin["wings"]
    over = cabin["rows"][wings["first_row_index"] : wings["last_row_index"] + 1]
    assert {14, 15} <= {row["number"] for row in over}


async def test_kinds_have_their_prices_and_exits_their_restrictions(api: Client, fleet: Fleet) -> None:
    """In the currency of the offer."""
    _, offer_id = await offered(api, fleet)

    found = await seats(api, offer_id)

    assert found["20A"] == {
        "type": "seat",
        "designator": "20A",
        "available": True,
        "kind": "standard",
        "characteristics": ["window"],
        "price": {"amount": "6.00", "currency": "USD"},
        "restrictions": [],
    }
    assert (found["14D"]["kind"], found["14D"]["price"]["amount"]) == ("legroom", "18.00")
    assert found["14D"]["restrictions"] == ["adults_only", "no_lap_infant", "no_assistance"]
    assert (found["5A"]["kind"], found["5A"]["price"]["amount"]) == ("front", "10.00")


async def test_a_brand_that_includes_a_choice_has_free_standard_seats(api: Client, fleet: Fleet) -> None:
    """And others for money."""
    flight = await fleet.flight(150)
    standard = next(o for o in await fleet.offers(api, flight) if o["fare_brand"] == "Standard")

    found = await seats(api, standard["id"])

    assert (found["20A"]["price"]["amount"], found["14A"]["price"]["amount"]) == ("0.00", "18.00")


async def test_held_seats_are_not_available_until_the_hold_runs_out(
    api: Client, fleet: Fleet, sql: Any
) -> None:
    """Nor may another infant sit beside the one who is there."""
    flight, offer_id = await offered(api, fleet)
    holder = await claim(flight)
    await assign(holder, wants("20A", carries_infant=True))

    held = await seats(api, offer_id)
    await run_out(sql, holder)
    after = await seats(api, offer_id)

    assert [name for name, seat in held.items() if not seat["available"]] == ["20A"]
    assert held["20A"]["price"] is None
    assert held["20B"]["restrictions"] == ["no_lap_infant"]
    assert all(seat["available"] and seat["price"] for seat in after.values())
    assert after["20B"]["restrictions"] == []


async def test_a_round_trip_has_a_map_for_each_flight(api: Client, fleet: Fleet) -> None:
    """In the order of travel; what is taken on one is free on the other."""
    there, back = await fleet.round_trip(30)
    offer = await fleet.offer(api, there, return_date=back.day)
    await assign(await claim(back), wants("6A"))

    out, home = await maps(api, offer["id"])

    assert [one["flight_id"][:5] for one in (out, home)] == [there.number, back.number]
    taken = [[seat["designator"] for seat in elements(one) if not seat["available"]] for one in (out, home)]
    assert taken == [[], ["6A"]]


async def test_a_wide_aircraft_shows_its_bassinets(api: Client, fleet: Fleet, sql: Any) -> None:
    """In a row of their own in front of the bulkhead, behind fourteen rows of other cabins that skip 13."""
    flight, offer_id = await offered(api, fleet, 231)
    await sql("UPDATE flights SET aircraft_type = 'A359' WHERE id = :id", id=flight.id)

    [found] = await maps(api, offer_id)

    assert (found["cabins"][0]["aisles"], len(elements(found))) == (2, 231)
    assert len(elements(found, "bassinet")) == 3
    assert elements(found)[0]["designator"] == "16A"


async def test_maps_are_read_while_people_sit_down(api: Client, fleet: Fleet) -> None:
    """No answer waits, and a seat that was seen taken is never seen free again."""
    flight, offer_id = await offered(api, fleet, 60)
    claims = await at_once(claim(flight) for _ in range(40))
    designators = sorted(await seats(api, offer_id))[:40]

    async def read() -> list[set[str]]:
        seen = []
        for _ in range(5):
            found = await seats(api, offer_id)
            seen.append({name for name, seat in found.items() if not seat["available"]})
        return seen

    sitting = at_once(assign(one, wants(seat)) for one, seat in zip(claims, designators, strict=True))
    readings, _ = await asyncio.gather(read(), sitting)

    assert all(before <= after for before, after in pairwise(readings))
    last = {name for name, seat in (await seats(api, offer_id)).items() if not seat["available"]}
    assert last == set(designators)


async def test_no_map_for_what_is_no_offer_or_no_aircraft(api: Client, fleet: Fleet, sql: Any) -> None:
    """A flight with more seats than rows can be numbered sells seats, and nobody chooses one."""
    assert (await api.get("/offers/off_none/seat-maps")).code == "offer_not_found"
    flight, offer_id = await offered(api, fleet)
    await sql("UPDATE inventory SET capacity = 100000 WHERE flight_id = :id", id=flight.id)

    [found] = await maps(api, offer_id)

    assert found["cabins"] == []
    await sql("UPDATE flights SET status = 'cancelled' WHERE id = :id", id=flight.id)
    assert (await api.get(f"/offers/{offer_id}/seat-maps")).code == "flight_not_on_sale"
