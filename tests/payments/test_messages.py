"""Messages of the card processor: verified, kept once, in any order, asked for and not believed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from app.core.config import settings
from sandbox.cards.webhooks import signature
from tests.faults.support import moved_at_the_processor
from tests.payments.later import swept
from tests.payments.support import VISA, bought, held, minor
from tests.support.client import Answer, Client, Sandbox
from tests.support.fleet import Fleet

PATH = "/payments/stripe/events"
SECRET = "whsec_sandbox"


def event(intent: str, payment: str | None = None, **more: Any) -> bytes:
    found = {"id": intent, "object": "payment_intent", "metadata": {"payment": payment} if payment else {}}
    message = {"id": f"evt_{uuid4().hex}", "object": "event", "type": "payment_intent.succeeded"}
    return json.dumps({**message, "data": {"object": found}, **more}).encode()


async def told(api: Client, body: bytes, signed: str | None = None) -> Answer:
    headers = {"Stripe-Signature": signature(body, SECRET) if signed is None else signed}
    return await Client(api.session, api.base).send("POST", PATH, data=body, headers=headers)


async def kept(sql: Any, body: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await sql(
        "SELECT type, payment_id FROM processor_events WHERE event_id = :id", id=json.loads(body)["id"]
    )
    return rows


@pytest_asyncio.fixture
async def listening(address: str, sandbox: Sandbox) -> AsyncIterator[Any]:
    """Let the sandbox send its messages to the API, in the way that is asked for."""

    async def listen(**manner: Any) -> None:
        await sandbox.control("POST", "/settings", {"cards": {"webhook_urls": [address + PATH], **manner}})

    yield listen
    await sandbox.control("POST", "/settings", {"cards": {"webhook_urls": []}})


async def delivered(sandbox: Sandbox, number: int) -> list[dict[str, Any]]:
    """The first so many deliveries, once they are made."""
    async with asyncio.timeout(10):
        while True:
            made: list[dict[str, Any]] = (await sandbox.control("GET", "/cards/deliveries"))["deliveries"]
            if len(made) >= number:
                return made
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "forge",
    [
        lambda body: signature(body, "whsec_of_another_shop"),
        lambda body: signature(body + b" ", SECRET),
        lambda body: signature(body, SECRET, int(time.time()) - 600),
        lambda body: signature(body, SECRET).replace("v1=", "v0="),
        lambda _: "",
        lambda _: "t=now,v1=",
    ],
    ids=["other secret", "other body", "old", "other scheme", "none", "garbage"],
)
async def test_what_the_processor_did_not_sign_is_refused(api: Client, sql: Any, forge: Any) -> None:
    """400, and nothing is kept of it."""
    body = event("pi_1")

    refused = await told(api, body, forge(body))

    assert (refused.status, refused.code) == (400, "signature_invalid")
    assert await kept(sql, body) == []


async def test_without_a_secret_nobody_is_believed(
    api: Client, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even who signs with an empty one."""
    monkeypatch.setattr(settings(), "stripe_webhook_secret", "")
    body = event("pi_1")

    refused = await told(api, body, signature(body, ""))

    assert (refused.status, refused.code) == (400, "signature_invalid")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[]", b"{}", b'{"id": "evt_1", "type": "x", "data": 7}'])
async def test_what_is_signed_and_no_message_is_refused(api: Client, body: bytes) -> None:
    """Clearly, not with a 5xx."""
    assert (await told(api, body)).status == 400


async def test_a_message_is_kept_once(traveller: Client, api: Client, fleet: Fleet, sql: Any) -> None:
    """Ten copies at once and ten later: each accepted, one row."""
    await bought(traveller, fleet)
    [payment] = await sql("SELECT id, intent FROM payments ORDER BY id DESC LIMIT 1")
    body = event(payment["intent"])

    answers = await asyncio.gather(*(told(api, body) for _ in range(10)))
    answers += [await told(api, body) for _ in range(10)]

    assert {answer.status for answer in answers} == {204}
    assert await kept(sql, body) == [{"type": "payment_intent.succeeded", "payment_id": payment["id"]}]


async def test_what_is_not_ours_is_kept_and_changes_nothing(api: Client, sql: Any) -> None:
    """Another shop of the same account, an unknown type, a name that is not ours."""
    for body in (
        event("pi_of_another"),
        event("pi_of_another", f"pay_{uuid4().hex}"),
        event("pi_of_another", "order 66", type="something.new"),
    ):
        assert (await told(api, body)).status == 204
        assert [row["payment_id"] for row in await kept(sql, body)] == [None]


async def test_a_message_is_not_believed(
    traveller: Client, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """It says that the payment has succeeded; the processor, asked, says that the traveller has proved nothing."""
    hold = await held(traveller, fleet)
    payment = await traveller.post(
        f"/bookings/{hold['pnr']}/payments", {"payment_method": "pm_card_threeDSecure2Required"}
    )
    [intent] = (await sandbox.control("GET", "/cards"))["intents"]

    assert (await told(api, event(intent["id"], payment.body["id"]))).status == 204
    await swept(sql, hold["pnr"], times=1)

    assert (await traveller.get(f"/bookings/{hold['pnr']}")).body["status"] == "held"


async def test_a_message_has_a_payment_looked_at_soon(
    traveller: Client, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """One that nobody knows about, by the name that we gave it: before the sweep would have asked again."""
    hold = await held(traveller, fleet)
    await sandbox.fault("reset", "/v1/payment_intents", times=1)
    payment = await traveller.post(f"/bookings/{hold['pnr']}/payments", VISA)
    [intent] = (await sandbox.control("GET", "/cards"))["intents"]
    await sql("UPDATE payments SET next_look_at = now() + interval '5 min' WHERE status = 'processing'")

    await told(api, event(intent["id"], payment.body["id"]))

    due = "SELECT intent, next_look_at < now() + interval '2 s' AS soon FROM payments WHERE status = 'processing'"
    assert await sql(due) == [{"intent": intent["id"], "soon": True}]
    await swept(sql, hold["pnr"])
    assert (await traveller.get(f"/bookings/{hold['pnr']}")).body["status"] == "confirmed"


async def test_a_paid_booking_is_not_looked_at_again(
    traveller: Client, api: Client, fleet: Fleet, sql: Any
) -> None:
    """Its own messages come after it, and there is nothing left to find out."""
    booked = await bought(traveller, fleet)
    [payment] = await sql("SELECT intent FROM payments ORDER BY id DESC LIMIT 1")

    await told(api, event(payment["intent"], booked["payments"][0]["id"]))

    assert await sql("SELECT next_look_at FROM payments WHERE intent = :i", i=payment["intent"]) == [
        {"next_look_at": None}
    ]


@pytest.mark.parametrize(
    "manner",
    [{}, {"webhooks": "reversed", "copies": 3}, {"before_answer": True}],
    ids=["in parallel", "the last first, thrice", "before the answer"],
)
async def test_messages_that_the_processor_sends_disturb_nothing(
    traveller: Client,
    fleet: Fleet,
    sandbox: Sandbox,
    sql: Any,
    listening: Any,
    manner: dict[str, Any],
) -> None:
    """Held, paid, cancelled, refunded, with every message sent over HTTP: accepted at once, money moved once."""
    await listening(**manner)
    booked = await bought(traveller, fleet)
    quote = (await traveller.post(f"/bookings/{booked['pnr']}/cancellations")).body
    await traveller.post(f"/bookings/{booked['pnr']}/cancellations/{quote['id']}/confirm")
    await swept(sql, booked["pnr"])

    made = await delivered(sandbox, 4 * manner.get("copies", 1))

    await swept(sql, booked["pnr"])
    assert {one["status"] for one in made} == {204}
    assert await moved_at_the_processor(sandbox, sql, booked["pnr"]) == (
        ("charged", minor(booked["price"]["total"])),
        ("refunded", minor(quote["refund"])),
    )
    read = (await traveller.get(f"/bookings/{booked['pnr']}")).body
    assert (read["status"], [one["status"] for one in read["refunds"]]) == ("cancelled", ["succeeded"])
    events = {one["event"] for one in made}
    rows = await sql(
        "SELECT count(*) AS n FROM processor_events WHERE event_id = ANY(CAST(:ids AS text[]))",
        ids=list(events),
    )
    assert rows[0]["n"] == len(events)
