"""A payment from the wish to the money, with the vendor's own library."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cards.charges import fee
from sandbox.cards.methods import CARDS
from tests.sandbox.conftest import NOON, Client, money, pay

DAY = 86_400


async def test_a_card_is_charged_at_once(client: Client, stripe_api: stripe.StripeClient) -> None:
    """Everything a shop reads is there: the charge, the card, the fee and what is left of the amount."""
    paid = await pay(
        stripe_api,
        metadata={"booking": "K7QX2M"},
        description="JFK to LHR",
        expand=["latest_charge.balance_transaction", "payment_method"],
    )
    charge = paid.latest_charge
    assert (paid.status, paid.amount_received, paid.metadata["booking"]) == ("succeeded", 10_000, "K7QX2M")
    assert (charge.status, charge.captured, charge.metadata["booking"]) == ("succeeded", True, "K7QX2M")
    assert (charge.payment_method_details.card.brand, charge.payment_method_details.card.last4) == (
        "visa",
        "4242",
    )
    entry = charge.balance_transaction
    assert (entry.amount, entry.fee, entry.net, entry.type) == (10_000, 320, 9_680, "charge")
    assert (entry.source, entry.currency, paid.payment_method.card.exp_year) == (charge.id, "usd", 2034)
    assert paid.client_secret.startswith(f"{paid.id}_secret_")
    assert await money(client) == [("charged", 10_000)]


async def test_creating_and_confirming_are_two_steps_for_who_wants_it(
    stripe_api: stripe.StripeClient,
) -> None:
    """Without a method, with one, and paid; only the last is final."""
    payments = stripe_api.v1.payment_intents
    made = await payments.create_async(
        {
            "amount": 500,
            "currency": "EUR",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    assert (made.status, made.currency, made.latest_charge) == ("requires_payment_method", "eur", None)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await payments.confirm_async(made.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    assert refused.value.error.payment_intent.id == made.id
    paid = await payments.confirm_async(made.id, {"payment_method": "pm_card_mastercard"})
    assert (paid.status, (await payments.retrieve_async(made.id)).status) == ("succeeded", "succeeded")
    with pytest.raises(stripe.InvalidRequestError):
        await payments.confirm_async(made.id, {"payment_method": "pm_card_visa"})
    waiting = await pay(stripe_api, "pm_card_amex", confirm=False)
    assert waiting.status == "requires_confirmation"
    assert (
        await payments.confirm_async(waiting.id, {"return_url": "https://shop.example"})
    ).status == "succeeded"


async def test_an_amount_is_set_aside_and_part_of_it_taken(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """Once, and not more than was set aside; the fee is that of what was taken."""
    held = await pay(stripe_api, capture_method="manual")
    assert (held.status, held.amount_capturable, held.amount_received) == ("requires_capture", 10_000, 0)
    charge = await stripe_api.v1.charges.retrieve_async(held.latest_charge)
    assert (charge.captured, charge.balance_transaction) == (False, None)
    payments = stripe_api.v1.payment_intents
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await payments.capture_async(held.id, {"amount_to_capture": 10_001})
    assert refused.value.code == "amount_too_large"
    taken = await payments.capture_async(
        held.id, {"amount_to_capture": 4_000, "expand": ["latest_charge.balance_transaction"]}
    )
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 4_000, 0)
    assert (taken.latest_charge.amount_captured, taken.latest_charge.balance_transaction.net) == (
        4_000,
        3_854,
    )
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await payments.capture_async(held.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    assert await money(client) == [("authorised", 10_000), ("charged", 4_000)]


async def test_a_canceled_payment_gives_the_amount_free(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """Before the card was asked, or after; what was paid can only be refunded."""
    held = await pay(stripe_api, capture_method="manual")
    gone = await stripe_api.v1.payment_intents.cancel_async(held.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason, gone.amount_capturable) == ("canceled", "abandoned", 0)
    charge = await stripe_api.v1.charges.retrieve_async(held.latest_charge)
    assert (charge.refunded, charge.captured) == (True, False)
    unpaid = await pay(stripe_api, confirm=False)
    assert (await stripe_api.v1.payment_intents.cancel_async(unpaid.id)).status == "canceled"
    paid = await pay(stripe_api)
    for over in (paid, gone):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await stripe_api.v1.payment_intents.cancel_async(over.id)
        assert refused.value.code == "payment_intent_unexpected_state"
    counted = Counter(what for what, _ in await money(client))
    assert counted == {"authorised": 1, "released": 1, "canceled": 2, "charged": 1}


async def test_what_is_not_captured_falls_back_after_seven_days(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """By the sandbox's clock, and at that moment; what was captured before stays."""
    held, taken = [await pay(stripe_api, capture_method="manual") for _ in range(2)]
    await stripe_api.v1.payment_intents.capture_async(taken.id)
    await client.control("POST", "/clock", {"advance_seconds": 7 * DAY - 60})
    assert (await stripe_api.v1.payment_intents.retrieve_async(held.id)).status == "requires_capture"
    await client.control("POST", "/clock", {"advance_seconds": 3 * DAY})
    lapsed = await stripe_api.v1.payment_intents.retrieve_async(held.id)
    assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")
    assert abs(lapsed.canceled_at - (held.created + 7 * DAY)) <= 1
    assert (await stripe_api.v1.payment_intents.retrieve_async(taken.id)).status == "succeeded"
    told = await stripe_api.v1.events.list_async({"limit": 2})
    assert [event.type for event in told.data] == ["payment_intent.canceled", "charge.expired"]


@pytest.mark.parametrize(
    ("method", "finish", "status"),
    [
        ("pm_sandbox_processing", None, "succeeded"),
        ("pm_sandbox_processing", "fail", "requires_payment_method"),
        ("pm_sandbox_processing", "succeed", "succeeded"),
        ("pm_sandbox_processingFails", None, "requires_payment_method"),
    ],
)
async def test_a_bank_may_take_its_time(
    client: Client, stripe_api: stripe.StripeClient, method: str, finish: str | None, status: str
) -> None:
    """Until the time is up or somebody says how it ends; then it stays as it is."""
    payment = await pay(stripe_api, method)
    assert (payment.status, payment.latest_charge) == ("processing", None)
    if finish:
        shown = await client.control("POST", f"/cards/intents/{payment.id}", {"finish": finish})
        assert shown["status"] == status
    await client.control("POST", "/clock", {"advance_seconds": 10})
    ended = await stripe_api.v1.payment_intents.retrieve_async(payment.id)
    assert (ended.status, len(await money(client))) == (status, 1)
    await client.control("POST", f"/cards/intents/{payment.id}", {"finish": "fail"}, expect=400)
    await client.control("POST", "/cards/intents/pi_none", {"finish": "fail"}, expect=404)
    await client.control("POST", f"/cards/intents/{payment.id}", {"finish": "maybe"}, expect=400)


async def test_the_bank_decides_though_nobody_asks(client: Client, stripe_api: stripe.StripeClient) -> None:
    """A timer of its own, so that the news can be told."""
    await client.control("POST", "/settings", {"cards": {"processing_seconds": 0.05}})
    await pay(stripe_api, "pm_sandbox_processing")
    await asyncio.sleep(0.5)
    await client.control("POST", "/clock", {"now": "2026-11-01T00:00:00Z"})
    assert await money(client) == [("charged", 10_000)]


async def test_pages_of_payments_fit_together(client: Client, stripe_api: stripe.StripeClient) -> None:
    """Newest first, none twice, none left out, in any direction; and by time."""
    made = [(await pay(stripe_api, amount=100 + n)).id for n in range(7)]
    await client.control("POST", "/clock", {"advance_seconds": 3600})
    late = (await pay(stripe_api)).id
    payments = stripe_api.v1.payment_intents
    first = await payments.list_async({"limit": 3})
    assert [payment.id async for payment in first.auto_paging_iter()] == [late, *reversed(made)]
    assert first.has_more
    back = await payments.list_async({"limit": 2, "ending_before": made[3]})
    assert ([payment.id for payment in back.data], back.has_more) == ([made[5], made[4]], True)
    border = int(NOON.timestamp()) + 1800
    early = await payments.list_async({"created": {"lt": border}, "limit": 100})
    assert ([payment.id for payment in early.data], early.has_more) == (made[::-1], False)
    assert [payment.id for payment in (await payments.list_async({"created": {"gte": border}})).data] == [
        late
    ]
    for wrong in ({"limit": 101}, {"limit": 0}, {"created": {"near": 1}}, {"starting_after": "pi_none"}):
        with pytest.raises(stripe.InvalidRequestError):
            await payments.list_async(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount": 0}, "parameter_invalid_integer"),
        ({"amount": "12.50"}, "parameter_invalid_integer"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"currency": "dollars"}, "parameter_invalid_string"),
        ({"capture_method": "later"}, "parameter_invalid_string"),
        ({"colour": "red"}, "parameter_unknown"),
        ({"payment_method": "pm_card_none"}, "resource_missing"),
        ({"return_url": ""}, "parameter_missing"),
        ({"metadata": {"long": "x" * 501}}, "metadata_invalid"),
        ({"return_url": "http://[shop"}, "url_invalid"),
        ({"return_url": "shop.example/paid"}, "url_invalid"),
        ({"metadata": "none"}, "parameter_invalid_object"),
        ({"expand": "latest_charge"}, "parameter_invalid_array"),
        ({"expand": ["payment_method_types.card"]}, "parameter_invalid_string"),
        ({"expand": ["latest_charge.id"]}, "parameter_invalid_string"),
        ({"expand": ["status"]}, "parameter_invalid_string"),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused(
    stripe_api: stripe.StripeClient, wrong: dict[str, Any], code: str
) -> None:
    """With the vendor's code, the parameter's name and a request to ask about."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await pay(stripe_api, **wrong)
    assert (refused.value.code, refused.value.request_id is not None) == (code, True)
    assert refused.value.param in wrong


async def test_the_door_opens_to_the_key_only(client: Client) -> None:
    """As a bearer's token or as a name; and the other vendor behind the same path is still there."""
    address = f"{client.base}/v1/payment_intents"
    for headers in ({}, {"Authorization": "Bearer sk_test_other"}, {"Authorization": "Basic !"}):
        reply = await client.send("GET", "/v1/payment_intents", headers=headers)
        assert (reply.status, reply.json["error"]["type"]) == (401, "invalid_request_error")
    login = "Basic " + base64.b64encode(b"sk_test_sandbox:").decode()
    async with client.session.get(address, headers={"Authorization": login}) as answer:
        assert (answer.status, answer.headers["Request-Id"][:4]) == (200, "req_")
    nothing = await client.send("DELETE", "/v1/payment_intents/pi_1", headers={"Authorization": login})
    assert nothing.status == 404
    assert len(await client.rows("airlines")) == 12


async def test_a_hundred_pay_at_once(client: Client, stripe_api: stripe.StripeClient) -> None:
    """A hundred charges, and the sum in the balance."""
    await asyncio.gather(*(pay(stripe_api, amount=1_000 + n) for n in range(100)))
    entries = await stripe_api.v1.balance_transactions.list_async({"limit": 100, "type": "charge"})
    assert sum(entry.amount for entry in entries.data) == sum(range(1_000, 1_100))
    assert len(await money(client, "charged")) == 100


async def test_the_methods_are_listed(client: Client, stripe_api: stripe.StripeClient) -> None:
    """With what becomes of each; a token of the vendor's stands for a method."""
    assert (await client.control("GET", "/cards/methods")).keys() == CARDS.keys()
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "sandbox.md").read_text()
    assert [name for name in CARDS if f"`{name}`" not in guide] == []
    made = await stripe_api.v1.payment_methods.create_async({"type": "card", "card": {"token": "tok_amex"}})
    assert (made.card.brand, made.card.last4) == ("amex", "8431")
    assert (await pay(stripe_api, made.id)).status == "succeeded"
    assert (await stripe_api.v1.payment_methods.retrieve_async(made.id)).id == made.id


@given(st.integers(1, 10**8))
def test_the_fee_is_the_nearest_unit(amount: int) -> None:
    """Of 2.9 %, and 30 units on top: no more than half a unit off."""
    assert abs((fee(amount) - 30) * 1000 - amount * 29) <= 500
