"""Who is in the air: flights of the timetable, flights made to order, and traffic for load."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from sandbox.world.callsigns import callsign, derivable
from sandbox.world.world import World
from tests.sandbox.conftest import NOON, Client

DAY = date(2026, 11, 25)
LEAVES, LANDS = "2026-11-25T11:00:00Z", "2026-11-25T13:00:00Z"


async def states(client: Client, *addresses: str) -> list[list[Any]]:
    params = [("icao24", address.lower()) for address in addresses]
    reply = await client.send("GET", "/api/states/all", params=params)
    assert reply.status == 200
    found: list[list[Any]] = reply.json["states"] or []
    return found


def test_callsigns_follow_from_flight_numbers_but_not_everywhere(world: World) -> None:
    """Two airlines have letters and digits of their own; no two of their numbers share a callsign."""
    flights = world.timetable.day(DAY).flights
    odd = {flight.service.airline.iata for flight in flights if callsign(flight) and not derivable(flight)}
    assert odd == {"K0", "U0"}
    entered = [flight for flight in flights if callsign(flight)]
    assert 5 < len(flights) - len(entered) < 100
    names = {(flight.service.name, callsign(flight)) for flight in entered}
    assert len({said for _, said in names}) == len(names)
    assert all(len(said) <= 8 for _, said in names)


async def test_the_truth_names_the_callsign_that_is_sent(client: Client) -> None:
    """And says whether the flight number leads to it."""
    plain = await client.inject("42", "MAN-MAD", LEAVES, LANDS)
    assert (plain["callsign"], plain["callsign_derivable"]) == ("ZQS42", True)
    odd = await client.inject("42", "CPH-MAD", LEAVES, LANDS, airline="K0")
    assert (odd["callsign"].startswith("KQW"), odd["callsign_derivable"]) == (True, False)
    forced = await client.inject("43", "MAN-MAD", LEAVES, LANDS, callsign="zz043", icao24="ABCDEF")
    assert (forced["callsign"], forced["icao24"]) == ("zz043", "ABCDEF")
    seen = {row[1] for row in await states(client, plain["icao24"], odd["icao24"], "abcdef")}
    assert seen == {"ZQS42   ", odd["callsign"].ljust(8), "zz043   "}
    await client.inject("44", "MAN-MAD", LEAVES, LANDS, expect=400, icao24="XYZ")
    await client.inject("44", "MAN-MAD", LEAVES, LANDS, expect=400, callsign="MUCHTOOLONG")


async def test_flights_made_to_order_have_aircraft_of_their_own(client: Client) -> None:
    """The same flight made again keeps its aircraft."""
    first = await client.inject("1", "LHR-MAD", LEAVES, LANDS)
    second = await client.inject("2", "LHR-MAD", LEAVES, LANDS)
    again = await client.inject("1", "LHR-MAD", LEAVES, LANDS)
    assert first["icao24"] == again["icao24"] != second["icao24"]
    assert len(await states(client, first["icao24"], second["icao24"])) == 2


async def test_a_flight_is_followed_from_gate_to_gate(client: Client) -> None:
    """On the ground, in the air, on the ground, gone; nothing is odd about it."""
    made = await client.inject("777", "LHR-MAD", "2026-11-25T14:00:00Z", "2026-11-25T16:00:00Z")
    seen = []
    for moment in ("13:40", "13:50", "14:00", "15:00", "16:05", "16:20"):
        await client.control("POST", "/clock", {"now": f"2026-11-25T{moment}:00Z"})
        found = await states(client, made["icao24"])
        seen.append(found[0][8] if found else None)
        for row in found:
            assert row[1] == "ZQS777  "
            assert None not in (row[3], row[5], row[6], row[9], row[14])
            assert row[4] - row[3] < 15
    assert seen == [None, True, False, False, True, None]


async def test_decisions_show_at_once(client: Client) -> None:
    """A cancelled flight is not in the air, and a late one not yet."""
    made = await client.inject("777", "LHR-MAD", LEAVES, LANDS)
    assert len(await states(client, made["icao24"])) == 1
    await client.control("PATCH", f"/flights/{made['key']}", {"departure_delay": 300})
    assert await states(client, made["icao24"]) == []
    other = await client.inject("778", "LHR-MAD", LEAVES, LANDS)
    assert len(await states(client, other["icao24"])) == 1
    await client.control("PATCH", f"/flights/{other['key']}", {"status": "cancelled"})
    assert await states(client, other["icao24"]) == []


async def test_true_positions_can_be_asked_for(client: Client) -> None:
    """All of them, or one aircraft's, now or at another time."""
    made = await client.inject("777", "LHR-JFK", "2026-11-25T08:30:00Z", "2026-11-25T15:30:00Z")
    everyone = (await client.control("GET", "/positions"))["positions"]
    assert 400 < len(everyone) < 700
    [place] = [place for place in everyone if place["key"] == made["key"]]
    assert (place["callsign"], place["covered"]) == ("ZQS777", False)
    later = f"/positions?icao24={made['icao24'].lower()}&at=2026-11-25T15:29:00Z"
    [place] = (await client.control("GET", later))["positions"]
    assert (place["covered"], round(place["longitude"])) == (True, -74)
    await client.control("GET", "/positions?at=noon", expect=400)


async def test_extra_traffic_fills_the_sky(client: Client) -> None:
    """Thousands more, always the same ones, that move with the clock and cost little time."""
    before = len((await client.sky("states/all")).json["states"])
    await client.switch(extra_aircraft=5000)
    await client.sky("states/all")
    begun = time.process_time()  # Of the processor, however busy others keep it.
    full = (await client.sky("states/all")).json["states"]
    assert time.process_time() - begun < 0.3
    assert before + 4900 < len(full) <= before + 5000
    extra = {row[0]: row[5:7] for row in full if row[0].startswith("f0")}
    assert len({round(place[0] / 20) for place in extra.values()}) > 12
    await client.control("POST", "/clock", {"advance_seconds": 600})
    moved = {row[0]: row[5:7] for row in (await client.sky("states/all")).json["states"]}
    away = [address for address, place in extra.items() if moved.get(address, place) != place]
    assert len(away) > 4500
    await client.control("POST", "/clock", {"now": NOON.isoformat()})
    await client.switch(extra_aircraft=10)
    few = {row[0]: row for row in (await client.sky("states/all")).json["states"]}
    assert sum(address.startswith("f0") for address in few) <= 10
    address = next(address for address in few if address.startswith("f0"))
    assert (await client.sky("tracks/all", icao24=address, time=0)).json["path"]
