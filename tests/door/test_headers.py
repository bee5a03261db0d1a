"""What every answer says to browsers, whoever made it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from pydantic import ValidationError

from app.core import config
from app.core.web import headers
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.support.stack import served

APP = "https://app.example.com"


@pytest_asyncio.fixture
async def strict_pages(
    http: aiohttp.ClientSession, address: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Client]:
    """An API that lets one page read its answers."""
    from app.main import create_app

    monkeypatch.setattr(config.settings(), "cors_origins", f"{APP}, https://other.example.com")
    monkeypatch.setattr(config.settings(), "cors_allow_credentials", True)
    async with served(create_app(), lifespan="off") as url:
        yield Client(http, url)


async def hot_search(client: Client, fleet: Fleet, **more: str) -> Any:
    """The second answer comes from memory."""
    flight = await fleet.flight()
    query = {"origin": flight.origin, "destination": flight.destination, "departure_date": flight.day}
    await client.get("/flights/search", **query)
    return await client.get("/flights/search", headers=more, **query)


async def test_every_answer_says_what_browsers_may_do_with_it(
    api: Client, traveller: Client, fleet: Fleet
) -> None:
    """Ready ones, refusals and documents too."""
    answers = [
        await api.get(path) for path in ("/airports/JFK", "/nowhere", "/bookings", "/docs", "/", "/livez")
    ]
    answers += [
        await hot_search(api, fleet),
        await api.post("/auth/login", [1]),
        await traveller.get("/bookings"),
    ]
    answers.append(await api.send("GET", "/airports/%00"))

    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert len(answer.headers.getall("Content-Security-Policy")) == 1
        assert "Strict-Transport-Security" not in answer.headers


async def test_data_may_load_nothing_and_pages_what_they_need(api: Client) -> None:
    """The documentation is a program; other pages only have a style."""
    policies = [
        (await api.get(path)).headers["Content-Security-Policy"] for path in ("/airports", "/", "/docs")
    ]

    assert "default-src 'none'" in policies[0]
    assert "style-src" not in policies[0]
    assert ("style-src" in policies[1], "script-src" in policies[1]) == (True, False)
    assert "script-src 'self'" in policies[2]


async def test_nobody_has_a_hold_on_a_page_of_ours(api: Client) -> None:
    """Whoever has opened it in a window of theirs; data are no page."""
    said = [
        (await api.get(path)).headers.get("Cross-Origin-Opener-Policy")
        for path in ("/", "/docs", "/airports")
    ]

    assert said == ["same-origin", "same-origin", None]


def test_in_production_browsers_come_by_https_only() -> None:
    """For a year from each answer on."""
    named = dict(headers.on_every_answer(encrypted=True))
    assert named[b"strict-transport-security"] == b"max-age=31536000; includeSubDomains"


async def test_what_does_not_say_how_it_may_be_kept_is_kept_nowhere(
    api: Client, traveller: Client, fleet: Fleet
) -> None:
    """Whatever needed a token, all of /auth, and all refusals."""
    private = (
        "/auth/me",
        "/bookings",
        "/webhooks/subscriptions",
        "/devices",
        "/flights/followed",
        "/bookings/BCDFGH",
    )
    answers = [await traveller.get(path) for path in private]
    answers += [await api.get(path) for path in ("/auth/me", "/nowhere", "/admin/health", "/livez")]
    answers.append(await api.post("/auth/refresh", {"refresh_token": "frt_none"}))
    answers.append(await api.post("/auth/logout", {"refresh_token": traveller.user["refresh_token"]}))
    answers.append(await traveller.book((await fleet.offer(traveller, await fleet.flight()))["id"]))

    assert {answer.headers["Cache-Control"] for answer in answers} == {"no-store"}
    assert "public" in (await traveller.get("/airports/JFK")).headers["Cache-Control"]


async def test_a_page_that_may_reads_the_answers(strict_pages: Client, fleet: Fleet) -> None:
    """Ready ones too, with the headers that programs need."""
    for answer in (
        await strict_pages.get("/airports/JFK", headers={"Origin": APP}),
        await strict_pages.get("/bookings", headers={"Origin": APP}),
        await hot_search(strict_pages, fleet, Origin=APP),
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == APP
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"RateLimit", "X-Request-ID", "ETag", "Idempotency-Replayed", "Retry-After"} <= set(exposed)
        assert "Origin" in answer.headers.getall("Vary")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{APP}.evil.example", f"{APP}:8443", "null", "http" + APP[5:]]
)
async def test_other_pages_may_not(strict_pages: Client, origin: str) -> None:
    """Neither read nor ask before they send."""
    read = await strict_pages.get("/airports/JFK", headers={"Origin": origin})
    asked = await preflight(strict_pages, origin)

    assert (read.status, asked.status) == (200, 204)
    assert not any("Access-Control-Allow-Origin" in answer.headers for answer in (read, asked))
    assert read.headers["Vary"] == "Origin"


async def test_a_browser_that_asks_first_is_answered_at_the_edge(strict_pages: Client) -> None:
    """With all methods and headers there are, for a day; with an id as every answer."""
    asked = await preflight(strict_pages, APP)

    assert (asked.status, asked.raw, asked.headers["Access-Control-Max-Age"]) == (204, b"", "86400")
    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in asked.headers["Access-Control-Allow-Headers"]
    assert asked.headers["X-Request-ID"]
    assert "RateLimit" not in asked.headers


async def test_without_pages_there_is_nothing_of_it(api: Client) -> None:
    """As apps and servers want it."""
    answer = await api.get("/airports/JFK", headers={"Origin": APP})
    assert not any(name.lower().startswith("access-control") for name in answer.headers)
    assert (await preflight(api, APP)).status == 405


def test_everybody_may_read_but_not_with_cookies() -> None:
    """A setting that would allow both is refused."""
    everybody = headers.Cors(["*"], credentials=False).headers(b"https://any.example")
    assert (b"access-control-allow-origin", b"*") in everybody
    with pytest.raises(ValidationError, match="CORS_ALLOW_CREDENTIALS"):
        config.Settings(cors_origins="*", cors_allow_credentials=True)


async def preflight(client: Client, origin: str) -> Any:
    asking = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    return await client.send("OPTIONS", "/bookings", headers=asking)
