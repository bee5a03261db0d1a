"""A world without Redis, and one with mail."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.core import redis
from tests.notifications.conftest import mails  # noqa: F401  For guests, who are let in by mail.
from tests.support.stack import free_port


@pytest_asyncio.fixture
async def no_redis(address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Redis refuses every connection while the test runs."""
    nobody = Redis.from_url(f"redis://127.0.0.1:{free_port()}/0", retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(redis, "_client", nobody)
    monkeypatch.setattr(redis, "_resting_until", 0.0)
    yield
    await nobody.aclose()
