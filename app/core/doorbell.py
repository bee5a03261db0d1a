"""Telling a worker that there is something to do, if the broker can be reached: the sweep finds it anyway."""

import asyncio
from functools import cache, partial
from typing import Any

from celery.exceptions import OperationalError

from app.core import redis, tracing
from app.core.background import celery
from app.core.config import settings
from app.core.logging import logger
from app.core.together import Together

log = logger("jetway.doorbell")

_PATIENCE_SECONDS = 1.0
# A ring that nobody hears, because no worker runs, is forgotten after this long: Beat's sweep does its work.
_LASTS_SECONDS = 5


async def ring(task: str) -> None:
    """Ask for a sweep once there are committed rows for it; rings until a worker hears them are one message."""
    await _ringing(task)()


@cache
def _ringing(task: str) -> Together:
    return Together(partial(_ring, task))


async def _ring(task: str) -> None:
    first = redis.client().set(_key(task), 1, nx=True, ex=_LASTS_SECONDS)
    if await redis.or_none(first):
        await send(task, expires=_LASTS_SECONDS)


async def heard(task: str) -> None:
    """To be called by the sweep before it looks for rows: whoever has one from here on rings again."""
    await redis.or_none(redis.client().delete(_key(task)))


async def send(task: str, *arguments: str, expires: int | None = None) -> None:
    """A message to the workers. Nobody waits long for a broker that does not answer."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await asyncio.to_thread(_send, task, arguments, expires)
    except (OSError, OperationalError) as error:
        log.warning("doorbell not rung", task_name=task, arguments=arguments, reason=type(error).__name__)


def _key(task: str) -> str:
    return f"doorbell:{task}"


def _send(task: str, arguments: tuple[Any, ...], expires: int | None) -> None:
    with celery.connection_for_write(settings().redis_url) as connection:
        celery.send_task(
            task,
            arguments,
            connection=connection,
            retry=False,
            expires=expires,
            headers=tracing.headers(),
        )
