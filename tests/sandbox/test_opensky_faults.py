"""Every way in which OpenSky fails, as a client meets it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from sandbox.control import KNOWN_FAULTS
from sandbox.opensky.failures import FAILURES
from tests.sandbox.conftest import TOKENS, Client

RETRY_AFTER = "X-Rate-Limit-Retry-After-Seconds"


async def arm(client: Client, name: str, **more: Any) -> None:
    await client.control("POST", "/faults", {"fault": name, "times": 1, **more})


async def rows(client: Client, **params: Any) -> list[list[Any]]:
    found: list[list[Any]] = (await client.sky("states/all", **params)).json["states"]
    return found


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("opensky_429", 429, b"Too many requests"),
        ("opensky_429_hours", 429, b"Too many requests"),
        ("opensky_500", 500, b'{"error":"Something went wrong. Please try again later."}'),
        ("opensky_503", 503, b"<html>"),
        ("opensky_403", 403, b"Forbidden"),
        ("opensky_401", 401, b""),
        ("html_502", 502, b"<h1>502 Bad Gateway"),
        ("html_200", 200, b"<h1>"),
        ("bom", 200, b"\xef\xbb\xbf{"),
        ("redirect", 302, b""),
    ],
)
async def test_a_fault_strikes_once_on_any_path(client: Client, name: str, status: int, body: bytes) -> None:
    """With its status and its body; the next answer is proper again."""
    token = await client.token()
    for path, params in (("states/all", {}), ("flights/all", {"begin": 0, "end": 1})):
        proper = (await client.sky(path, token, **params)).status
        await arm(client, name, path=f"/api/{path}")
        struck = await client.sky(path, token, **params)
        if path == "states/all":
            assert (struck.status, body in struck.body) == (status, True)
        assert (await client.sky(path, token, **params)).status == proper
    struck_at = [entry["fault"] for entry in (await client.control("GET", "/journal"))["requests"]]
    assert struck_at.count(name) == 2


async def test_too_many_requests_may_come_with_hours_to_wait_or_without_a_word(client: Client) -> None:
    """Neither has the usual header."""
    await arm(client, "opensky_429")
    bare = await client.sky("states/all")
    assert not {"Retry-After", RETRY_AFTER} & bare.headers.keys()
    await arm(client, "opensky_429_hours")
    assert int((await client.sky("states/all")).headers[RETRY_AFTER]) == 6 * 3600


async def test_rows_may_be_short_or_long(client: Client) -> None:
    """Whether extended or not."""
    for name, length in (("opensky_short_rows", 16), ("opensky_long_rows", 19)):
        for extended in ("", "1"):
            await arm(client, name)
            assert {len(row) for row in await rows(client, extended=extended)} == {length}


async def test_states_may_be_null(client: Client) -> None:
    """Though the sky is full."""
    await arm(client, "opensky_states_null")
    assert (await client.sky("states/all")).json["states"] is None
    assert len(await rows(client)) > 300


async def test_callsigns_may_be_typed_in_any_way(client: Client) -> None:
    """In lower case, as on the ticket, or with zeros before the number."""
    usual = {row[0]: (row[1] or "").strip() for row in await rows(client)}
    await arm(client, "opensky_odd_callsigns")
    odd = {row[0]: row[1].strip() for row in await rows(client)}
    changed = {(usual[address], said) for address, said in odd.items() if usual.get(address) != said}
    assert len(changed) > 300
    assert any(was.lower() == said for was, said in changed)
    assert any(was.startswith("ZQS") and said == was.replace("ZQS", "ZZ") for was, said in changed)
    assert any(said[3:].startswith("0") and said[3:].lstrip("0") == was[3:] for was, said in changed)


async def test_positions_may_be_missing_or_old(client: Client) -> None:
    """While the aircraft was heard just now."""
    await arm(client, "opensky_null_positions")
    assert {tuple(row[i] for i in (3, 5, 6)) for row in await rows(client)} == {(None, None, None)}
    await arm(client, "opensky_old_positions")
    assert {row[4] - row[3] for row in await rows(client) if row[3]} == {243}


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("token_html", 200, b"<html>"),
        ("token_rejected_client", 401, b'"unauthorized_client"'),
        ("token_without_expiry", 200, b'"token_type":"Bearer"'),
        ("html_502", 502, b"502 Bad Gateway"),
    ],
)
async def test_tokens_may_be_hard_to_get(client: Client, name: str, status: int, body: bytes) -> None:
    """Once; then they are there for the asking again."""
    await arm(client, name)
    struck = await client.grant("sandbox")
    assert (struck.status, body in struck.body, b'expires_in":1800' in struck.body) == (status, True, False)
    assert (await client.grant("sandbox")).json["expires_in"] == 1800


async def test_a_token_may_take_its_time(client: Client) -> None:
    """Which delays nothing else."""
    loop = asyncio.get_running_loop()
    await arm(client, "token_slow", delay_seconds=0.3)
    await client.sky("states/all")
    begun = loop.time()
    assert (await client.grant("sandbox")).json["access_token"]
    assert loop.time() - begun > 0.29
    other, grant = (await client.control("GET", "/journal"))["requests"][-2:]
    assert (other["fault"], grant["fault"]) == (None, "token_slow")


@pytest.mark.parametrize("name", ["truncated", "reset"])
async def test_a_connection_may_be_lost(client: Client, name: str) -> None:
    """On the way to the states, and on the way to a token."""
    await client.control("POST", "/faults", {"fault": name})
    with pytest.raises(aiohttp.ClientError):
        await client.sky("states/all")
    with pytest.raises(aiohttp.ClientError):
        await client.grant("sandbox")
    await client.control("DELETE", "/faults")
    assert (await client.sky("states/all")).status == 200


async def test_garbage_is_no_json(client: Client) -> None:
    """Though the status says that all is well."""
    await arm(client, "garbage")
    reply = await client.sky("states/all")
    assert reply.status == 200
    with pytest.raises(ValueError):
        json.loads(reply.body)


async def test_a_fault_waits_for_a_request_that_it_concerns(client: Client) -> None:
    """Of its own vendor, and of its own kind; a path may stand for all that begin like it."""
    for name in ("opensky_500", "token_html", "opensky_short_rows"):
        await arm(client, name)
    assert (await client.get("airlines"))[0] == 200
    assert (await client.sky("flights/all", begin=0, end=1)).status == 500
    assert {len(row) for row in await rows(client)} == {16}
    assert b"<html>" in (await client.grant("sandbox")).body
    assert (await client.control("GET", "/faults"))["armed"] == []
    await client.control("POST", "/faults", {"fault": "html_502", "path": "/api/*"})
    assert (await client.sky("states/all")).status == (await client.sky("tracks", icao24="0")).status == 502
    assert (await client.get("airlines"))[0] == (await client.grant("sandbox")).status == 200
    await client.control("POST", "/faults", {"fault": "error_500"})
    assert (await client.sky("states/all")).status == 502


async def test_the_guide_knows_the_failures(client: Client) -> None:
    """And where tokens come from."""
    guide = await client.control("GET", "")
    assert FAILURES.keys() < KNOWN_FAULTS.keys() == guide["faults"].keys()
    assert guide["clients"] == ["sandbox", "user", "feeder", "exhausted"]
    assert f"POST {TOKENS}" in guide["controls"]
