"""Money that goes back, and the balance in which all of it can be read."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import NOON, Client, money, pay


async def test_a_payment_goes_back_in_parts(client: Client, stripe_api: stripe.StripeClient) -> None:
    """Never more than came in; the fee stays with the vendor."""
    paid, refunds = await pay(stripe_api), stripe_api.v1.refunds
    first = await refunds.create_async(
        {
            "payment_intent": paid.id,
            "amount": 4_000,
            "reason": "requested_by_customer",
            "metadata": {"booking": "K7QX2M"},
            "expand": ["balance_transaction"],
        }
    )
    assert (first.status, first.amount, first.metadata["booking"]) == ("succeeded", 4_000, "K7QX2M")
    assert (first.balance_transaction.amount, first.balance_transaction.net) == (-4_000, -4_000)
    assert (first.balance_transaction.fee, first.balance_transaction.type) == (0, "refund")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await refunds.create_async({"payment_intent": paid.id, "amount": 6_001})
    assert (refused.value.http_status, refused.value.param) == (400, "amount")
    rest = await refunds.create_async({"charge": paid.latest_charge})
    assert rest.amount == 6_000
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await refunds.create_async({"payment_intent": paid.id, "amount": 1})
    assert refused.value.code == "charge_already_refunded"
    charge = await stripe_api.v1.charges.retrieve_async(paid.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (10_000, True)
    listed = await refunds.list_async({"payment_intent": paid.id})
    assert [refund.id for refund in listed.data] == [rest.id, first.id]
    assert (await refunds.retrieve_async(first.id)).reason == "requested_by_customer"
    assert await money(client) == [("charged", 10_000), ("refunded", 4_000), ("refunded", 6_000)]


async def test_only_what_was_taken_can_go_back(stripe_api: stripe.StripeClient) -> None:
    """Not what is only held, not more than was captured, and nothing of nothing."""
    held, refunds = await pay(stripe_api, capture_method="manual"), stripe_api.v1.refunds
    open_ = await pay(stripe_api, confirm=False)
    tries: list[tuple[dict[str, Any], str | None]] = [
        ({"payment_intent": held.id}, None),
        ({"payment_intent": open_.id}, None),
        ({"charge": held.latest_charge}, None),
        ({"charge": "ch_none"}, "resource_missing"),
        ({"payment_intent": "pi_none"}, "resource_missing"),
        ({}, "parameter_missing"),
    ]
    for params, code in tries:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await refunds.create_async(params)  # type: ignore[arg-type]
        assert refused.value.code == code
    await stripe_api.v1.payment_intents.capture_async(held.id, {"amount_to_capture": 2_500})
    assert (await refunds.create_async({"payment_intent": held.id})).amount == 2_500


@pytest.mark.parametrize(
    ("method", "begins", "finish", "ends"),
    [
        ("pm_card_pendingRefund", "pending", None, "succeeded"),
        ("pm_card_pendingRefund", "pending", "succeed", "succeeded"),
        ("pm_card_pendingRefund", "pending", "fail", "failed"),
        ("pm_card_refundFail", "succeeded", None, "failed"),
        ("pm_card_visa", "succeeded", "fail", "failed"),
        ("pm_card_visa", "succeeded", None, "succeeded"),
    ],
)
async def test_a_refund_may_come_to_another_end(
    client: Client, stripe_api: stripe.StripeClient, method: str, begins: str, finish: str | None, ends: str
) -> None:
    """By the clock or by the lever; what failed comes back into the balance and can be tried again."""
    paid, refunds = await pay(stripe_api, method), stripe_api.v1.refunds
    refund = await refunds.create_async({"payment_intent": paid.id, "amount": 4_000})
    assert refund.status == begins
    if finish:
        await client.control("POST", f"/cards/refunds/{refund.id}", {"finish": finish})
    await client.control("POST", "/clock", {"advance_seconds": 10})
    refund = await refunds.retrieve_async(
        refund.id, {"expand": ["failure_balance_transaction"]} if ends == "failed" else {}
    )
    assert refund.status == ends
    charge = await stripe_api.v1.charges.retrieve_async(paid.latest_charge)
    balance = await stripe_api.v1.balance_transactions.list_async({"limit": 100})
    back = 0 if ends == "failed" else 4_000
    assert charge.amount_refunded == back
    assert sum(entry.net for entry in balance.data) == 10_000 - 320 - back
    if ends == "failed":
        assert refund.failure_reason == "expired_or_canceled_card"
        assert refund.failure_balance_transaction.type == "refund_failure"
        await client.control("POST", f"/cards/refunds/{refund.id}", {"finish": "succeed"}, expect=400)
        assert (await refunds.create_async({"payment_intent": paid.id})).amount == 10_000
    assert Counter(await money(client))["refund_failed", 4_000] == (ends == "failed")


async def test_a_days_balance_can_be_read_page_by_page(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """Each entry once, with what it came from; another day's are not among them."""
    await pay(stripe_api, amount=999)
    await client.control("POST", "/clock", {"now": "2026-11-27T08:00:00Z"})
    paid = [await pay(stripe_api, amount=1_000 * n) for n in (1, 2, 3)]
    await stripe_api.v1.refunds.create_async({"payment_intent": paid[2].id, "amount": 500})
    with pytest.raises(stripe.CardError):
        await pay(stripe_api, "pm_card_chargeDeclined")
    await pay(stripe_api, capture_method="manual")
    await client.control("POST", "/clock", {"now": "2026-11-28T00:00:00Z"})
    await pay(stripe_api, amount=888)
    midnight = int(NOON.timestamp()) + 86_400 + 43_200
    page = await stripe_api.v1.balance_transactions.list_async(
        {"created": {"gte": midnight, "lt": midnight + 86_400}, "limit": 2, "expand": ["data.source"]}
    )
    entries = [entry async for entry in page.auto_paging_iter()]
    assert [entry.amount for entry in entries] == [-500, 3_000, 2_000, 1_000]
    assert [entry.source.payment_intent for entry in entries] == [paid[n].id for n in (2, 2, 1, 0)]
    only = await stripe_api.v1.balance_transactions.list_async({"type": "refund"})
    assert [entry.amount for entry in only.data] == [-500]
    assert (await stripe_api.v1.balance_transactions.retrieve_async(only.data[0].id)).amount == -500
