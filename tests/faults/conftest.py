"""An API process whose wire to PostgreSQL breaks where a test wants it to, and that can be killed there."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.support.cuts import Wire, wire_to
from tests.support.stack import child, free_port, wait_for
from tests.webhooks.conftest import hooks, receiver  # noqa: F401


@dataclass
class Api:
    """A process behind a wire."""

    base: str
    wire: Wire
    start: Callable[[], None]
    kill: Callable[[], None]


@pytest_asyncio.fixture(scope="session")
async def cut_api(address: str) -> AsyncIterator[Api]:
    port, running = free_port(), ExitStack()
    processes = []
    async with wire_to(os.environ["DATABASE_URL"]) as (wire, near):

        def start() -> None:
            argv = ("-m", "uvicorn", "app.main:app", "--port", str(port), "--no-access-log")
            settings = {"DATABASE_URL": near, "PAYMENT_TIMEOUT_SECONDS": "0.5"}
            processes.append(running.enter_context(child(*argv, **settings)))
            wait_for(f"http://127.0.0.1:{port}/readyz")

        await asyncio.to_thread(start)
        yield Api(f"http://127.0.0.1:{port}", wire, start, lambda: processes[-1].kill())
        await asyncio.to_thread(running.close)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody in this process waits for the card processor for long."""
    from app.core.config import settings
    from app.providers import stripe

    monkeypatch.setattr(settings(), "payment_timeout_seconds", 0.3)
    stripe._connected.cache_clear()
    yield
    stripe._connected.cache_clear()


@pytest_asyncio.fixture
async def wire(address: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    """This process's own connections to PostgreSQL go through a wire, as those of a worker."""
    from app.core import db
    from app.core.config import settings

    straight = db.engine()
    async with wire_to(os.environ["DATABASE_URL"]) as (wire, near):
        with monkeypatch.context() as patched:
            patched.setattr(settings(), "database_url", near)
            db.connect()
        yield wire
        await db.disconnect()
        db._engine = straight
