"""Ada, who has one of everything, and Bob, who has bookings of his own and wants hers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest_asyncio

from app.auth import tokens
from app.bookings import guests
from tests.bookings.airline import Paid
from tests.bookings.paid import change_quoted, quoted
from tests.ownership.described import Operation, operations
from tests.support.client import PASSWORD, Client
from tests.support.fleet import Fleet

NOBODYS = UUID(int=7)


@dataclass
class Person:
    client: Client
    ids: dict[str, str]
    follows: str

    @property
    def guest(self) -> Client:
        """Who was let in by the mail to this person's booking."""
        return Client(
            self.client.session, self.client.base, tokens.sign(guests._KIND, self.ids["bookings"], 1800)
        )


@pytest_asyncio.fixture(scope="session")
async def described(http: Any, address: str) -> list[Operation]:
    return list(operations((await Client(http, address).get("/openapi.json")).body))


@pytest_asyncio.fixture
async def ada(api: Client, fleet: Fleet, sql: Any) -> Person:
    return await somebody(api, fleet, sql)


@pytest_asyncio.fixture
async def bob(api: Client, fleet: Fleet, sql: Any) -> Person:
    return await somebody(api, fleet, sql)


async def somebody(api: Client, fleet: Fleet, sql: Any) -> Person:
    client = await api.signed_up()

    async def made(path: str, body: Any) -> str:
        answer = await client.post(path, body)
        assert answer.status in (201, 202), answer.body
        identity: str = answer.body["id"]
        return identity

    paid = await Paid(client, fleet, sql).buys()
    changed = await paid.is_moved(300)
    change = await change_quoted(client, fleet, await paid.read(), await fleet.flight())
    assert change.status == 201, change.body
    hook = await made("/webhooks/subscriptions", {"url": "http://127.0.0.1:9999/", "events": ["*"]})
    ids = {
        # Another kind of object is one more line here, under the word that stands before its id in the path.
        "bookings": paid.pnr,
        "payments": (await paid.read())["payments"][0]["id"],
        "airline-changes": changed["id"],
        "changes": change.body["id"],
        "cancellations": (await quoted(client, paid.pnr))["id"],
        "subscriptions": hook,
        "deliveries": await made("/webhooks/test", {"subscription_id": hook}),
        "devices": await made("/devices", {"token": client.user["id"], "platform": "ios"}),
        "api-keys": await made(
            "/auth/api-keys", {"name": "x", "scopes": ["bookings:read"], "password": PASSWORD}
        ),
        "sessions": await _elsewhere(client),
    }
    follows = (await fleet.offer(client, await fleet.flight()))["slices"][0]["segments"][0]["flight_id"]
    assert (await client.post(f"/flights/{follows}/follow")).status == 201
    return Person(client, ids, follows)


async def _elsewhere(client: Client) -> str:
    """Another session of the same person, so that ending it leaves them this one."""
    data = {"email": client.user["email"], "password": PASSWORD}
    assert (await client.post("/auth/login", data)).status == 200
    found = (await client.get("/auth/sessions")).body["data"]
    identity: str = next(one["id"] for one in found if not one["current"])
    return identity


def missing(identity: str) -> str:
    """An id of the same shape that is nobody's."""
    prefix, underscore, _ = identity.rpartition("_")
    if underscore:
        return prefix + underscore + NOBODYS.hex
    return str(NOBODYS) if "-" in identity else "BBBBBB"
