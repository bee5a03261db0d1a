"""What no honest client sends is refused before it reaches the database."""

import asyncio

import pytest

from app.core import strangers
from tests.support.client import Client
from tests.support.strangers import stranger
from tests.webhooks.support import Hooks

_URL = "http://127.0.0.1:9999/hook"


@pytest.mark.parametrize("text", ['"\\u0000"', '"\\ud800"', '"K7Q\\u0000M"', '"\\uff2b7QX2M"'])
@pytest.mark.parametrize("field", ["url", "bookings", "description", "events"])
async def test_odd_characters_are_a_refusal(traveller: Client, field: str, text: str) -> None:
    """Never an error of ours."""
    value = f"[{text}]" if field in ("bookings", "events") else text
    members = {"url": f'"{_URL}"', "events": '["*"]'} | {field: value}
    body = "{" + ",".join(f'"{name}": {one}' for name, one in members.items()) + "}"

    answer = await traveller.send(
        "POST", "/webhooks/subscriptions", data=body.encode(), headers={"Content-Type": "application/json"}
    )

    allowed = (201, 422) if (field, text) == ("description", '"\\uff2b7QX2M"') else (400, 422)
    assert answer.status in allowed, answer.body


async def test_a_delivery_that_was_sent_again_without_end_stops_nobody(hooks: Hooks) -> None:
    """Its number grows beyond what sixteen bits hold, and others are delivered beside it."""
    subscription = await hooks.subscribed("booking.held")
    await hooks.booked()
    await hooks.delivered()
    [delivery] = await hooks.deliveries(subscription)
    await hooks.sql("UPDATE webhook_deliveries SET tries = 32767")
    await hooks.traveller.post(f"/webhooks/deliveries/{delivery['id']}/redeliver")
    await hooks.booked()

    await hooks.delivered()

    assert len(hooks.receiver.arrivals) == 3
    assert {one["state"] for one in await hooks.deliveries(subscription)} == {"delivered"}


@pytest.mark.parametrize("line", ["99999 What", "000 Nothing", "-1 Less", "1e3 More", "2000 Long"])
async def test_a_status_that_is_none_is_no_answer(line: str) -> None:
    """The table holds three digits, and one odd receiver must not keep the others' results from being written."""
    strangers.connect(total_seconds=1)
    async with stranger(f"HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n".encode()) as server:
        reply = await strangers.post(f"http://127.0.0.1:{server.port}/", b"{}", {})
    await strangers.disconnect()
    await asyncio.sleep(0)

    assert reply.status is None or 100 <= reply.status <= 999


@pytest.mark.parametrize("bad", ["\x00", "x\x00y"])
async def test_devices_and_preferences_refuse_them_too(traveller: Client, bad: str) -> None:
    """What they keep is text as well."""
    for answer in (
        await traveller.post("/devices", {"token": bad, "platform": "ios"}),
        await traveller.post("/devices", {"token": "abc" * 20, "platform": "ios", "name": bad}),
        await traveller.post("/devices", {"token": "abc" * 20, "platform": "ios", "time_zone": bad}),
        await traveller.send("PATCH", "/notifications/preferences", json={"time_zone": bad}),
    ):
        assert answer.status == (400 if "\0" in bad else 422), answer.body
