"""The airport directory over HTTP."""

from typing import Any

import pytest

from tests.support.client import Client


async def codes(api: Client, **params: Any) -> list[str]:
    answer = await api.get("/airports", **params)
    assert answer.status == 200, answer.body
    return [airport["iata"] for airport in answer.body["data"]]


async def test_an_airport_is_read_by_its_code(api: Client) -> None:
    """In whatever case, with all that is known of it."""
    upper, lower = await api.get("/airports/JFK"), await api.get("/airports/jfk")

    assert upper.body == lower.body
    assert upper.body == {
        "iata": "JFK",
        "icao": "KJFK",
        "name": "John F Kennedy International Airport",
        "city": "New York",
        "country": "US",
        "latitude": pytest.approx(40.64, abs=0.01),
        "longitude": pytest.approx(-73.78, abs=0.01),
        "elevation_m": pytest.approx(4, abs=2),
        "time_zone": "America/New_York",
        "city_code": "NYC",
    }


@pytest.mark.parametrize(
    ("path", "refusal"), [("QQQ", (404, "airport_not_found")), ("JFKX", (422, "validation_error"))]
)
async def test_an_unknown_code_is_refused(api: Client, path: str, refusal: tuple[int, str]) -> None:
    """Not found, or not a code at all."""
    answer = await api.get(f"/airports/{path}")

    assert (answer.status, answer.code) == refusal


@pytest.mark.parametrize("code", ["SIN", "LHR", "ICN", "ROM", "NAN", "PAR"])
async def test_the_exact_code_comes_first(api: Client, code: str) -> None:
    """Before cities and names that start alike; a city's code brings its airports."""
    first = (await api.get("/airports", q=code.lower())).body["data"][0]

    assert code in (first["iata"], first["city_code"])


async def test_a_city_comes_before_names_that_hold_it(api: Client) -> None:
    """Whoever types `lond` means London, and its airports that stand elsewhere too."""
    found = (await api.get("/airports", q="lond", limit=100)).body["data"]
    is_city = [a["city"].lower().startswith("lond") or a["city_code"] == "LON" for a in found]

    assert is_city == sorted(is_city, reverse=True)
    assert [airport["iata"] for airport in found[:5]] == ["LHR", "LGW", "STN", "LTN", "LCY"]


@pytest.mark.parametrize(
    ("accented", "plain"), [("São Paulo", "sao paulo"), ("MÁLAGA", "malaga"), ("Zürich", "zurich")]
)
async def test_accents_and_case_do_not_matter(api: Client, accented: str, plain: str) -> None:
    """A traveller's keyboard decides."""
    assert await codes(api, q=accented) == await codes(api, q=plain) != []


async def test_nothing_found_is_an_empty_page(api: Client) -> None:
    """Not an error."""
    assert (await api.get("/airports", q="zzzzzzzz")).body == {"data": [], "next_cursor": None}


async def test_the_nearest_come_first(api: Client) -> None:
    """From the middle of Manhattan, and across the date line."""
    assert set(await codes(api, near="40.75,-73.99", q="NYC", limit=3)) == {"LGA", "JFK", "EWR"}
    assert (await codes(api, near="40.6398,-73.7789", limit=1)) == ["JFK"]
    suva = (await api.get("/airports", near="-17.7,-179.9", limit=1)).body["data"][0]
    assert suva["country"] == "FJ"


async def test_only_one_country(api: Client) -> None:
    """Also for the nearest."""
    found = (await api.get("/airports", country="is", limit=100)).body["data"]
    assert {airport["country"] for airport in found} == {"IS"}
    across = (await api.get("/airports", near="51.47,-0.45", country="FR", limit=1)).body["data"]
    assert across[0]["country"] == "FR"


async def test_pages_hold_every_airport_once(api: Client) -> None:
    """In a stable order, to the end."""
    whole = await codes(api, country="IS", limit=100)
    found, cursor = [], None
    while True:
        page = (await api.get("/airports", country="IS", limit=7, cursor=cursor)).body
        found += [airport["iata"] for airport in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(whole) > 20
    assert found == whole


@pytest.mark.parametrize("path", ["/airports?q=london", "/airports/JFK"])
async def test_a_client_that_has_the_answer_is_told_so(api: Client, path: str) -> None:
    """304 without a body for its ETag, also in a list or weak; 200 for another."""
    first = await api.get(path)
    etag = first.headers["ETag"]

    assert "max-age=" in first.headers["Cache-Control"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await api.get(path, headers={"If-None-Match": known})
        assert (again.status, again.raw, again.headers["ETag"]) == (304, b"", etag)
    assert (await api.get(path, headers={"If-None-Match": '"other"'})).raw == first.raw


@pytest.mark.parametrize(
    "params",
    [
        {"near": "here"},
        {"near": "1"},
        {"near": "1;2"},
        {"near": "1e3,2"},
        {"country": "GBR"},
        {"limit": 0},
        {"q": "x" * 61},
    ],
    ids=str,
)
async def test_impossible_questions_are_refused(api: Client, params: dict[str, Any]) -> None:
    """With the parameter's name."""
    answer = await api.get("/airports", **params)

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, next(iter(params)))


@pytest.mark.parametrize("near", ["91,0", "-90.1,0", "0,180.5", "0,-181"])
async def test_nearness_is_to_a_place_on_earth(api: Client, near: str) -> None:
    """Coordinates that do not exist are refused by name."""
    answer = await api.get("/airports", near=near)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "near")
