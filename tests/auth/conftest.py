"""A clock that stands still, and an inbox in which nothing has arrived."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio

from app.airports import service as airports
from app.core import clock
from tests.auth.support import Mailbox
from tests.support.client import Sandbox


@pytest.fixture(autouse=True)
def _within_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """No half minute ends between a code and its use."""
    at = datetime.now(UTC)
    monkeypatch.setattr(clock, "now", lambda: at)


@pytest_asyncio.fixture
async def mailbox(sql: Any, sandbox: Sandbox) -> AsyncIterator[Mailbox]:
    """What was to be mailed before is not; ask for it before anybody signs up."""
    await sql("UPDATE outbox SET dispatched_at = now() WHERE dispatched_at IS NULL")
    await sql("DELETE FROM emails")
    await airports.ready()
    yield Mailbox(sandbox)
    await sql("DELETE FROM emails")
