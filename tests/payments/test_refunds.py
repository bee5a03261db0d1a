"""Money on its way back: at once, pending, and come back after all."""

import json
from typing import Any

import pytest

from app.core.metrics import REFUNDS
from tests.faults.support import moved_at_the_processor
from tests.payments.later import swept
from tests.payments.support import balances, held, minor
from tests.payments.test_messages import told
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


async def cancelled(traveller: Client, fleet: Fleet, method: str) -> dict[str, Any]:
    """A booking paid for with this card and cancelled; its refund has not been sent yet."""
    pnr = (await held(traveller, fleet))["pnr"]
    assert (await traveller.post(f"/bookings/{pnr}/payments", {"payment_method": method})).status == 201
    quote = (await traveller.post(f"/bookings/{pnr}/cancellations")).body
    answer = await traveller.post(f"/bookings/{pnr}/cancellations/{quote['id']}/confirm")
    assert answer.status == 200, answer.body
    assert [refund["status"] for refund in answer.body["refunds"]] == ["pending"]
    body: dict[str, Any] = answer.body
    return body


async def refunds(traveller: Client, pnr: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await traveller.get(f"/bookings/{pnr}")).body["refunds"]
    return found


async def test_a_refund_is_owed_at_once_and_sent_by_itself(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The books say so at each step, and an event tells that the money is on its way."""
    booked = await cancelled(traveller, fleet, "pm_card_visa")
    amount = minor(booked["refunds"][0]["amount"])
    assert (await balances(sql, booked["pnr"]))["refunds_owed"] == -amount

    await swept(sql, booked["pnr"])

    [refund] = await refunds(traveller, booked["pnr"])
    assert refund["status"] == "succeeded"
    assert refund["succeeded_at"]
    assert "refunds_owed" not in await balances(sql, booked["pnr"])
    assert (await moved_at_the_processor(sandbox, sql, booked["pnr"]))[1:] == (("refunded", amount),)
    told_of = await sql("SELECT type FROM outbox WHERE subject = :pnr ORDER BY sequence", pnr=booked["pnr"])
    assert [row["type"] for row in told_of][-2:] == ["booking.cancelled", "payment.refunded"]


async def test_a_pending_refund_is_asked_about_until_it_is_made(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Asked for once, looked at often."""
    booked = await cancelled(traveller, fleet, "pm_card_pendingRefund")
    await swept(sql, booked["pnr"], times=3)
    assert [one["status"] for one in await refunds(traveller, booked["pnr"])] == ["pending"]

    await sandbox.control("POST", "/clock", {"advance_seconds": 10})
    await swept(sql, booked["pnr"])

    assert [one["status"] for one in await refunds(traveller, booked["pnr"])] == ["succeeded"]
    assert len((await sandbox.control("GET", "/cards"))["refunds"]) == 1


async def test_a_refund_that_fails_after_all_is_owed_again(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The processor's message has it looked at: the traveller sees it, operators count it, the books have it back."""
    booked = await cancelled(traveller, fleet, "pm_card_refundFail")
    amount = minor(booked["refunds"][0]["amount"])
    await swept(sql, booked["pnr"])
    assert [one["status"] for one in await refunds(traveller, booked["pnr"])] == ["succeeded"]
    counted = REFUNDS.labels("failed")._value.get()
    await sandbox.control("POST", "/clock", {"advance_seconds": 10})

    for _ in range(2):
        assert (await told(traveller, await refund_event(sandbox))).status == 204
        await swept(sql, booked["pnr"])

    [refund] = await refunds(traveller, booked["pnr"])
    assert (refund["status"], refund["succeeded_at"]) == ("failed", None)
    left = await balances(sql, booked["pnr"])
    assert (left["refunds_owed"], sum(left.values())) == (-amount, 0)
    assert REFUNDS.labels("failed")._value.get() == counted + 1
    assert await sql("SELECT failure FROM refunds ORDER BY id DESC LIMIT 1") == [
        {"failure": "expired_or_canceled_card"}
    ]


async def test_a_message_of_a_refund_that_stands_changes_nothing(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Looked at once more, it is as it was, also while the processor does not answer."""
    booked = await cancelled(traveller, fleet, "pm_card_visa")
    await swept(sql, booked["pnr"])
    before = await refunds(traveller, booked["pnr"]), await balances(sql, booked["pnr"])
    await told(traveller, await refund_event(sandbox))
    await sandbox.fault("reset", "/v1/refunds*", times=1)

    await swept(sql, booked["pnr"])

    assert (await refunds(traveller, booked["pnr"]), await balances(sql, booked["pnr"])) == before
    assert await sql("SELECT next_try_at FROM refunds ORDER BY id DESC LIMIT 1") == [{"next_try_at": None}]


@pytest.mark.parametrize("more", [0, 1])
async def test_no_more_goes_back_than_came(traveller: Client, fleet: Fleet, sql: Any, more: int) -> None:
    """The database itself refuses a cent more."""
    booked = await cancelled(traveller, fleet, "pm_card_visa")
    statement = """
        UPDATE payments SET refunded_minor = amount_minor + CAST(:more AS bigint)
        WHERE id = (SELECT payment_id FROM refunds ORDER BY id DESC LIMIT 1)
    """
    assert booked["refunds"]

    if more:
        with pytest.raises(Exception, match="refunds_within_capture"):
            await sql(statement, more=more)
    else:
        await sql(statement, more=more)


async def refund_event(sandbox: Sandbox) -> bytes:
    """The processor's latest message about a refund."""
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    async with sandbox.session.get(f"{sandbox.base}/v1/events?limit=100", headers=headers) as answer:
        events = (await answer.json())["data"]
    found = next(one for one in events if one["type"].startswith("refund."))
    return json.dumps(found).encode()
