"""A product of its own for the fuzzer, which books, publishes and imports whatever it likes."""

import os
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tests.support import stack
from tests.support.client import Client


@pytest.fixture(scope="session")
def fuzzed() -> Iterator[str]:
    """The address of an API on a database and a Redis that no other test uses."""
    redis = re.sub(r"\d+$", "14", os.environ["REDIS_URL"])
    with stack.own_database(os.environ["DATABASE_URL"], "_fuzzed") as database:
        servers = {"DATABASE_URL": database, "REDIS_URL": redis}
        stack.migrate(**servers)
        # A run of an hour needs tokens for as long.
        with stack.api_process(**servers, ACCESS_TOKEN_SECONDS="86400") as address:
            os.environ["FUZZED_DATABASE_URL"] = database
            yield address


@pytest_asyncio.fixture
async def tokens(fuzzed: str, http: Any) -> dict[str, str | None]:
    """Whom the fuzzer speaks as."""
    user = await Client(http, fuzzed).signed_up()
    admin = await Client(http, fuzzed).signed_up()
    database = await asyncpg.connect(os.environ["FUZZED_DATABASE_URL"])
    await database.execute("UPDATE users SET role = 'admin' WHERE id = $1::text::uuid", admin.user["id"])
    await database.close()
    return {"nobody": None, "user": user.token, "admin": admin.token}
