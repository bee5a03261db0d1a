"""Somebody whose every word is known, and everybody who could have heard it."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from app.privacy import service
from tests.notifications.conftest import mails
from tests.notifications.support import Mails
from tests.privacy.life import Life
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.webhooks.conftest import hooks, receiver
from tests.webhooks.support import Hooks

__all__ = ["hooks", "mails", "receiver"]


@pytest_asyncio.fixture
async def life(api: Client, sql: Any, fleet: Fleet, hooks: Hooks, mails: Mails) -> AsyncIterator[Life]:
    """An account whose owner has not done anything yet; there is room for another one afterwards."""
    life = Life(api, sql, fleet, hooks, mails)
    await life.begin()
    yield life
    await service.forget_again(uuid.UUID(life.client.user["id"]))
