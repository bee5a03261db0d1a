"""Cities with several airports."""

from pathlib import Path
from typing import Any

import pytest

from app.airports import search, service
from app.airports.service import load
from app.core import tables
from tests.support.client import Client

AREAS = tables.read(Path(search.__file__).with_name("data") / "cities.csv")


@pytest.mark.parametrize(
    ("city", "airports"),
    [
        ("NYC", {"JFK", "LGA", "EWR"}),
        ("LON", {"LHR", "LGW", "LCY", "LTN", "STN", "SEN"}),
        ("PAR", {"CDG", "ORY", "BVA"}),
        ("TYO", {"HND", "NRT"}),
        ("MIL", {"MXP", "LIN", "BGY"}),
        ("ROM", {"FCO", "CIA"}),
        ("WAS", {"IAD", "DCA", "BWI"}),
        ("CHI", {"ORD", "MDW"}),
        ("BUE", {"EZE", "AEP"}),
        ("SAO", {"GRU", "CGH", "VCP"}),
        ("RIO", {"GIG", "SDU"}),
        ("MOW", {"SVO", "DME", "VKO", "ZIA"}),
        ("STO", {"ARN", "BMA", "NYO", "VST"}),
        ("SEL", {"ICN", "GMP"}),
        ("BJS", {"PEK", "PKX"}),
        ("OSA", {"KIX", "ITM", "UKB"}),
    ],
)
async def test_a_citys_airports_know_their_city(api: Client, city: str, airports: set[str]) -> None:
    """A search for the city finds flights from all of them."""
    assert {(await api.get(f"/airports/{iata}")).body["city_code"] for iata in airports} == {city}
    found = (await api.get("/airports", q=city, limit=100)).body["data"]
    assert airports <= {airport["iata"] for airport in found}
    assert airports == {airport.iata for airport in service.directory().serving(city)} - {"BQH", "LBG"}


async def test_every_airport_of_an_area_exists_once(api: Client) -> None:
    """Under the area's code, and in no other area; releases of the airports' package differ in one or two."""
    listed = [(iata, area["code"]) for area in AREAS for iata in area["airports"].split()]
    known = service.directory().by_iata

    assert sum(iata not in known for iata, _ in listed) <= 2
    assert [pair for pair in listed if pair[0] in known and known[pair[0]].city_code != pair[1]] == []
    assert len({iata for iata, _ in listed}) == len(listed)


async def test_a_code_that_is_both_means_the_airport(api: Client) -> None:
    """That is what travellers type it for."""
    assert [airport.iata for airport in service.directory().serving("IST")] == ["IST"]


async def test_an_area_that_is_learned_later_reaches_the_table(api: Client, sql: Any) -> None:
    """A database that was filled by an older version is put right at the next start."""
    await sql("UPDATE airports SET city_code = 'EWR', updated_at = now() WHERE iata = 'EWR'")
    await load()

    assert service.directory().by_iata["EWR"].city_code == "NYC"


async def test_a_providers_airport_keeps_the_providers_city(api: Client, sql: Any) -> None:
    """The areas are packaged facts, for packaged airports."""
    await sql("UPDATE airports SET city_code = 'EWR', source = 'aviationstack' WHERE iata = 'EWR'")
    await load()
    kept = await sql("SELECT city_code FROM airports WHERE iata = 'EWR'")
    await sql("UPDATE airports SET city_code = 'NYC', source = 'packaged' WHERE iata = 'EWR'")

    assert kept == [{"city_code": "EWR"}]
