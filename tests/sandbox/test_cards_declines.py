"""Cards that are refused, and cardholders who are asked whether it is them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe

from tests.sandbox.conftest import Client, money, pay

DECLINES = {
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", "processing_error"),
}


@pytest.mark.parametrize("method", DECLINES)
async def test_a_declined_card_says_why(client: Client, stripe_api: stripe.StripeClient, method: str) -> None:
    """402, with the payment as it is now; nothing was taken, and another card may be tried."""
    with pytest.raises(stripe.CardError) as declined:
        await pay(stripe_api, method)
    error = declined.value.error
    assert (declined.value.http_status, error.code, error.decline_code) == (402, *DECLINES[method])
    assert (error.type, error.payment_intent.status) == ("card_error", "requires_payment_method")
    payment = await stripe_api.v1.payment_intents.retrieve_async(
        error.payment_intent.id, {"expand": ["latest_charge"]}
    )
    assert (payment.payment_method, payment.last_payment_error.decline_code) == (None, DECLINES[method][1])
    charge = payment.latest_charge
    assert (charge.id, charge.status, charge.paid) == (error.charge, "failed", False)
    assert charge.failure_code == DECLINES[method][0]
    again = await stripe_api.v1.payment_intents.confirm_async(
        payment.id, {"payment_method": "pm_card_visa", "return_url": "https://shop.example"}
    )
    assert (again.status, again.last_payment_error) == ("succeeded", None)
    assert await money(client) == [("declined", 10_000), ("charged", 10_000)]


async def test_no_card_number_comes_in(client: Client, stripe_api: stripe.StripeClient) -> None:
    """Wherever it is put; the journal has not seen it."""
    number, card = "4242424242424242", {"exp_month": 12, "exp_year": 2034, "cvc": "123"}
    tries: list[dict[str, Any]] = [
        {"payment_method_data": {"type": "card", "card": {"number": number, **card}}},
        {"payment_method": number},
        {"source": {"number": number, **card}},
    ]
    for wrong in tries:
        with pytest.raises(stripe.CardError):
            await pay(stripe_api, **wrong)
    with pytest.raises(stripe.CardError):
        await stripe_api.v1.payment_methods.create_async({"type": "card", "card": {"number": number, **card}})
    assert number not in str(await client.control("GET", "/journal"))
    assert (await client.control("GET", "/cards"))["intents"] == []


@pytest.mark.parametrize("capture", ["automatic", "manual"])
async def test_a_cardholder_who_passes_pays(
    client: Client, stripe_api: stripe.StripeClient, capture: str
) -> None:
    """On the page that the shop is told of, which leads back to the shop."""
    asked = await pay(stripe_api, "pm_card_threeDSecure2Required", capture_method=capture)
    assert (asked.status, asked.latest_charge, asked.next_action.type) == (
        "requires_action",
        None,
        "redirect_to_url",
    )
    page = asked.next_action.redirect_to_url.url
    assert page.startswith(client.base)
    shown = await client.send("GET", urlsplit(page).path)
    assert (shown.status, b"10000 USD" in shown.body) == (200, True)
    wrong = await client.send("POST", urlsplit(page).path, data={"result": "perhaps"})
    assert wrong.status == 400
    sent = await client.send("POST", urlsplit(page).path, data={"result": "pass"})
    back = urlsplit(sent.headers["Location"])
    assert (sent.status, back.netloc, back.path) == (303, "shop.example", "/paid")
    assert parse_qs(back.query) == {
        "order": ["7"],
        "payment_intent": [asked.id],
        "payment_intent_client_secret": [asked.client_secret],
        "redirect_status": ["succeeded"],
    }
    paid = await stripe_api.v1.payment_intents.retrieve_async(asked.id, {"expand": ["latest_charge"]})
    assert paid.status == ("succeeded" if capture == "automatic" else "requires_capture")
    assert paid.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"
    assert (
        b"nothing to confirm"
        in (await client.send("POST", urlsplit(page).path, data={"result": "fail"})).body
    )
    assert len(await money(client)) == 1


async def test_a_cardholder_who_fails_does_not_pay(client: Client, stripe_api: stripe.StripeClient) -> None:
    """On the page or by the lever; another card may be tried."""
    for by_page in (True, False):
        asked = await pay(stripe_api, "pm_card_authenticationRequired")
        if by_page:
            path = urlsplit(asked.next_action.redirect_to_url.url).path
            sent = await client.send("POST", path, data={"result": "fail"})
            assert "redirect_status=failed" in sent.headers["Location"]
        else:
            await client.control("POST", f"/cards/intents/{asked.id}", {"finish": "fail"})
        failed = await stripe_api.v1.payment_intents.retrieve_async(asked.id)
        assert (failed.status, failed.next_action) == ("requires_payment_method", None)
        assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    assert await money(client) == [("not_authenticated", 10_000)] * 2


async def test_passing_is_not_yet_paying(client: Client, stripe_api: stripe.StripeClient) -> None:
    """The bank may still say no."""
    asked = await pay(stripe_api, "pm_card_threeDSecureRequiredChargeDeclined")
    shown = await client.control("POST", f"/cards/intents/{asked.id}", {"finish": "succeed"})
    assert shown["status"] == "requires_payment_method"
    payment = await stripe_api.v1.payment_intents.retrieve_async(asked.id)
    assert payment.last_payment_error.decline_code == "generic_decline"


async def test_who_cannot_come_back_is_not_sent_away(client: Client, stripe_api: stripe.StripeClient) -> None:
    """Without a return address the way is left to the vendor's script, whose page says thank you."""
    asked = await pay(
        stripe_api, "pm_card_threeDSecure2Required", return_url="", payment_method_types=["card"]
    )
    assert asked.next_action.type == "use_stripe_sdk"
    path = urlsplit(asked.next_action.use_stripe_sdk["stripe_js"]).path
    assert b"Thank you" in (await client.send("POST", path, data={"result": "pass"})).body
    assert await money(client) == [("charged", 10_000)]
    assert (await client.send("GET", "/cards/3ds/pi_none")).status == 404


async def test_what_was_set_aside_may_not_be_there_to_take(
    client: Client, stripe_api: stripe.StripeClient
) -> None:
    """The capture is declined, and nothing is held any more."""
    held = await pay(stripe_api, "pm_sandbox_captureFails", capture_method="manual")
    with pytest.raises(stripe.CardError) as declined:
        await stripe_api.v1.payment_intents.capture_async(held.id)
    payment = declined.value.error.payment_intent
    assert (payment.status, payment.amount_capturable) == ("requires_payment_method", 0)
    assert await money(client) == [("authorised", 10_000), ("declined", 10_000)]
