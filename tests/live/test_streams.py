"""`GET /flights/live/stream`: positions again and again, without holding anybody up."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import pytest

from app.core.web import sse
from app.live import answers, streams
from app.live.schemas import LiveQuery
from app.live.streams import PositionStream
from tests.live.support import EUROPE, STATES, Sky
from tests.support.client import Client
from tests.support.sse import event

STREAM = "/flights/live/stream"
LONGEST_PAUSE_SECONDS = streams._LONGEST_PAUSE_SECONDS


@pytest.fixture(autouse=True)
def _looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests let pictures grow old sooner than their time."""
    monkeypatch.setattr(streams, "_LONGEST_PAUSE_SECONDS", 1.0)


@asynccontextmanager
async def opened(api: Client, **query: str) -> AsyncIterator[aiohttp.ClientResponse]:
    timeout = aiohttp.ClientTimeout(total=None, sock_read=30)
    async with api.session.get(api.base + STREAM, params=query, timeout=timeout) as response:
        yield response


async def positions(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The next event with positions."""
    while True:
        fields = await event(response)
        if fields.get("event") == "positions":
            return {"id": fields["id"], **orjson.loads(fields["data"])}


async def closed(seconds: float = 3) -> None:
    """Wait until no stream is open in this process."""
    await are_open(0, seconds)


async def are_open(count: int, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while streams.crowd.open != count:  # noqa: ASYNC110  It happens in another task.
            await asyncio.sleep(0.02)


async def test_a_stream_begins_with_what_there_is_and_goes_on(api: Client, sky: Sky) -> None:
    """The same answers as without a stream, each with an id."""
    flight = await sky.airborne()
    async with opened(api, bbox=EUROPE) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        first = await positions(response)
        plain = await api.get("/flights/live", bbox=EUROPE)
        assert first["data"] == plain.body["data"]
        here = next(row for row in first["data"] if row["icao24"] == flight["icao24"].lower())
        # The vendor has something new every five seconds.
        async with asyncio.timeout(10):
            there = here
            while there["observed_at"] == here["observed_at"]:
                await sky.grow_old()
                second = await positions(response)
                there = next(row for row in second["data"] if row["icao24"] == here["icao24"])

    assert first["id"] != second["id"]
    assert here["longitude"] < there["longitude"]
    await closed()


async def test_proxies_are_told_not_to_hold_it_back(api: Client, sky: Sky) -> None:
    async with opened(api) as response:
        assert response.headers["X-Accel-Buffering"] == "no"
        assert "no-store" in response.headers["Cache-Control"]
        assert "Content-Length" not in response.headers
        assert (await event(response))["retry"] == "3000"
    await closed()


async def test_many_streams_cause_as_many_calls_as_one(api: Client, sky: Sky) -> None:
    """One for each picture."""
    async with asyncio.timeout(25):
        connections = [opened(api, limit="5") for _ in range(30)]
        responses = [await connection.__aenter__() for connection in connections]
        first = [await positions(response) for response in responses]
        second = [await positions(response) for response in responses]
        for connection in connections:
            await connection.__aexit__(None, None, None)

    assert len({one["id"] for one in first}) == 1
    assert len({one["id"] for one in second}) == 1
    assert len(await sky.calls()) == 2
    await closed()


async def test_a_silent_stream_is_kept_open(api: Client, sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    """By comments, at least every fifteen seconds."""
    assert LONGEST_PAUSE_SECONDS <= 10
    async with opened(api) as response:
        await positions(response)
        assert await event(response) == {"comment": "keep-alive"}
    await closed()


async def test_a_client_that_leaves_costs_nothing_more(api: Client, sky: Sky) -> None:
    async with opened(api) as response:
        await positions(response)
        assert streams.crowd.open == 1
    await closed()
    await sky.grow_old()
    await asyncio.sleep(1.5)

    assert len(await sky.calls()) == 1


async def test_there_is_an_end_to_streams(api: Client, sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes too much is told to come again."""
    monkeypatch.setattr(streams.crowd, "most", 2)
    async with opened(api), opened(api):
        refused = await api.get(STREAM)
        assert (refused.status, refused.code, refused.body["retryable"]) == (503, "too_many_streams", True)
        assert refused.headers["Retry-After"] == "10"
    await closed()
    async with opened(api) as response:
        assert response.status == 200
    await closed()


async def test_bad_filters_are_refused_before_a_stream_begins(api: Client, sky: Sky) -> None:
    answer = await api.get(STREAM, bbox="1,2,3")

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "bbox")


async def test_without_positions_no_stream_begins(api: Client, sky: Sky) -> None:
    await sky.sandbox.fault("opensky_500", STATES)

    assert (await api.get(STREAM)).code == "positions_unavailable"


async def test_a_stream_says_when_positions_are_old_or_gone(api: Client, sky: Sky) -> None:
    """And goes on when they are back."""
    from app.live import tiles

    async with opened(api, limit="1") as response:
        assert (await positions(response))["meta"]["stale"] is False
        await sky.sandbox.fault("opensky_500", STATES)
        await sky.grow_old()
        assert (await positions(response))["meta"]["stale"] is True
        for held in tiles._held.values():
            held.usable_until = 0.0
        while (told := await event(response)).get("event") != "unavailable":
            pass
        assert orjson.loads(told["data"]) == {"code": "positions_unavailable"}
        await sky.sandbox.control("DELETE", "/faults")
        await sky.grow_old()
        assert (await positions(response))["meta"]["stale"] is False
    await closed()


async def test_a_slow_client_holds_nobody_up(api: Client, sky: Sky) -> None:
    """It reads nothing at all; others are answered."""
    await sky.set(extra_aircraft=5000)
    address = urlsplit(api.base)
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(slow, (address.hostname, address.port))
        await loop.sock_sendall(slow, f"GET {STREAM}?limit=10000 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await are_open(1)
        await asyncio.sleep(0.5)
        assert streams.crowd.open == 1
        assert (await api.get("/flights/live", limit=1)).status == 200
    await closed()


async def test_a_slow_client_is_given_a_piece_at_a_time(sky: Sky, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is given up when it takes none for a while."""
    monkeypatch.setattr(sse, "_STUCK_SECONDS", 0.3)
    await sky.set(extra_aircraft=5000)
    query, pieces, forever = LiveQuery(limit=10_000), [], asyncio.Event()

    async def send(message: Any) -> None:
        pieces.append(len(message.get("body", b"")))
        if len(pieces) == 5:
            await forever.wait()

    async def receive() -> Any:
        await forever.wait()

    answer = await answers.find(query)
    await PositionStream(query, answer)({"type": "http"}, receive, send)

    assert len(answer.body.plain) > 1_000_000
    assert (len(pieces), max(pieces)) == (5, 64 * 1024)
    assert streams.crowd.open == 0
