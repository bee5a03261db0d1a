"""The airlines over HTTP, after the command that an operator runs before the first start."""

import asyncio

import pytest
import pytest_asyncio

from app.airlines import service
from tests.support.client import Client
from tests.support.stack import run


@pytest_asyncio.fixture(scope="module", autouse=True)
async def prepared(address: str) -> None:
    """`python -m app prepare`, twice: the second time improves nothing and breaks nothing.

    The API looks every few seconds what another process has changed; here it looks at once.
    """
    command = "from app.cli import main; main(); main()"
    demo = {"DEMO_EMAIL": "Demo@jetway.example", "DEMO_PASSWORD": "a seat by the window"}
    done = await asyncio.to_thread(run, "-c", command, "prepare", "--ask-provider", **demo)
    assert done.returncode == 0, done.stderr
    await service.copy.refresh()


async def test_an_airline_is_read_by_its_designator(api: Client) -> None:
    """In whatever case, with all that is known of it."""
    answer = await api.get("/airlines/ba")

    assert answer.body == {
        "iata": "BA",
        "icao": "BAW",
        "name": "British Airways",
        "callsign": "SPEEDBIRD",
        "country": "GB",
        "active": True,
        "accounting_code": "125",
    }


async def test_an_airline_is_read_by_icaos_letters_too(api: Client) -> None:
    """They are another name of the same thing."""
    assert (await api.get("/airlines/dlh")).body == (await api.get("/airlines/LH")).body


async def test_a_providers_airlines_stand_beside_the_packaged_ones(api: Client) -> None:
    """The sandbox's airlines are nowhere else."""
    found = (await api.get("/airlines/zz")).body

    assert (found["name"], found["icao"], found["callsign"]) == ("Sandbox Air", "ZQS", "SANDCASTLE")


async def test_a_designator_may_hold_a_digit(api: Client) -> None:
    """In either place."""
    assert (await api.get("/airlines/X0")).body["name"] == "Larkspur Airways"
    assert (await api.get("/airlines/0w")).body["name"] == "Wisteria Airlines"


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("1Z", (404, "airline_not_found")),
        ("QQQ", (404, "airline_not_found")),
        ("BAWX", (422, "validation_error")),
        ("B1W", (422, "validation_error")),
    ],
)
async def test_an_unknown_designator_is_refused(api: Client, path: str, refusal: tuple[int, str]) -> None:
    """Not found, or not a designator at all."""
    answer = await api.get(f"/airlines/{path}")

    assert (answer.status, answer.code) == refusal


@pytest.mark.parametrize("q", ["ZZ", "zqs", "Sandbox", "sandbox AIR"])
async def test_the_best_match_comes_first(api: Client, q: str) -> None:
    """By either designator or by the name."""
    assert (await api.get("/airlines", q=q)).body["data"][0]["iata"] == "ZZ"


async def test_names_that_start_with_the_query_come_first(api: Client) -> None:
    """Then those of which another word does."""
    names = [one["name"].lower() for one in (await api.get("/airlines", q="lu", limit=100)).body["data"]]
    starts = [name.startswith("lu") for name in names]

    assert {"lufthansa", "luxair"} <= set(names)
    assert starts == sorted(starts, reverse=True)


@pytest.mark.parametrize(
    ("q", "iata"),
    [
        ("speedbird", "BA"),
        ("british air", "BA"),
        ("airways qatar", "QR"),
        ("lufthnasa", "LH"),
        ("aeromexico", "AM"),
    ],
)
async def test_an_airline_is_found_as_people_type_it(api: Client, q: str, iata: str) -> None:
    """By its callsign, by words in any order, with two letters swapped, without accents."""
    assert (await api.get("/airlines", q=q)).body["data"][0]["iata"] == iata


@pytest.mark.parametrize("q", ["%", "_", "Z%", "\\"])
async def test_the_databases_wildcards_are_letters(api: Client, q: str) -> None:
    """`%` matches no airline, because none has one in its name."""
    assert (await api.get("/airlines", q=q)).body["data"] == []


async def test_only_one_country(api: Client) -> None:
    """By its ISO code."""
    found = (await api.get("/airlines", country="gb")).body["data"]

    assert "ZZ" in [one["iata"] for one in found]
    assert {one["country"] for one in found} == {"GB"}


async def test_pages_hold_every_airline_once(api: Client) -> None:
    """In a stable order."""
    whole = [one["iata"] for one in (await api.get("/airlines", country="JP", limit=100)).body["data"]]
    found, cursor = [], None
    while True:
        page = (await api.get("/airlines", country="JP", limit=5, cursor=cursor)).body
        found += [one["iata"] for one in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert len(whole) > 11
    assert found == whole


async def test_a_client_that_has_the_answer_is_told_so(api: Client) -> None:
    """304 for its ETag."""
    etag = (await api.get("/airlines/ZZ")).headers["ETag"]

    assert (await api.get("/airlines/ZZ", headers={"If-None-Match": etag})).status == 304


async def test_the_demo_account_can_log_in(api: Client) -> None:
    """It was asked for by DEMO_EMAIL and DEMO_PASSWORD."""
    login = {"email": "demo@jetway.example", "password": "a seat by the window"}

    assert (await api.post("/auth/login", login)).status == 200
