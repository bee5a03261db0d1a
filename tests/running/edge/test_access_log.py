"""The edge's log: a line a request, for machines, without anything that is secret."""

import asyncio
import json
from typing import Any

from tests.running.edge.conftest import Edge
from tests.support.client import Client


async def test_a_line_tells_who_asked_and_how_it_ended(edge: Edge, outside: Client) -> None:
    """And nothing by which somebody could ask again: no path, query, key or cookie."""
    secrets = ("ZZSECRET1", "ZZSECRET2", "ZZSECRET3", "ZZSECRET4")
    told = {
        "X-Request-ID": f"logged-{edge.name}",
        "Authorization": f"Bearer {secrets[2]}",
        "Cookie": f"a={secrets[3]}",
    }
    await outside.get(f"/bookings/{secrets[0]}", token=secrets[1], headers=told)
    written = await line_of(edge, f"logged-{edge.name}")
    text = json.dumps(written)

    assert "127.0.0.1" in text
    assert "GET" in text
    assert 401 in written.values()
    assert not any(secret in edge.log.read_text() for secret in secrets)
    assert not any(secret in edge.log.with_name("output").read_text() for secret in secrets)


async def line_of(edge: Edge, request_id: str) -> dict[str, Any]:
    for _ in range(100):
        for line in edge.log.read_text().splitlines():
            if request_id in line:
                read: dict[str, Any] = json.loads(line)
                return read
        await asyncio.sleep(0.05)
    raise AssertionError("nothing was written about it")
