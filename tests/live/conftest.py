"""A product that has looked at nothing yet, beside a sky that nobody has asked about."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.live.support import Sky
from tests.support.client import Sandbox


@pytest_asyncio.fixture
async def sky(address: str, sandbox: Sandbox) -> AsyncIterator[Sky]:
    """The sandbox's sky and its levers."""
    sky = Sky(sandbox)
    await sky.forget()
    await sandbox.control("DELETE", "/journal")
    yield sky
    await sky.forget()
