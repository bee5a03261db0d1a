"""Schedules of a carrier that no other test has, and a world in which airports are known."""

import itertools
from typing import Any

import pytest
import pytest_asyncio

from tests.support.client import Client

_carriers = ("".join(letters) for letters in itertools.product("12345689", "ABCDEFGHJKLM"))


@pytest.fixture(autouse=True, scope="session")
def airports_known(address: str) -> None:
    """Readers look airports up in the product's memory."""


@pytest.fixture
def carrier() -> str:
    """A designator of this test alone."""
    return next(_carriers)


@pytest.fixture
def other() -> str:
    """Another one."""
    return next(_carriers)


@pytest_asyncio.fixture
async def admin(api: Client, sql: Any) -> Client:
    """Somebody who may load schedules."""
    client = await api.signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=client.user["id"])
    return client
