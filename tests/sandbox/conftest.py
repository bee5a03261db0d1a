"""A real sandbox on a free loopback port, in a thread beside the tests."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
import stripe
import uvicorn

from sandbox.server import Protocol, Sandbox, create_app
from sandbox.world.world import World
from tests.support import stack

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
TOKENS = "/auth/realms/opensky-network/protocol/openid-connect/token"


@dataclass(frozen=True)
class Reply:
    """An answer of OpenSky; `json` fails when it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def left(self) -> int:
        """The credits that remain in the bucket."""
        return int(self.headers["X-Rate-Limit-Remaining"])


class Client:
    """Talks to the sandbox as a client of its vendors, and as the one behind the scenery."""

    def __init__(self, base: str, session: aiohttp.ClientSession) -> None:
        self.base, self.session = base, session

    async def get(self, function: str, key: str | None = "sandbox", **params: Any) -> tuple[int, Any]:
        if key is not None:
            params["access_key"] = key
        async with self.session.get(f"{self.base}/v1/{function}", params=params) as response:
            return response.status, await response.json(content_type=None)

    async def rows(self, function: str, **params: Any) -> list[Any]:
        status, payload = await self.get(function, **params)
        assert status == 200, payload
        return payload["data"]

    async def control(self, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        async with self.session.request(method, f"{self.base}/_sandbox{path}", json=body) as response:
            payload = await response.json()
            assert response.status == expect, payload
            return payload

    async def inject(
        self, number: str, route: str, departure: str, arrival: str, expect: int = 200, **more: Any
    ) -> Any:
        origin, destination = route.split("-")
        ends = {"origin": origin, "destination": destination, "departure": departure, "arrival": arrival}
        body = {"airline": "ZZ", "number": number, **ends, **more}
        return await self.control("POST", "/flights", body, expect)

    async def sky(self, path: str, token: str | None = None, **params: Any) -> Reply:
        """Asks OpenSky, without a token if none is given."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await self.send("GET", f"/api/{path}", headers=headers, params=params)

    async def grant(self, client: str, secret: str | None = None, **more: str) -> Reply:
        """Asks for a token."""
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret or client}
        return await self.send("POST", TOKENS, data=form | more)

    async def token(self, client: str = "sandbox") -> str:
        token: str = (await self.grant(client)).json["access_token"]
        return token

    async def send(self, method: str, path: str, **more: Any) -> Reply:
        async with self.session.request(method, self.base + path, allow_redirects=False, **more) as response:
            return Reply(response.status, response.headers, await response.read())

    async def switch(self, **settings: Any) -> Any:
        """Changes how OpenSky behaves."""
        return (await self.control("POST", "/settings", {"opensky": settings}))["opensky"]


@pytest.fixture(scope="session")
def world() -> World:
    return World("jetway")


@pytest.fixture(scope="session")
def served() -> Sandbox:
    return Sandbox(start=NOON)


@pytest.fixture(scope="session")
def base(served: Sandbox) -> Iterator[str]:
    with stack.listening_socket() as listening:
        app = create_app(served)
        config = uvicorn.Config(app, http=Protocol, loop="asyncio", lifespan="off", log_level="warning")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = server.force_exit = True
        thread.join(5)


@pytest.fixture(scope="session")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    # Idle connections are let go before the server closes them.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=2)) as session:
        yield session


@pytest.fixture
async def client(base: str, session: aiohttp.ClientSession) -> Client:
    """A client of a sandbox that has forgotten everything; its clock reads noon on 2026-11-25."""
    client = Client(base, session)
    await client.control("POST", "/reset")
    return client


@pytest.fixture
async def stripe_api(client: Client) -> stripe.StripeClient:
    """The card vendor's own library, which talks to the sandbox and tries nothing twice by itself."""
    return shop(client)


def shop(client: Client, **options: Any) -> stripe.StripeClient:
    return stripe.StripeClient(
        "sk_test_sandbox",
        base_addresses={"api": client.base},
        http_client=stripe.AIOHTTPClient(session=client.session, **options),
        max_network_retries=0,
    )


async def pay(
    api: stripe.StripeClient, method: str = "pm_card_visa", amount: int = 10_000, **more: Any
) -> Any:
    """Creates and confirms a payment in one call."""
    key, params = (
        more.pop("key", None),
        {"amount": amount, "currency": "usd", "payment_method": method, **more},
    )
    params.setdefault("return_url", "https://shop.example/paid?order=7")
    options = {"idempotency_key": key} if key else {}
    return await api.v1.payment_intents.create_async({"confirm": True, **params}, options)


async def money(client: Client, *kinds: str) -> list[tuple[str, int]]:
    """What the processor has done, and with how much."""
    lines = (await client.control("GET", "/cards"))["journal"]
    return [(line["what"], line["amount"]) for line in lines if not kinds or line["what"] in kinds]
