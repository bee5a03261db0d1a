"""Every way of failing, as a client meets it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from sandbox.aviationstack.failures import FAILURES
from sandbox.control import KNOWN_FAULTS
from tests.sandbox.conftest import Client

WHOLE = {
    "error_500": (500, b'"internal_error"'),
    "error_php": (500, b"App"),
    "error_in_200": (200, b'{"error"'),
    "message_only": (401, b'{"message":"Unauthorized"}'),
    "legacy_envelope": (429, b'"success":false'),
    "rate_limited": (429, b"rate_limit_reached"),
    "quota_exhausted": (429, b"usage_limit_reached"),
    "empty": (200, b'"data":[]'),
    "html_502": (502, b"<h1>502 Bad Gateway"),
    "html_200": (200, b"<h1>"),
    "jsonp": (200, b'callback({"pagination"'),
    "bom": (200, b"\xef\xbb\xbf{"),
    "redirect": (302, b""),
    "wrong_content_type": (200, b'{"pagination"'),
}


async def arm(client: Client, name: str, **more: Any) -> None:
    await client.control("POST", "/faults", {"fault": name, "times": 1, **more})


async def fetch(client: Client, function: str = "airlines") -> tuple[int, bytes]:
    url, params = f"{client.base}/v1/{function}", {"access_key": "sandbox"}
    async with client.session.get(url, params=params, allow_redirects=False) as response:
        return response.status, await response.read()


@pytest.mark.parametrize("name", WHOLE)
async def test_a_fault_strikes_once_and_is_gone(client: Client, name: str) -> None:
    """With its status and its body; the next answer is proper again."""
    await arm(client, name)
    status, body = await fetch(client)
    assert (status, WHOLE[name][1] in body) == (WHOLE[name][0], True)
    assert (await client.get("airlines"))[0] == 200


async def test_garbage_is_no_json(client: Client) -> None:
    """Though the status says that all is well."""
    await arm(client, "garbage")
    status, body = await fetch(client)
    assert status == 200
    with pytest.raises(ValueError):
        json.loads(body)


@pytest.mark.parametrize("name", ["truncated", "reset"])
async def test_a_connection_may_be_lost(client: Client, name: str) -> None:
    """Before the answer, or in the middle of it; the client tries a reused connection once more by itself."""
    await client.control("POST", "/faults", {"fault": name})
    with pytest.raises(aiohttp.ClientError):
        await fetch(client)
    await client.control("DELETE", "/faults")
    assert (await fetch(client))[0] == 200


async def test_a_truncated_answer_promises_more_than_it_sends(client: Client) -> None:
    """Headers arrive, with the whole length."""
    await arm(client, "truncated")
    async with client.session.get(f"{client.base}/v1/airlines?access_key=sandbox") as response:
        assert response.status == 200
        received = await response.content.read(10)
        assert int(response.headers["Content-Length"]) > len(received)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_slow_waits_before_the_headers_and_drip_after_them(client: Client) -> None:
    """Both end with the whole body."""
    loop = asyncio.get_running_loop()
    for name in ("slow", "drip"):
        await arm(client, name, delay_seconds=0.3)
        begun = loop.time()
        async with client.session.get(f"{client.base}/v1/airlines?access_key=sandbox") as response:
            headers_after = loop.time() - begun
            assert len((await response.json())["data"]) == 12
        assert (headers_after > 0.25) is (name == "slow")
        assert loop.time() - begun > 0.25


async def test_huge_is_larger_than_anybody_should_read(client: Client) -> None:
    """A client that stops reading does not trouble the server."""
    await arm(client, "huge")
    async with client.session.get(f"{client.base}/v1/airlines?access_key=sandbox") as response:
        read = 0
        async for chunk in response.content.iter_chunked(1 << 16):
            read += len(chunk)
            if read > 4_000_000:
                break
        response.close()
    assert (await fetch(client))[0] == 200


async def test_wrong_types_keep_what_makes_a_flight(client: Client) -> None:
    """Carrier, number, ends and schedule stay; the rest is text, null or missing."""
    await arm(client, "wrong_types")
    rows = await client.rows("flights")
    assert all(row["flight"]["number"] and row["departure"]["scheduled"] for row in rows)
    assert any("terminal" not in row["departure"] for row in rows)
    assert any(row["departure"].get("terminal", "") is None for row in rows)
    assert not any(isinstance(row["departure"].get("delay"), int) for row in rows)


async def test_bad_records_stand_among_good_ones(client: Client) -> None:
    """All good rows are still there."""
    good = await client.rows("flights")
    await arm(client, "bad_records")
    mixed = await client.rows("flights")
    assert len(mixed) == len(good) + 5
    assert [row for row in mixed if row in good] == good


async def test_a_fault_keeps_to_its_path(client: Client) -> None:
    """Until it is cleared, when it has no number of times."""
    await client.control("POST", "/faults", {"fault": "error_500", "path": "/v1/flights"})
    assert [(await fetch(client, f))[0] for f in ("flights", "airlines", "flights")] == [500, 200, 500]
    assert (await client.control("DELETE", "/faults"))["armed"] == []
    assert (await fetch(client, "flights"))[0] == 200


async def test_a_fault_may_be_a_matter_of_chance(client: Client) -> None:
    """Some calls are struck and some are not."""
    await client.control("POST", "/faults", {"fault": "error_500", "probability": 0.5})
    assert {(await fetch(client, "taxes"))[0] for _ in range(30)} == {200, 500}


async def test_an_unknown_fault_is_refused(client: Client) -> None:
    """With the names of those that are known."""
    answer = await client.control("POST", "/faults", {"fault": "gremlins"}, expect=400)
    assert "html_502" in answer["error"]
    assert FAILURES.keys() < KNOWN_FAULTS.keys()
