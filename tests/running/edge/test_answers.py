"""What the product answers arrives: whole, compressed where that helps, and with its request id."""

import asyncio
from typing import Any

from tests.bookings.paid import bought
from tests.running.edge.conftest import Edge
from tests.support.client import Client
from tests.support.fleet import Fleet


async def test_text_is_compressed_for_who_can_read_that(outside: Client, api: Client) -> None:
    """And comes out as the product wrote it; whoever keeps answers is told what they depend on."""
    direct = await api.get("/airports", limit=50)
    packed = await outside.get("/airports", limit=50, headers={"Accept-Encoding": "gzip"})
    plain = await outside.get("/airports", limit=50, headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert "content-encoding" not in plain.headers
    assert packed.raw == plain.raw == direct.raw


async def test_an_answer_that_has_not_changed_is_not_sent_again(outside: Client) -> None:
    """Although the edge compresses it."""
    headers = {"Accept-Encoding": "gzip"}
    first = await outside.get("/airports", limit=50, headers=headers)
    again = await outside.get(
        "/airports", limit=50, headers=headers | {"If-None-Match": first.headers["etag"]}
    )

    assert (again.status, again.raw) == (304, b"")


async def test_a_pdf_arrives_as_it_was_made(
    traveller: Client, outside: Client, fleet: Fleet, sql: Any
) -> None:
    """Compressing it once more would only cost time."""
    pnr = (await bought(traveller, fleet, sql))["pnr"]
    outside.token = traveller.token

    direct = await traveller.get(f"/bookings/{pnr}/itinerary.pdf")
    through = await outside.get(f"/bookings/{pnr}/itinerary.pdf", headers={"Accept-Encoding": "gzip"})

    assert len(direct.raw) > 20_000
    assert through.raw == direct.raw
    assert "content-encoding" not in through.headers


async def test_a_request_keeps_its_id(outside: Client) -> None:
    given = await outside.get("/airports/JFK", headers={"X-Request-ID": "from-the-client-1"})
    made = await outside.get("/airports/JFK")

    assert given.headers["x-request-id"] == "from-the-client-1"
    assert len(made.headers["x-request-id"]) == 32


async def test_a_connection_is_used_again(edge: Edge) -> None:
    """A handshake for each request would take longer than most answers."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", edge.port, ssl=edge.trusted, server_hostname="localhost"
    )
    try:
        for _ in range(5):
            writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert head.startswith(b"HTTP/1.1 200 ")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
    finally:
        writer.close()
