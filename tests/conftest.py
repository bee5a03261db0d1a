"""Fixtures: the product running on real servers, its users, and the sandbox's controls."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from functools import lru_cache
from typing import Any

import aiohttp
import hypothesis
import pytest
import pytest_asyncio

from tests.support import stack
from tests.support.client import PASSWORD, Client, Sandbox
from tests.support.fleet import Fleet

# How fast examples are made says how busy the machine is, and nothing about the product.
hypothesis.settings.register_profile(
    "suite", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("suite")
_servers = ExitStack()
# What is made while thousands of tests are collected stays until the end: to look through it for garbage, again and
# again, took a tenth of the time.
gc.disable()
_NEED_NO_SERVERS = ("tests/deploy", "tests/dev", "tests/sandbox")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the fuzzer, which takes longest and has a database of its own; the others keep their order.

    At the end one process would be busy with it while the others have nothing left to do.
    """
    items.sort(key=lambda item: not item.nodeid.startswith("tests/fuzz/"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the servers once it is known that a test needs them, before any of the product is used."""
    gc.freeze()
    gc.enable()
    if any(not item.nodeid.startswith(_NEED_NO_SERVERS) for item in session.items):
        os.environ.update(_servers.enter_context(stack.running()))
        from app.core.config import settings

        settings.cache_clear()


def pytest_unconfigure() -> None:
    _servers.close()


@pytest_asyncio.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    # Idle connections are let go before the server closes them.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2)) as session:
        yield session


def _hash_once() -> None:
    """Let all the travellers of tests share one real hash of their one password, and have each password compared with
    it once: a hash is slow on purpose.
    """
    from app.auth import passwords

    passwords._verify = lru_cache(maxsize=10_000)(passwords._verify)
    hashed, known = passwords.hashed, dict[str, str]()

    async def once(password: str) -> str:
        if password != PASSWORD:
            return await hashed(password)
        if password not in known:
            known[password] = await hashed(password)
        return known[password]

    passwords.hashed = once


@pytest_asyncio.fixture(scope="session")
async def address() -> AsyncIterator[str]:
    """The API on a real port, in this process, so that coverage sees it."""
    from app.main import create_app

    _hash_once()
    async with stack.served(create_app(), lifespan="on") as url:
        yield url


@pytest.fixture(scope="session")
def second_api(address: str) -> Iterator[str]:
    """Another API process on the same database and Redis, for all who need two."""
    with stack.api_process() as other:
        yield other


@pytest.fixture
def api(http: aiohttp.ClientSession, address: str) -> Client:
    """Nobody in particular."""
    return Client(http, address)


@pytest_asyncio.fixture
async def traveller(api: Client) -> Client:
    """Somebody with a new account."""
    return await api.signed_up()


@pytest_asyncio.fixture
async def sandbox(http: aiohttp.ClientSession) -> AsyncIterator[Sandbox]:
    """The sandbox's controls; whatever a test broke is mended after it."""
    controls = Sandbox(http, os.environ["AVIATIONSTACK_BASE_URL"])
    await _mend(controls)
    yield controls
    await _mend(controls)


async def _mend(controls: Sandbox) -> None:
    """Heal the vendors, and let the product forget what it has learned of them."""
    from app.core import db

    await controls.control("POST", "/reset")
    if not os.environ.get("DATABASE_URL"):
        return
    try:
        async with db.transaction() as session:
            await db.rows(session, "DELETE FROM provider_endpoints")
    except RuntimeError:
        return  # A test of the sandbox alone: no product runs.


@pytest.fixture(scope="session")
def sql(address: str) -> Any:
    """Run a statement on the product's database: `await sql("SELECT ...", name=value)` gives dictionaries."""
    from app.core import db

    async def run(statement: str, **parameters: Any) -> list[dict[str, Any]]:
        async with db.transaction() as session:
            return await db.rows(session, statement, **parameters)

    return run


@pytest.fixture
def fleet(sql: Any) -> Fleet:
    """Flights with few seats."""
    return Fleet(sql)
