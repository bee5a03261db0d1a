"""The vendors' books, and a vendor of the test's own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.providers.support import Books
from tests.providers.vendor import Vendor
from tests.support.client import Sandbox


@pytest.fixture(autouse=True)
def connected(address: str) -> None:
    """Database and HTTP client belong to the running application."""


@pytest.fixture
def books(sql: Any) -> Books:
    return Books(sql)


@pytest_asyncio.fixture
async def vendor(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Vendor]:
    """What the product calls in this test."""
    async with Vendor().serving(monkeypatch) as own:
        yield own
