"""Whoever asks from outside cannot have the product trace what they ask, which costs more than asking."""

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.running.edge.conftest import PROXIES, running


@pytest.mark.parametrize("name", PROXIES)
async def test_a_trace_of_somebody_elses_is_not_joined(name: str, tmp_path: Path) -> None:
    """The headers of the W3C's Trace Context end at the edge; the request's id goes on."""
    heard: list[dict[str, str]] = []

    async def hear(request: web.BaseRequest) -> web.Response:
        heard.append({header.lower(): value for header, value in request.headers.items()})
        return web.Response()

    runner = web.ServerRunner(web.Server(hear))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    product = f"http://127.0.0.1:{runner.addresses[0][1]}"
    told = {
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        "tracestate": "theirs=1",
        "X-Request-ID": "request-of-theirs",
    }

    with running(name, tmp_path, product) as edge:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=edge.trusted)) as session:
            async with session.get(f"{edge.url}/airports/JFK", headers=told) as answer:
                assert answer.status == 200
    await runner.cleanup()

    assert heard[-1]["x-request-id"] == "request-of-theirs"
    assert heard[-1].keys().isdisjoint({"traceparent", "tracestate"})
