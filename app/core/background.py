"""`@task`: an async function as a Celery task, and what a worker process does besides tasks.

A worker process keeps one event loop and one set of connections for its whole life, so tasks run the same
async services as the API. The loop has a thread of its own: what is kept running goes on while no task does.
A message carries ids at most: rows are the truth, and every task may run twice.
"""

import asyncio
import atexit
import functools
import logging
import ssl
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, wait
from time import monotonic
from typing import Any

import structlog
import uvloop
from celery import Celery, Task, current_task

from app.core import db, http, redis, strangers, tracing, work
from app.core.config import settings
from app.core.logging import TASKS as DATASET
from app.core.logging import logger
from app.core.metrics import TASK_SECONDS, TASKS
from app.core.work import Work

log = logger("jetway.tasks")

# Where its messages wait in Redis.
QUEUE = "celery"
celery = Celery("jetway")
celery.conf.update(
    broker_url=settings().redis_url,
    # By itself it would speak to whoever answers, and not look at their certificate.
    broker_use_ssl={"ssl_cert_reqs": ssl.CERT_REQUIRED}
    if settings().redis_url.startswith("rediss:")
    else None,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,  # What a worker keeps delivering needs no broker, so it never gives up.
    broker_transport_options={"visibility_timeout": 300, "socket_timeout": 5, "socket_connect_timeout": 5},
    accept_content=["json"],
    task_default_queue=QUEUE,
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

# What is kept running turns several times a second, and the longest turn is bounded by timeouts; beyond this it hangs.
_HANGS_SECONDS = 60.0

# How long what is kept running may take to end: longer than it waits for others, shorter than a container is given.
_ENDS_WITHIN_SECONDS = 8.0

# Sweeps come every few seconds. One that takes longer than this is worth a line even if it did nothing else.
_SLOW_SECONDS = 1.0

_loop: asyncio.AbstractEventLoop | None = None
_stop: asyncio.Event | None = None
_kept: set[Future[None]] = set()
_turned: dict[str, float] = {}


def open_resources() -> None:
    """Give this worker process its loop and its connections."""
    global _loop, _stop
    _loop, _stop = uvloop.new_event_loop(), asyncio.Event()
    threading.Thread(target=_run, args=(_loop,), name="loop", daemon=True).start()
    atexit.register(close_resources)
    run_here(_connect)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


async def _connect() -> None:
    db.connect()
    redis.connect()
    http.connect()
    strangers.connect()


def close_resources() -> None:
    """Let what is kept running come to its end, and give everything back."""
    global _loop
    if _loop is None or _stop is None:
        return
    _loop.call_soon_threadsafe(_stop.set)
    _turned.clear()
    wait(_kept, timeout=_ENDS_WITHIN_SECONDS)
    _kept.clear()
    run_here(_disconnect)
    _loop.call_soon_threadsafe(_loop.stop)
    _loop = None
    tracing.end()


async def _disconnect() -> None:
    await asyncio.gather(strangers.disconnect(), http.disconnect(), redis.disconnect(), db.disconnect())


def keep(service: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run something beside the tasks until this process ends; it is told by an event, and then has some seconds."""
    if _loop is None:
        open_resources()
    assert _loop is not None  # noqa: S101
    assert _stop is not None  # noqa: S101
    _kept.add(asyncio.run_coroutine_threadsafe(_awaited(service, _stop), _loop))


def turned(name: str) -> None:
    """To be called by what is kept running, each time round."""
    _turned[name] = monotonic()


def hanging() -> list[str]:
    """What is kept running here and does not come round any more; tasks may go on beside it."""
    return [name for name, at in _turned.items() if monotonic() - at > _HANGS_SECONDS]


def run_here(function: Callable[..., Awaitable[None]], *args: Any) -> None:
    """Run an async function to its end on this process's loop."""
    if _loop is None:
        open_resources()
    assert _loop is not None  # noqa: S101
    running = asyncio.run_coroutine_threadsafe(_awaited(function, *args), _loop)
    try:
        running.result()
    finally:
        # Celery's time limit interrupts the waiting, and must end what is waited for as well.
        running.cancel()


def _traceparent() -> str | None:
    """The trace that the message of the task in hand belongs to; Beat's belong to none."""
    return celery.current_task.request.get("traceparent") if celery.current_task else None


async def _awaited(function: Callable[..., Awaitable[None]], *args: Any) -> None:
    await function(*args)


def task(name: str) -> Callable[[Callable[..., Awaitable[None]]], Task[Any, None]]:
    """Register an async function under `name`; its arguments must survive JSON."""

    def register(function: Callable[..., Awaitable[None]]) -> Task[Any, None]:
        @functools.wraps(function)
        def run(*args: Any) -> None:
            known, started, outcome = Work(), monotonic(), "failed"
            work.current.set(known)
            about = {
                "jetway.task.name": name,
                "jetway.task.id": current_task.request.id if current_task else "",
            }
            trace = tracing.joined(name, "consumer", _traceparent())
            with structlog.contextvars.bound_contextvars(**about), TASK_SECONDS.labels(name).time(), trace:
                try:
                    run_here(function, *args)
                    outcome = "succeeded"
                except Exception as error:
                    trace.failed(type(error).__name__)
                    log.exception("task failed")
                    raise
                finally:
                    TASKS.labels(name, outcome).inc()
                    _tell(known, monotonic() - started, outcome, asked_for=bool(args))

        return celery.task(name=name)(run)

    return register


def _tell(known: Work, seconds: float, outcome: str, *, asked_for: bool) -> None:
    """One line a task. A sweep that found nobody to call is one of thousands a day: only DEBUG tells of it."""
    notable = asked_for or known.calls or seconds > _SLOW_SECONDS or outcome != "succeeded"
    facts: dict[str, Any] = {
        "event.dataset": DATASET,
        "event.outcome": "success" if outcome == "succeeded" else "failure",
        "event.duration": round(seconds * 1e9),
    }
    if known.calls:
        facts["jetway.upstream.calls"] = known.calls
        facts["jetway.upstream.duration"] = round(known.call_seconds * 1e9)
    log.log(logging.INFO if notable else logging.DEBUG, f"task {outcome}", **facts)
