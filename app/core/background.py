"""`@task`: an async function as a Celery task.

A worker process keeps one event loop and one set of connections for its whole life, so tasks run the same
async services as the API. A message carries ids at most: rows are the truth, and every task may run twice.
"""

import asyncio
import atexit
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from celery import Celery, Task

from app.core import db, http, redis
from app.core.config import settings
from app.core.logging import logger
from app.core.metrics import TASKS

log = logger("jetway.tasks")

celery = Celery("jetway")
celery.conf.update(
    broker_url=settings().redis_url,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 300, "socket_timeout": 5, "socket_connect_timeout": 5},
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_time_limit=120,
    task_soft_time_limit=90,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_soft_shutdown_timeout=5,
    timezone="UTC",
    enable_utc=True,
)

_runner: asyncio.Runner | None = None


def open_resources() -> None:
    """Give this worker process its loop and its connections."""
    global _runner
    _runner = asyncio.Runner()
    atexit.register(close_resources)

    async def connect() -> None:
        db.connect()
        redis.connect()
        http.connect()

    _runner.run(connect())


def close_resources() -> None:
    global _runner
    if _runner is None:
        return

    async def disconnect() -> None:
        await asyncio.gather(http.disconnect(), redis.disconnect(), db.disconnect())

    _runner.run(disconnect())
    _runner.close()
    _runner = None


def run_here(function: Callable[..., Awaitable[None]], *args: Any) -> None:
    """Run an async function to its end on this process's loop."""
    if _runner is None:
        open_resources()
    assert _runner is not None  # noqa: S101

    async def awaited() -> None:
        await function(*args)

    _runner.run(awaited())


def task(name: str) -> Callable[[Callable[..., Awaitable[None]]], Task[Any, None]]:
    """Register an async function under `name`; its arguments must survive JSON."""

    def register(function: Callable[..., Awaitable[None]]) -> Task[Any, None]:
        @functools.wraps(function)
        def run(*args: Any) -> None:
            with structlog.contextvars.bound_contextvars(task=name):
                try:
                    run_here(function, *args)
                except Exception:
                    TASKS.labels(name, "failed").inc()
                    log.exception("task failed")
                    raise
            TASKS.labels(name, "succeeded").inc()

        return celery.task(name=name)(run)

    return register
