"""The client for servers that users name, and names for such servers."""

import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.core import strangers
from tests.support.strangers import RESOLVE, TOTAL, Names


@pytest_asyncio.fixture
async def connected(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The client, in place of the one that the application may have opened."""
    monkeypatch.setenv(
        "SSL_CERT_FILE", os.devnull
    )  # Nobody is trusted: to read whom the machine trusts takes long.
    monkeypatch.setattr(strangers, "_client", None)
    strangers.connect()
    yield
    await strangers.disconnect()


@pytest_asyncio.fixture
async def impatient(connected: None) -> None:
    """The client with a test's patience."""
    await strangers.disconnect()
    strangers.connect(total_seconds=TOTAL, resolve_seconds=RESOLVE)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Names of our own beside the real ones; they are known only as absolute names."""
    known, real = Names(), socket.getaddrinfo

    def looked_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if not isinstance(host, str) or host.removesuffix(".") not in known:
            return real(host, port, *rest, **more)
        assert host.endswith(".")
        known.asked.append(host.removesuffix("."))
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in known[host.removesuffix(".")]()
        ]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return known
