"""A vendor of the test's own, small pages, and days that no other test knows."""

import itertools
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import pytest
import pytest_asyncio

from app.core.config import settings
from tests.flights import pattern
from tests.providers.vendor import Vendor
from tests.support.client import Sandbox, in_days

_days = itertools.count(200)


@pytest_asyncio.fixture
async def vendor(sandbox: Sandbox, address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Vendor]:
    """What the product calls in this test."""
    async with Vendor().serving(monkeypatch) as own:
        yield own


@pytest.fixture
def page_size(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the vendor be asked for so many rows at a time."""
    return lambda rows: monkeypatch.setattr(settings(), "aviationstack_page_size", rows)


@pytest.fixture
def day() -> date:
    """A day on which nothing has happened yet."""
    return in_days(next(_days))


@pytest_asyncio.fixture
async def nothing_known(address: str, sql: Any) -> None:
    """Of the airport whose dates are projected."""
    await pattern.forget(sql)
