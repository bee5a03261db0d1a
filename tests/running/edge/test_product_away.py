"""Where the product does not answer, the edge says so, and soon."""

import asyncio
import contextlib
import time
from pathlib import Path

import aiohttp
import pytest

from tests.running.edge.conftest import PATIENCE, PROXIES, Edge, running
from tests.support.client import Answer, Client
from tests.support.stack import free_port


async def asked(edge: Edge) -> tuple[Answer, float]:
    started = time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=edge.trusted)) as session:
        answer = await asyncio.wait_for(Client(session, edge.url).post("/bookings", {}), 10)
    return answer, time.monotonic() - started


@pytest.mark.parametrize("name", PROXIES)
async def test_a_product_that_is_down_or_hangs(name: str, tmp_path: Path) -> None:
    """And once it is up again it is asked again, without a pause longer than a second."""
    port = free_port()
    asked_for = 0
    looked_after = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked_for
        if b"/readyz" in await reader.readline():
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()
            looked_after.set()
            return
        asked_for += 1
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    with running(name, tmp_path, f"http://127.0.0.1:{port}", impatient=True) as edge:
        down, soon = await asked(edge)
        async with await asyncio.start_server(hang, "127.0.0.1", port):
            if name == "traefik":  # It asks twice a second whether somebody is there; nginx tries.
                await asyncio.wait_for(looked_after.wait(), 5)
                await asyncio.sleep(0.2)
            hanging, later = await asked(edge)

    assert (down.status, soon < 2) in ((502, True), (503, True))
    assert hanging.status in (503, 504)
    assert later < PATIENCE + 2
    assert asked_for == 1
