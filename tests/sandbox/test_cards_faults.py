"""Answers that are lost, before and after the money has moved."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import stripe

from tests.sandbox.conftest import Client, money, pay, shop

PATH = "/v1/payment_intents*"


async def arm(client: Client, name: str, **more: object) -> None:
    await client.control("POST", "/faults", {"fault": name, "path": PATH, "times": 1, **more})


# The vendor's library lets some errors through as they are: who calls it has to catch more than its own.
LOST: dict[str, type[Exception]] = {
    "truncated": aiohttp.ClientPayloadError,
    "garbage": UnicodeDecodeError,
    "html_502": stripe.APIError,
    "html_200": stripe.APIError,
    "card_500_after": stripe.APIError,
}


@pytest.mark.parametrize("name", LOST)
async def test_an_answer_may_be_lost_after_the_charge(
    client: Client, stripe_api: stripe.StripeClient, name: str
) -> None:
    """The money is gone; the same key brings the answer, or the error that the vendor keeps, and no second charge."""
    await arm(client, name)
    with pytest.raises(LOST[name]):
        await pay(stripe_api, key="trip-1", metadata={"booking": "K7QX2M"})
    assert await money(client) == [("charged", 10_000)]
    if name == "card_500_after":
        with pytest.raises(stripe.APIError):
            await pay(stripe_api, key="trip-1", metadata={"booking": "K7QX2M"})
    else:
        assert (await pay(stripe_api, key="trip-1", metadata={"booking": "K7QX2M"})).status == "succeeded"
    listed = await stripe_api.v1.payment_intents.list_async({"limit": 100})
    assert [payment.metadata["booking"] for payment in listed.data] == ["K7QX2M"]
    assert await money(client) == [("charged", 10_000)]


async def test_a_connection_may_be_reset_after_the_charge(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """An HTTP client that sends again by itself gets the first answer, thanks to the key."""
    await arm(client, "reset", times=5)
    with pytest.raises(stripe.APIConnectionError):
        await pay(stripe_api, key="trip-1")
    await client.control("DELETE", "/faults")
    assert (await pay(stripe_api, key="trip-1")).status == "succeeded"
    assert await money(client) == [("charged", 10_000)]


@pytest.mark.parametrize("name", ["card_500", "card_429", "card_reset_before"])
async def test_nothing_may_have_been_done(client: Client, stripe_api: stripe.StripeClient, name: str) -> None:
    """The key is still free, and the next attempt pays."""
    await arm(client, name, times=None)
    with pytest.raises((stripe.APIError, stripe.RateLimitError, stripe.APIConnectionError)):
        await pay(stripe_api, key="trip-1")
    assert (await client.control("GET", "/cards"))["intents"] == []
    await client.control("DELETE", "/faults")
    assert (await pay(stripe_api, key="trip-1")).status == "succeeded"


async def test_an_error_may_stay_with_its_key(client: Client, stripe_api: stripe.StripeClient) -> None:
    """For ever, though nothing was done; with another key it works."""
    await arm(client, "card_500_kept")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            await pay(stripe_api, key="trip-1")
        assert failed.value.headers["Stripe-Should-Retry"] == "false"
    assert await money(client) == []
    assert (await pay(stripe_api, key="trip-2")).status == "succeeded"


@pytest.mark.parametrize(
    ("fault", "method", "done"),
    [
        ("card_silence_before", "pm_card_visa", False),
        ("card_silence_after", "pm_card_visa", True),
        (None, "pm_sandbox_timeoutBeforeCharge", False),
        (None, "pm_sandbox_timeoutAfterCharge", True),
    ],
)
async def test_no_answer_may_ever_come(
    client: Client, stripe_api: stripe.StripeClient, fault: str | None, method: str, done: bool
) -> None:
    """With or without a charge; who asks again with the same key learns which it was."""
    if fault:
        await arm(client, fault)
    with pytest.raises(stripe.APIConnectionError):
        await pay(shop(client, timeout=0.2), method, key="trip-1")
    assert await money(client) == ([("charged", 10_000)] if done else [])
    entries = (await client.control("GET", "/journal"))["requests"]
    assert [(entry["status"], entry["fault"]) for entry in entries] == [(None, fault)]
    if done or fault:
        assert (await pay(stripe_api, method, key="trip-1")).status == "succeeded"
    else:
        with pytest.raises(stripe.APIConnectionError):
            await pay(shop(client, timeout=0.1), method, key="trip-1")
    assert await money(client) == ([("charged", 10_000)] if done or fault else [])


async def test_a_method_that_swallows_the_question_leaves_a_payment_as_it_was(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """Confirmed with another, it is paid."""
    made = await pay(stripe_api, "pm_sandbox_timeoutBeforeCharge", confirm=False)
    with pytest.raises(stripe.APIConnectionError):
        await shop(client, timeout=0.1).v1.payment_intents.confirm_async(
            made.id, {"return_url": "https://shop.example"}
        )
    paid = await stripe_api.v1.payment_intents.confirm_async(
        made.id, {"payment_method": "pm_card_visa", "return_url": "https://shop.example"}
    )
    assert (paid.status, await money(client)) == ("succeeded", [("charged", 10_000)])


async def test_an_answer_may_be_slow(client: Client, stripe_api: stripe.StripeClient) -> None:
    """By the card or on the way; others are served meanwhile."""
    await client.control("POST", "/settings", {"cards": {"slow_seconds": 1}})
    loop = asyncio.get_running_loop()
    begun = loop.time()
    slow = asyncio.create_task(pay(stripe_api, "pm_sandbox_slow"))
    await pay(stripe_api)
    assert not slow.done()
    assert (await slow).status == "succeeded"
    assert loop.time() - begun > 0.99
    await arm(client, "slow", delay_seconds=0.2)
    begun = loop.time()
    await pay(stripe_api)
    assert loop.time() - begun > 0.19


async def test_a_fault_keeps_to_its_path(client: Client, stripe_api: stripe.StripeClient) -> None:
    """A refund is not struck by what strikes payments, nor a page of airports by what strikes cards."""
    paid = await pay(stripe_api)
    await client.control("POST", "/faults", {"fault": "card_500", "path": "/v1/refunds"})
    assert (await pay(stripe_api)).status == "succeeded"
    with pytest.raises(stripe.APIError):
        await stripe_api.v1.refunds.create_async({"payment_intent": paid.id})
    await client.control("POST", "/faults", {"fault": "card_500"})
    assert (await client.get("airlines"))[0] == 200


async def test_the_journal_has_keys_of_questions_and_no_secret(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """Neither the shop's key nor what lets a browser act on a payment."""
    paid = await pay(stripe_api, key="trip-1")
    journal, done = await client.control("GET", "/journal"), await client.control("GET", "/cards")
    [entry] = journal["requests"]
    assert (entry["path"], entry["status"], entry["profile"]) == ("/v1/payment_intents", 200, "cards")
    assert (entry["params"]["amount"], entry["params"]["idempotency_key"]) == ("10000", "trip-1")
    assert "sk_test_sandbox" not in str(journal) + str(done)
    assert paid.client_secret not in str(journal) + str(done)
    alone = await client.control("GET", f"/cards?payment_intent={(await pay(stripe_api)).id}")
    assert [len(alone[name]) for name in ("intents", "charges", "refunds", "journal")] == [1, 1, 0, 1]
