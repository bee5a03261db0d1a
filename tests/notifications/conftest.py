"""Mails as travellers get them, and events as the relay hands them on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.airports import service as airports
from app.providers import fcm
from tests.notifications.people import People
from tests.notifications.support import Mails
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


@pytest_asyncio.fixture
async def mails(sql: Any, sandbox: Sandbox, traveller: Client, fleet: Fleet) -> AsyncIterator[Mails]:
    """An empty outbox, no mail that waits, and an inbox in which nothing has arrived."""
    await sql("UPDATE outbox SET dispatched_at = now() WHERE dispatched_at IS NULL")
    await sql("DELETE FROM emails")
    await airports.ready()
    yield Mails(sql, sandbox, traveller, fleet)
    await sql("DELETE FROM emails")


@pytest_asyncio.fixture
async def people(
    sql: Any, sandbox: Sandbox, api: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[People]:
    """An empty outbox, and phones and an inbox on which nothing has arrived."""
    await sql("UPDATE outbox SET dispatched_at = now() WHERE dispatched_at IS NULL")
    await sql("DELETE FROM emails")
    await sql("DELETE FROM pushes")
    fcm.forget()
    await airports.ready()
    yield People(api, sql, sandbox, fleet, monkeypatch)
    await sql("DELETE FROM emails")
    await sql("DELETE FROM pushes")


@pytest.fixture
def no_mail_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens where mail should go."""
    from app.core.config import settings
    from tests.support.stack import free_port

    monkeypatch.setattr(settings(), "smtp_url", f"smtp://127.0.0.1:{free_port()}")
