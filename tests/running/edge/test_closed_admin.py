"""/admin: there for operators' addresses, and for nobody else, however it is written."""

import aiohttp
import pytest

from app.core.config import settings
from tests.running.edge.conftest import Edge
from tests.support.client import Client

OPERATOR = "127.0.0.9"


@pytest.mark.parametrize(
    "path",
    [
        "/admin/metrics",
        "/admin/health",
        "/admin",
        "//admin/metrics",
        "/./admin/metrics",
        "/docs/../admin/metrics",
        "/%61dmin/metrics",
        "/admin%2Fmetrics",
        "/docs/%2e%2e/admin/metrics",
        "/admin/metrics?x=/docs",
        "/admin;x=1/metrics",
    ],
)
async def test_nobody_finds_it(edge: Edge, path: str) -> None:
    """With the right token too; the product is not even asked."""
    said = await raw(edge, f"GET {path}", f"Authorization: Bearer {settings().admin_metrics_token}")

    assert said.split()[1] in (b"400", b"404")
    assert b"x-request-id" not in said.lower()
    assert b"jetway_" not in said


async def test_who_is_let_in_is_who_connects(edge: Edge) -> None:
    """Nobody is an operator by saying so."""
    told = f"X-Forwarded-For: {OPERATOR}\r\nX-Real-IP: {OPERATOR}\r\nForwarded: for={OPERATOR}"

    assert (await raw(edge, "GET /admin/health", told)).split()[1] == b"404"


async def test_an_operator_finds_it(edge: Edge) -> None:
    connector = aiohttp.TCPConnector(ssl=edge.trusted, local_addr=(OPERATOR, 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        client = Client(session, f"https://127.0.0.1:{edge.port}")
        health = await client.get("/admin/health")
        client.token = settings().admin_metrics_token
        metrics = await client.get("/admin/metrics")

    assert health.status == 200
    assert b"jetway_http_request_seconds" in metrics.raw


async def raw(edge: Edge, start: str, headers: str) -> bytes:
    """What comes back for a request that no client library has put right."""
    import asyncio

    reader, writer = await asyncio.open_connection(
        "127.0.0.1", edge.port, ssl=edge.trusted, server_hostname="localhost"
    )
    writer.write(f"{start} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n\r\n".encode())
    try:
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
