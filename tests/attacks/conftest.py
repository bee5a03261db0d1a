"""Ada, whom somebody attacks, Bob, who does, and an operator; no attack changes anything, so they stay the same."""

from typing import Any

import aiohttp
import pytest_asyncio

from tests.notifications.conftest import mails  # noqa: F401
from tests.ownership.conftest import Person, described, somebody  # noqa: F401
from tests.support.client import Client
from tests.support.fleet import Fleet


@pytest_asyncio.fixture(scope="session")
async def ada(http: aiohttp.ClientSession, address: str, sql: Any) -> Person:
    return await somebody(Client(http, address), Fleet(sql), sql)


@pytest_asyncio.fixture(scope="session")
async def bob(http: aiohttp.ClientSession, address: str, sql: Any) -> Person:
    return await somebody(Client(http, address), Fleet(sql), sql)


@pytest_asyncio.fixture(scope="session")
async def admin(http: aiohttp.ClientSession, address: str, sql: Any) -> Client:
    client = await Client(http, address).signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=client.user["id"])
    return client
