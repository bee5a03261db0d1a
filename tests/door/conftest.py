"""Somebody who is signed in for all tests of the door."""

import aiohttp
import pytest_asyncio

from tests.support.client import Client


@pytest_asyncio.fixture(scope="session")
async def traveller_token(http: aiohttp.ClientSession, address: str) -> str:
    token = (await Client(http, address).signed_up()).token
    assert token is not None
    return token
