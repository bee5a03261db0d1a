"""The receiver of webhooks: it answers as it is told, and shows whether what arrived is signed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from typing import Any

import pytest

from tests.sandbox.conftest import Client

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
BODY = b'{"type": "booking.held", "data": {"pnr": "<b>K7QX2M"}}'


def signed(
    secret: str, at: float | None = None, body: bytes = BODY, message: str = "evt_1"
) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


async def verdicts(client: Client) -> list[str]:
    """The oldest first."""
    found = (await client.control("GET", "/hooks"))["arrivals"]
    return [one["signature"] for one in reversed(found)]


async def test_signatures_are_looked_at_once_the_secret_is_known(client: Client) -> None:
    """By the letter of the specification, with any of several secrets and any of several signatures."""
    both = signed(OTHER)
    both["webhook-signature"] += " " + signed(SECRET)["webhook-signature"]
    garbage = [{**signed(SECRET), "webhook-signature": value} for value in ("garbage", "v1", "v1,a,b")]
    stale = [signed(SECRET, at=time.time() - 301), {**signed(SECRET), "webhook-timestamp": "soon"}]
    for headers in (signed(SECRET), both, signed(OTHER), *garbage, *stale, {}):
        answer = await client.send("POST", "/_sandbox/hooks/mine", data=BODY, headers=headers)
        assert answer.status == 200
    await client.send("POST", "/_sandbox/hooks/mine", data=BODY + b" ", headers=signed(SECRET))

    assert (await verdicts(client))[0] == "no secret known"
    await client.control("POST", "/hooks/mine/behaviour", {"secret": SECRET})
    assert await verdicts(client) == [
        *("good", "good", "bad signature"),
        *("bad signature", "bad signature", "bad signature"),
        *("too old or too new", "bad timestamp", "not signed"),
        "bad signature",
    ]
    await client.control("POST", "/hooks/mine/behaviour", {"secret": OTHER})
    assert (await verdicts(client))[:3] == ["good", "good", "good"]


async def test_it_answers_as_it_is_told(client: Client) -> None:
    """So many times, and each name for itself."""
    told = {"status": 503, "headers": {"Retry-After": "30"}, "body": "later", "times": 1}
    await client.control("POST", "/hooks/busy/behaviour", told)

    other = await client.send("POST", "/_sandbox/hooks/mine", data=b"")
    first = await client.send("POST", "/_sandbox/hooks/busy", data=BODY, headers=signed(SECRET))
    second = await client.send("POST", "/_sandbox/hooks/busy", data=BODY, headers=signed(SECRET))

    assert (other.status, first.status, second.status) == (200, 503, 200)
    assert (first.headers["Retry-After"], first.body) == ("30", b"later")
    arrived = (await client.control("GET", "/hooks?name=busy"))["arrivals"]
    assert [(one["answered"], one["seen_before"]) for one in arrived] == [("200", True), ("503", False)]


async def test_it_can_be_slow_or_say_nothing(client: Client) -> None:
    """What it will not answer has arrived all the same."""
    await client.control("POST", "/hooks/slow/behaviour", {"delay_seconds": 0.2})
    await client.control("POST", "/hooks/silent/behaviour", {"hang": True})

    began = time.monotonic()
    await client.send("POST", "/_sandbox/hooks/slow", data=BODY)
    assert time.monotonic() - began >= 0.2
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.send("POST", "/_sandbox/hooks/silent", data=BODY), 0.2)

    found = (await client.control("GET", "/hooks"))["arrivals"]
    assert [(one["hook"], one["answered"]) for one in found] == [("silent", "hang"), ("slow", "200")]


@pytest.mark.parametrize(
    "told",
    [
        {"status": 99},
        {"secret": "whsec_?"},
        {"secret": 5},
        {"headers": {"a": 1}},
        {"speed": 1},
        {"times": "x"},
    ],
    ids=str,
)
async def test_what_cannot_be_done_is_refused(client: Client, told: dict[str, Any]) -> None:
    await client.control("POST", "/hooks/mine/behaviour", told, expect=400)

    assert (await client.send("POST", "/_sandbox/hooks/mine", data=BODY)).status == 200


async def test_a_browser_sees_deliveries_arrive(client: Client) -> None:
    """On a page that refreshes itself; what was sent does not become part of it."""
    browser = {"Accept": "text/html,application/xhtml+xml"}
    empty = await client.send("GET", "/_sandbox/hooks", headers=browser)
    await client.send("POST", "/_sandbox/hooks/mine", data=BODY, headers=signed(SECRET))
    await client.control("POST", "/hooks/mine/behaviour", {"secret": SECRET})
    [arrival] = (await client.control("GET", "/hooks"))["arrivals"]

    listed = await client.send("GET", "/_sandbox/hooks", headers=browser)
    one = await client.send("GET", f"/_sandbox/hooks/{arrival['id']}", headers=browser)

    assert b"Nothing has arrived" in empty.body
    assert b'http-equiv="refresh"' in listed.body
    assert b"booking.held" in listed.body
    for page in (listed, one):
        assert b'<span class="good">good</span>' in page.body
        assert b"<b>" not in page.body
        assert "script-src 'none'" in page.headers["Content-Security-Policy"]
    await client.control("DELETE", "/hooks")
    await client.control("GET", f"/hooks/{arrival['id']}", expect=404)
