"""What the processor tells a shop, and the ways in which telling goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
import stripe
from aiohttp import web

from sandbox.cards.service import Cards
from sandbox.cards.settings import Settings
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.journal import Journal
from tests.sandbox.conftest import Client, pay

SECRET = "whsec_of_the_shop"


class Shop:
    """A receiver that believes nothing without a signature."""

    def __init__(self) -> None:
        self.heard: list[stripe.Event] = []
        self.signatures: list[str] = []
        self.answers: list[int] = []
        self.url = ""

    async def hear(self, request: web.Request) -> web.Response:
        body, signature = await request.read(), request.headers["Stripe-Signature"]
        self.heard.append(stripe.Webhook.construct_event(body, signature, SECRET))
        self.signatures.append(signature)
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.heard]

    async def until(self, fits: Callable[[Shop], Any]) -> None:
        """Waits for what must come soon."""
        async with asyncio.timeout(5):
            while not fits(self):  # noqa: ASYNC110  The sandbox offers no event.
                await asyncio.sleep(0.005)


@pytest_asyncio.fixture(scope="session")
async def receiver() -> AsyncIterator[Shop]:
    shop, app = Shop(), web.Application()
    app.router.add_post("/events", shop.hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    yield shop
    await runner.cleanup()


@pytest.fixture
async def shop(receiver: Shop, client: Client) -> Shop:
    """The receiver with nothing heard, and the sandbox telling it."""
    receiver.heard, receiver.signatures, receiver.answers = [], [], []
    await switch(client, webhook_urls=[receiver.url], webhook_secret=SECRET, retry_seconds=0.02)
    return receiver


async def switch(client: Client, **settings: Any) -> Any:
    return (await client.control("POST", "/settings", {"cards": settings}))["cards"]


async def test_a_shop_is_told_of_a_payment(
    client: Client, stripe_api: stripe.StripeClient, shop: Shop
) -> None:
    """Signed, with the payment as it was at that moment, and who asked for it."""
    paid = await pay(stripe_api, key="trip-1", metadata={"booking": "K7QX2M"})
    await shop.until(lambda shop: len(shop.heard) == 3)
    told = {event.type: event for event in shop.heard}
    assert told.keys() == {"payment_intent.created", "charge.succeeded", "payment_intent.succeeded"}
    assert told["payment_intent.created"].data.object.status == "requires_confirmation"
    event = told["payment_intent.succeeded"]
    assert (event.data.object.id, event.data.object.status) == (paid.id, "succeeded")
    assert (event.data.object.metadata["booking"], event.pending_webhooks) == ("K7QX2M", 1)
    assert event.request.idempotency_key == "trip-1"
    assert event.request.id == paid.last_response.headers["Request-Id"]
    assert (await stripe_api.v1.events.retrieve_async(event.id)).data.object.id == paid.id
    listed = await stripe_api.v1.events.list_async({"type": "charge.succeeded"})
    assert [event.id for event in listed.data] == [told["charge.succeeded"].id]


async def story_hold(api: stripe.StripeClient, client: Client) -> None:
    held = await pay(api, capture_method="manual")
    await api.v1.payment_intents.capture_async(held.id)


async def story_let_go(api: stripe.StripeClient, client: Client) -> None:
    held = await pay(api, capture_method="manual")
    await api.v1.payment_intents.cancel_async(held.id)


async def story_decline(api: stripe.StripeClient, client: Client) -> None:
    with pytest.raises(stripe.CardError):
        await pay(api, "pm_card_chargeDeclined")


async def story_authentication(api: stripe.StripeClient, client: Client) -> None:
    asked = await pay(api, "pm_card_threeDSecure2Required")
    await client.control("POST", f"/cards/intents/{asked.id}", {"finish": "succeed"})


async def story_processing(api: stripe.StripeClient, client: Client) -> None:
    await pay(api, "pm_sandbox_processing")
    await client.control("POST", "/clock", {"advance_seconds": 10})


async def story_refund(api: stripe.StripeClient, client: Client) -> None:
    paid = await pay(api, "pm_card_pendingRefund")
    await api.v1.refunds.create_async({"payment_intent": paid.id})
    await client.control("POST", "/clock", {"advance_seconds": 10})


async def story_failed_refund(api: stripe.StripeClient, client: Client) -> None:
    paid = await pay(api, "pm_card_refundFail")
    await api.v1.refunds.create_async({"payment_intent": paid.id})
    await client.control("POST", "/clock", {"advance_seconds": 10})


_TRIED = ["charge.succeeded", "payment_intent.amount_capturable_updated"]
_PAID = ["charge.succeeded", "payment_intent.succeeded"]
_REFUNDED = [*_PAID, "refund.created", "charge.refunded", "refund.updated"]


@pytest.mark.parametrize(
    ("story", "told"),
    [
        (story_hold, [*_TRIED, "charge.captured", "payment_intent.succeeded"]),
        (story_let_go, [*_TRIED, "charge.refunded", "payment_intent.canceled"]),
        (story_decline, ["charge.failed", "payment_intent.payment_failed"]),
        (story_authentication, ["payment_intent.requires_action", *_PAID]),
        (story_processing, ["payment_intent.processing", *_PAID]),
        (story_refund, _REFUNDED),
        (story_failed_refund, [*_REFUNDED, "refund.failed"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_every_turn_is_told(
    client: Client, stripe_api: stripe.StripeClient, shop: Shop, story: Any, told: list[str]
) -> None:
    """In the vendor's list in the order of things; the shop hears the same in any order."""
    await story(stripe_api, client)
    listed = await stripe_api.v1.events.list_async({"limit": 100})
    assert [event.type for event in reversed(listed.data)] == ["payment_intent.created", *told]
    await shop.until(lambda shop: len(shop.heard) == len(listed.data))
    assert Counter(shop.types) == Counter(event.type for event in listed.data)


async def test_what_a_shop_refuses_comes_again(
    client: Client, stripe_api: stripe.StripeClient, shop: Shop
) -> None:
    """The same event, signed anew, until it is accepted; each attempt is on record."""
    shop.answers = [500, 302, 200]
    await pay(stripe_api, confirm=False)
    await shop.until(lambda shop: len(shop.heard) == 3)
    assert len({event.id for event in shop.heard}) == 1
    await asyncio.sleep(0.05)
    tried = (await client.control("GET", "/cards/deliveries"))["deliveries"]
    assert [(one["attempt"], one["status"]) for one in tried] == [(1, 500), (2, 302), (3, 200)]
    assert SECRET not in str(tried) + str(await client.control("GET", "/settings"))


async def test_a_shop_that_is_away_disturbs_nobody(client: Client, stripe_api: stripe.StripeClient) -> None:
    """Payments go on, and the sandbox gives up after some attempts."""
    await switch(client, webhook_urls=["http://127.0.0.1:9/events"], retry_seconds=0.001)
    assert (await pay(stripe_api, confirm=False)).status == "requires_confirmation"

    async def tried() -> list[Any]:
        found: list[Any] = (await client.control("GET", "/cards/deliveries"))["deliveries"]
        return found

    async with asyncio.timeout(5):
        while len(await tried()) < 5:  # noqa: ASYNC110  Nor does it here.
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert [(one["attempt"], one["status"]) for one in await tried()] == [(n, None) for n in range(1, 6)]


async def test_events_may_come_twice(client: Client, stripe_api: stripe.StripeClient, shop: Shop) -> None:
    """Or as often as one likes."""
    await switch(client, copies=3)
    await pay(stripe_api)
    await shop.until(lambda shop: len(shop.heard) == 9)
    assert set(Counter(event.id for event in shop.heard).values()) == {3}


async def test_events_may_come_in_the_wrong_order(
    client: Client, stripe_api: stripe.StripeClient, shop: Shop
) -> None:
    """The last first."""
    await switch(client, webhooks="reversed")
    await pay(stripe_api)
    await shop.until(lambda shop: len(shop.heard) == 3)
    assert shop.types == ["payment_intent.succeeded", "charge.succeeded", "payment_intent.created"]


async def test_events_may_come_before_the_answer(
    client: Client, stripe_api: stripe.StripeClient, shop: Shop
) -> None:
    """The shop hears of a payment whose id it does not know yet; or late, or not at all."""
    for more in ({}, {"webhooks": "reversed"}):
        shop.heard = []
        await switch(client, before_answer=True, **more)
        await pay(stripe_api)
        assert len(shop.heard) == 3
    shop.heard = []
    await switch(client, before_answer=False, webhooks="parallel", delay_seconds=1)
    await pay(stripe_api, confirm=False)
    await asyncio.sleep(0.1)
    assert shop.heard == []
    await shop.until(lambda shop: shop.heard)
    await switch(client, webhooks="off")
    await pay(stripe_api)
    await asyncio.sleep(0.3)
    assert len(shop.heard) == 1


async def test_settings_that_make_no_sense_change_nothing(client: Client) -> None:
    """Whatever is beside them in the same question."""
    before = (await client.control("GET", "/settings"))["cards"]
    for wrong in (
        {"webhooks": "sometimes"},
        {"webhook_urls": ["ftp://shop.example"]},
        {"webhook_urls": "http://shop.example"},
        {"webhook_secret": ""},
        {"copies": 0},
        {"before_answer": "yes"},
        {"slow_seconds": -1},
        {"colour": "red"},
    ):
        body = {"cards": {"refund_seconds": 9, **wrong}, "opensky": {"token_seconds": 60}}
        await client.control("POST", "/settings", body, expect=400)
    after = await client.control("GET", "/settings")
    assert (after["cards"], after["opensky"]["token_seconds"]) == (before, 1800)


def test_a_reset_goes_back_to_what_the_command_said() -> None:
    """Whom to tell is part of the start, not of a test."""
    start = Settings().changed({"webhook_urls": ["http://127.0.0.1:9/events"], "webhook_secret": SECRET})
    cards = Cards(Clock(), Faults("jetway"), Journal(), start)
    cards.switch(start.changed({"webhooks": "off", "webhook_urls": []}))
    cards.reset()
    assert cards.books.settings == cards.webhooks.settings == start
