"""The limits as clients see them, kept by two API processes together.

A proxy on this machine is trusted, so that each test comes from an address of its own.
"""

import asyncio
import itertools
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack

import aiohttp
import pytest

from app.core.config import settings
from tests.support.client import Answer, Client
from tests.support.fleet import Fleet
from tests.support.stack import api_process, served

QUOTA, SEARCHES = 40, 3
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def two_processes(address: str) -> Iterator[list[str]]:
    environment = {
        "RATE_LIMIT_PER_MINUTE": str(QUOTA),
        "RATE_LIMIT_SEARCHES_PER_MINUTE": str(SEARCHES),
        "HOT_CACHE_SECONDS": "60",
    }
    with ExitStack() as running:
        yield [running.enter_context(api_process(**environment)) for _ in range(2)]


@pytest.fixture
def caller() -> dict[str, str]:
    return {"X-Forwarded-For": f"198.51.100.{next(_numbers)}"}


@pytest.fixture
def near(http: aiohttp.ClientSession, two_processes: list[str]) -> Client:
    return Client(http, two_processes[0])


@pytest.fixture
def far(http: aiohttp.ClientSession, two_processes: list[str]) -> Client:
    return Client(http, two_processes[1])


def left(answer: Answer) -> list[int]:
    """What every `RateLimit` of an answer says is left."""
    told = answer.headers["RateLimit"].split(", ")
    return [int(re.fullmatch(r'"[a-z]+";r=(\d+);t=([1-9]|[1-5]\d|60)', one)[1]) for one in told]  # type: ignore[index]


async def test_every_answer_tells_the_limit_and_what_is_left(near: Client, caller: dict[str, str]) -> None:
    """Found, not found or wrong."""
    paths = ("/airports/JFK", "/nowhere", "/airports?limit=0", "/bookings", "/docs")
    answers = [await near.get(path, headers=caller) for path in paths]

    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {f'"anonymous";q={QUOTA};w=60'}
    assert [left(answer) for answer in answers] == [[QUOTA - 1 - n] for n in range(len(paths))]


async def test_who_asks_too_often_is_refused_by_all_processes(
    near: Client, far: Client, caller: dict[str, str]
) -> None:
    """As many as the limit allows are answered; then the refusal says how long to wait."""
    clients = [near, far] * QUOTA
    answers = await asyncio.gather(*(client.get("/airports/JFK", headers=caller) for client in clients))

    assert sum(answer.status == 200 for answer in answers) == QUOTA
    refused = next(answer for answer in answers if answer.status != 200)
    assert (refused.status, refused.code, refused.body["retryable"]) == (429, "rate_limited", True)
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert left(refused) == [0]
    assert refused.body["request_id"] == refused.headers["X-Request-ID"]
    assert refused.headers["Content-Type"] == "application/problem+json"


async def test_another_address_is_not_refused(near: Client, caller: dict[str, str]) -> None:
    """One caller's haste is not another's."""
    answers = [await near.get("/airports/JFK", headers=caller) for _ in range(QUOTA + 1)]
    assert answers[-1].status == 429

    other = await near.get("/airports/JFK", headers={"X-Forwarded-For": f"198.51.100.{next(_numbers)}"})

    assert other.status == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/admin/health", "/admin/metrics"])
async def test_who_watches_over_the_product_is_never_refused(
    near: Client, caller: dict[str, str], path: str
) -> None:
    """Nor told of limits."""
    token = {"Authorization": f"Bearer {os.environ['ADMIN_METRICS_TOKEN']}"}
    answers = [await near.get(path, headers=caller | token) for _ in range(QUOTA + 2)]

    assert 429 not in {answer.status for answer in answers}
    assert not any("RateLimit" in answer.headers for answer in answers)


async def test_searches_have_a_limit_of_their_own(near: Client, caller: dict[str, str], fleet: Fleet) -> None:
    """Those whose answer is ready do not count against it."""
    flight = await fleet.flight()
    again = {
        "departure_date": flight.day,
        "origin": flight.origin,
        "destination": flight.destination,
    }
    first = await near.get("/flights/search", headers=caller, **again)
    hot = [await near.get("/flights/search", headers=caller, **again) for _ in range(2 * SEARCHES)]
    others = [
        await near.get("/flights/search", headers=caller, **again | {"adults": 2 + number})
        for number in range(SEARCHES)
    ]

    assert (first.status, left(first)) == (200, [QUOTA - 1, SEARCHES - 1])
    assert first.headers["RateLimit-Policy"].split(", ")[1] == f'"search";q={SEARCHES};w=60'
    assert {(answer.status, len(left(answer))) for answer in hot} == {(200, 1)}
    assert [answer.status for answer in others] == [200] * (SEARCHES - 1) + [429]
    assert left(others[-1])[1] == 0
    assert (await near.get("/airports/JFK", headers=caller)).status == 200


async def test_a_search_that_the_client_still_has_tells_the_limit_too(
    near: Client, caller: dict[str, str], fleet: Fleet
) -> None:
    """304 from this process's memory."""
    flight = await fleet.flight()
    query = {
        "departure_date": flight.day,
        "origin": flight.origin,
        "destination": flight.destination,
    }
    known = await near.get("/flights/search", headers=caller, **query)

    answer = await near.get(
        "/flights/search", headers=caller | {"If-None-Match": known.headers["ETag"]}, **query
    )

    assert (answer.status, answer.raw, left(answer)) == (304, b"", [QUOTA - 2])


async def test_without_limits_nothing_is_told(
    http: aiohttp.ClientSession, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`RATE_LIMIT_ENABLED=false` is for measurements."""
    from app.main import create_app

    monkeypatch.setattr(settings(), "rate_limit_enabled", False)
    monkeypatch.setattr(settings(), "rate_limit_per_minute", 1)
    async with served(create_app(), lifespan="off") as url:
        answers = [await Client(http, url).get("/airports/JFK") for _ in range(3)]

    assert {answer.status for answer in answers} == {200}
    assert not any("RateLimit" in answer.headers for answer in answers)
