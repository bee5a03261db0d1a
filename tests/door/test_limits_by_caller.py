"""Who asks too often is refused: an account wherever it is, an address for those without one, by all processes."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from app.core.config import settings
from tests.support.client import Answer, Client
from tests.support.stack import served

_numbers = itertools.count(1)
ANONYMOUS, USER, BOOKINGS, WEBHOOKS = 6, 12, 3, 4


@pytest_asyncio.fixture
async def two_processes(address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """Two that know nothing of each other but what Redis tells, as two processes do."""
    from app.main import create_app

    quotas = {"": ANONYMOUS, "users_": USER, "bookings_": BOOKINGS, "webhooks_": WEBHOOKS}
    for name, quota in quotas.items():
        monkeypatch.setattr(settings(), f"rate_limit_{name}per_minute", quota)
    async with served(create_app(), lifespan="off") as one, served(create_app(), lifespan="off") as other:
        yield [one, other]


class Caller:
    """Somebody who asks both processes in turn, each time from another address where there is a token."""

    def __init__(self, http: aiohttp.ClientSession, processes: list[str], token: str | None = None) -> None:
        self.clients = itertools.cycle([Client(http, one, token) for one in processes])
        self.address = f"203.0.113.{next(_numbers)}"

    async def asks(self, method: str = "GET", path: str = "/airports/JFK", times: int = 1) -> list[int]:
        return [(await self.ask(method, path)).status for _ in range(times)]

    async def ask(self, method: str = "GET", path: str = "/airports/JFK") -> Answer:
        client = next(self.clients)
        origin = f"203.0.114.{next(_numbers)}" if client.token else self.address
        body = {} if method == "POST" else None
        return await client.send(method, path, headers={"X-Forwarded-For": origin}, json=body)


async def test_an_account_has_its_limit_wherever_it_asks_from(
    http: aiohttp.ClientSession, two_processes: list[str], traveller: Client, api: Client
) -> None:
    """Another one has its own, and the address of neither is spent."""
    mine = Caller(http, two_processes, traveller.token)
    other = Caller(http, two_processes, (await api.signed_up()).token)

    assert await mine.asks(times=USER + 3) == [200] * USER + [429] * 3
    assert await other.asks() == [200]
    assert (await other.ask()).headers["RateLimit-Policy"] == f'"user";q={USER};w=60'


async def test_without_a_valid_token_the_address_counts(
    http: aiohttp.ClientSession, two_processes: list[str]
) -> None:
    """A made-up token is nobody's, however many there are."""
    nobody = Caller(http, two_processes)
    statuses = await nobody.asks(times=ANONYMOUS - 1)
    for number in range(3):
        client = next(nobody.clients)
        headers = {"X-Forwarded-For": nobody.address, "Authorization": f"Bearer made-up-{number}"}
        statuses.append((await client.get("/airports/JFK", headers=headers)).status)

    assert statuses == [200] * ANONYMOUS + [429] * 2


async def test_both_processes_together_give_exactly_the_quota(
    http: aiohttp.ClientSession, two_processes: list[str], api: Client
) -> None:
    """One after the other, in turn, or all at once."""
    for order in ([0] * 5 + [1] * 15, [0, 1] * 10, [0, 0, 0, 1] * 5):
        token = (await api.signed_up()).token
        clients = [Client(http, one, token) for one in two_processes]
        statuses = [(await clients[which].get("/airports/JFK")).status for which in order]
        assert statuses == [200] * USER + [429] * (20 - USER)
    clients = [Client(http, one, (await api.signed_up()).token) for one in two_processes]
    clients[1].token = clients[0].token
    at_once = await asyncio.gather(*(client.get("/airports/JFK") for client in clients * 30))
    assert sum(answer.status == 200 for answer in at_once) == USER


@pytest.mark.parametrize(
    ("method", "path", "name", "quota"),
    [("POST", "/bookings", "book", BOOKINGS), ("GET", "/webhooks/subscriptions", "webhooks", WEBHOOKS)],
)
async def test_what_costs_more_has_a_limit_of_its_own(
    http: aiohttp.ClientSession,
    two_processes: list[str],
    traveller: Client,
    method: str,
    path: str,
    name: str,
    quota: int,
) -> None:
    """The headers tell of both, and the refusal of the one that was broken; other routes go on."""
    caller = Caller(http, two_processes, traveller.token)
    answers = [await caller.ask(method, path) for _ in range(quota + 1)]

    assert 429 not in [answer.status for answer in answers[:-1]]
    refused = answers[-1]
    assert (refused.status, refused.code, refused.body["violated-policies"]) == (429, "rate_limited", [name])
    assert refused.body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert refused.headers["RateLimit-Policy"] == f'"user";q={USER};w=60, "{name}";q={quota};w=60'
    mine, broken = refused.headers["RateLimit"].split(", ")
    assert (mine.split(";")[0], broken.split(";")[:2]) == ('"user"', [f'"{name}"', "r=0"])
    assert int(refused.headers["Retry-After"]) >= int(broken.partition("t=")[2]) - 1
    assert await caller.asks() == [200]
