"""`GET /flights/live`: the aircraft that are in the air, where they really are."""

from collections import defaultdict
from typing import Any

import pytest

from tests.live.support import EUROPE, LONDON, Sky, km, know
from tests.support.client import Client

FIELDS = {
    "icao24",
    "callsign",
    "latitude",
    "longitude",
    "altitude_m",
    "ground_speed_mps",
    "heading_deg",
    "vertical_rate_mps",
    "on_ground",
    "observed_at",
    "flight",
}


async def rows(api: Client, **query: Any) -> list[dict[str, Any]]:
    answer = await api.get("/flights/live", **query)
    assert answer.status == 200, answer.body
    found: list[dict[str, Any]] = answer.body["data"]
    return found


async def test_an_answer_has_the_promised_shape(api: Client, sky: Sky) -> None:
    """A list with its source, its age and its total."""
    await sky.airborne()
    answer = await api.get("/flights/live", bbox=EUROPE)

    assert answer.body.keys() == {"data", "next_cursor", "meta"}
    assert answer.body["next_cursor"] is None
    assert answer.body["meta"].keys() == {"source", "fetched_at", "stale", "total"}
    assert (answer.body["meta"]["source"], answer.body["meta"]["stale"]) == ("opensky", False)
    assert answer.body["meta"]["total"] == len(answer.body["data"]) > 0
    assert all(row.keys() == FIELDS for row in answer.body["data"])


async def test_every_aircraft_is_where_it_really_is(api: Client, sky: Sky) -> None:
    """At the time that it says; nobody has swapped longitude and latitude."""
    await sky.set(extra_aircraft=300)
    by_time: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in await rows(api):
        by_time[row["observed_at"]].append(row)
    assert sum(map(len, by_time.values())) > 300

    for observed_at, seen in by_time.items():
        known = await sky.sandbox.control("GET", f"/positions?at={observed_at}")
        truth = {one["icao24"].lower(): one for one in known["positions"]}
        for row in seen:
            place = truth[row["icao24"]]
            assert km(row, place) < 1, row
            assert row["ground_speed_mps"] == pytest.approx(place["speed"], abs=1)
            assert row["altitude_m"] == pytest.approx(place["altitude"], abs=10)


async def test_a_box_shows_what_is_inside_and_nothing_else(api: Client, sky: Sky) -> None:
    """The same aircraft as the whole world's picture has there."""
    await sky.set(extra_aircraft=500)
    world = await rows(api, limit=10_000)
    inside = {row["icao24"] for row in world if -10 <= row["longitude"] <= 10 and 40 <= row["latitude"] <= 60}
    await sky.forget()

    seen = await rows(api, bbox=EUROPE, limit=10_000)

    assert all(-10 <= row["longitude"] <= 10 and 40 <= row["latitude"] <= 60 for row in seen)
    assert len(inside) > 20
    # Some seconds lie between the two: an aircraft or two crossed the edge.
    assert len({row["icao24"] for row in seen} ^ inside) <= 3


async def test_aircraft_come_in_one_order_and_once(api: Client, sky: Sky) -> None:
    """By their addresses."""
    await sky.set(extra_aircraft=200)
    addresses = [row["icao24"] for row in await rows(api)]

    assert addresses == sorted(set(addresses))


async def test_a_limit_cuts_and_the_total_stays(api: Client, sky: Sky) -> None:
    """So that a client knows that there are more."""
    answer = await api.get("/flights/live", limit=3)

    assert len(answer.body["data"]) == 3
    assert answer.body["meta"]["total"] > 3


async def test_what_stands_on_the_ground_is_not_in_the_air(api: Client, sky: Sky) -> None:
    """Unless somebody asks for it."""
    landed = await sky.airborne(minutes=60, left=-3)
    address = landed["icao24"].lower()

    assert not any(row["on_ground"] for row in await rows(api))
    everybody = {row["icao24"]: row for row in await rows(api, on_ground="true")}
    assert everybody[address]["on_ground"] is True
    assert everybody[address]["altitude_m"] is None


async def test_what_nobody_heard_stays_null(api: Client, sky: Sky) -> None:
    """Callsigns that were never entered, for one."""
    await sky.airborne(callsign="")
    callsigns = [row["callsign"] for row in await rows(api, bbox=EUROPE)]

    assert None in callsigns
    assert all(callsign is None or callsign == callsign.strip() != "" for callsign in callsigns)


async def test_an_airline_is_found_by_either_designator(api: Client, sky: Sky, sql: Any) -> None:
    """IATA's two characters or ICAO's three letters, and nobody else's aircraft."""
    flight = await sky.airborne()
    await know(sql, flight)

    by_icao = await rows(api, airline="ZQS")

    assert flight["icao24"].lower() in {row["icao24"] for row in by_icao}
    assert all(row["callsign"].startswith("ZQS") for row in by_icao)
    assert flight["icao24"].lower() in {row["icao24"] for row in await rows(api, airline="zz")}
    assert not any(row["callsign"].startswith("ZQS") for row in await rows(api, airline="ZQ"))


async def test_a_flight_number_finds_its_aircraft(api: Client, sky: Sky, sql: Any) -> None:
    """However it is written."""
    flight = await sky.airborne()
    await know(sql, flight)

    for written in (flight["flight"], flight["flight"].lower(), f"ZZ {flight['number']}", flight["callsign"]):
        [row] = await rows(api, flight_number=written)
        assert row["icao24"] == flight["icao24"].lower()
        assert row["flight"]["flight_number"] == flight["flight"]
        day = flight["date"].replace("-", "")
        assert row["flight"]["id"] == f"{flight['flight']}-{day}-{flight['origin']}"


async def test_the_same_again_is_not_sent_again(api: Client, sky: Sky) -> None:
    """304, for as long as there is nothing newer."""
    first = await api.get("/flights/live", bbox=LONDON)
    again = await api.get("/flights/live", bbox=LONDON, headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status, again.raw) == (304, b"")
    assert first.headers["Cache-Control"].startswith("public, max-age=")


async def test_large_answers_are_packed_for_those_who_can_unpack(api: Client, sky: Sky) -> None:
    """The same bytes for all others."""
    plain = await api.get("/flights/live", headers={"Accept-Encoding": "identity"})
    packed = await api.get("/flights/live", headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) < len(plain.raw) / 2
    assert packed.raw == plain.raw
    assert "Content-Encoding" not in plain.headers
