"""A key makes a payment happen once, however often it is asked for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import stripe

from tests.sandbox.conftest import Client, money, pay


async def test_the_same_question_gets_the_same_answer(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """The same bytes, and a header that says so; without a key it is another payment."""
    first = await pay(stripe_api, key="trip-1", expand=["latest_charge"])
    again = await pay(stripe_api, key="trip-1", expand=["latest_charge"])
    assert again.last_response.body == first.last_response.body
    assert "Idempotent-Replayed" not in first.last_response.headers
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert again.last_response.headers["Idempotency-Key"] == "trip-1"
    assert again.last_response.headers["Original-Request"] == first.last_response.headers["Request-Id"]
    assert await money(client) == [("charged", 10_000)]
    assert (await client.control("GET", "/cards"))["journal"][0]["idempotency_key"] == "trip-1"
    await pay(stripe_api)
    assert len(await money(client)) == 2


@pytest.mark.parametrize(
    "other", [{"amount": 10_001}, {"metadata": {"booking": "K7QX2M"}}, {"expand": ["payment_method"]}]
)
async def test_another_question_under_the_same_key_is_refused(
    client: Client, stripe_api: stripe.StripeClient, other: dict[str, Any]
) -> None:
    """Another amount, other metadata, another path; nothing is done."""
    paid = await pay(stripe_api, key="trip-1")
    with pytest.raises(stripe.IdempotencyError) as refused:
        await pay(stripe_api, key="trip-1", **other)
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError):
        await stripe_api.v1.refunds.create_async({"payment_intent": paid.id}, {"idempotency_key": "trip-1"})
    assert await money(client) == [("charged", 10_000)]


async def test_a_twin_that_comes_too_early_is_sent_away(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """While the first is under way; afterwards it hears what the first has heard."""
    await client.control("POST", "/settings", {"cards": {"slow_seconds": 1}})
    first = asyncio.create_task(pay(stripe_api, "pm_sandbox_slow", key="trip-1"))
    await asyncio.sleep(0.2)
    with pytest.raises(stripe.APIError) as refused:
        await pay(stripe_api, "pm_sandbox_slow", key="trip-1")
    assert (refused.value.http_status, refused.value.error.code) == (409, "idempotency_key_in_use")
    paid = await first
    assert (await pay(stripe_api, "pm_sandbox_slow", key="trip-1")).id == paid.id
    assert await money(client) == [("charged", 10_000)]


async def test_of_many_at_once_one_pays(client: Client, stripe_api: stripe.StripeClient) -> None:
    """Fifty equal questions, one charge."""
    answers = await asyncio.gather(*(pay(stripe_api, key="trip-1") for _ in range(50)))
    assert len({answer.id for answer in answers}) == 1
    assert await money(client) == [("charged", 10_000)]


async def test_a_refusal_by_the_bank_is_repeated_and_a_slip_is_not(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """What was never begun leaves the key free."""
    for replayed in (None, "true"):
        with pytest.raises(stripe.CardError) as declined:
            await pay(stripe_api, "pm_card_chargeDeclined", key="trip-1")
        assert declined.value.headers.get("Idempotent-Replayed") == replayed
    assert await money(client) == [("declined", 10_000)]
    with pytest.raises(stripe.InvalidRequestError):
        await pay(stripe_api, key="trip-2", amount=0)
    assert (await pay(stripe_api, key="trip-2")).status == "succeeded"
    paid = await pay(stripe_api)
    for replayed in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await stripe_api.v1.payment_intents.cancel_async(paid.id, {}, {"idempotency_key": "trip-3"})
        assert refused.value.headers.get("Idempotent-Replayed") == replayed


async def test_a_key_is_forgotten_after_a_day(client: Client, stripe_api: stripe.StripeClient) -> None:
    """Of the sandbox's clock; and one that is too long is never taken."""
    first = await pay(stripe_api, key="trip-1")
    await client.control("POST", "/clock", {"advance_seconds": 86_300})
    assert (await pay(stripe_api, key="trip-1")).id == first.id
    await client.control("POST", "/clock", {"advance_seconds": 200})
    assert (await pay(stripe_api, key="trip-1")).id != first.id
    with pytest.raises(stripe.InvalidRequestError):
        await pay(stripe_api, key="k" * 256)


async def test_captures_and_refunds_are_kept_as_well(client: Client, stripe_api: stripe.StripeClient) -> None:
    """A refund that is asked for twice is one refund."""
    held = await pay(stripe_api, capture_method="manual")
    for _ in range(2):
        await stripe_api.v1.payment_intents.capture_async(held.id, {}, {"idempotency_key": "take-1"})
        await stripe_api.v1.refunds.create_async(
            {"payment_intent": held.id, "amount": 100}, {"idempotency_key": "back-1"}
        )
    assert await money(client) == [("authorised", 10_000), ("charged", 10_000), ("refunded", 100)]
