"""Redis, which may be gone at any moment: every use says what happens then."""

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from app.core.config import settings
from app.core.metrics import REDIS_ERRORS

T = TypeVar("T")

_TIMEOUT_SECONDS = 0.25
_REST_SECONDS = 1.0

_client: Redis | None = None
_resting_until = 0.0


def connect() -> None:
    global _client
    _client = Redis.from_url(
        settings().redis_url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


async def disconnect() -> None:
    global _client
    if _client is not None:
        await _client.aclose()
        _client = None


def client() -> Redis:
    if _client is None:
        raise RuntimeError("redis.connect() was not called")
    return _client


async def or_none(operation: Awaitable[T]) -> T | None:
    """The operation's answer, or None when Redis does not answer in time.

    After a failure Redis is left alone for a second, so that an outage costs a request nothing more.
    """
    global _resting_until
    if monotonic() < _resting_until:
        if asyncio.iscoroutine(operation):
            operation.close()
        return None
    try:
        return await operation
    except (RedisError, OSError, TimeoutError):
        _resting_until = monotonic() + _REST_SECONDS
        REDIS_ERRORS.inc()
        return None


async def ping() -> None:
    await client().ping()
