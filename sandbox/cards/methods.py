"""Test payment methods: what each card looks like and what happens to who pays with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.cards import forms
from sandbox.cards.books import Call
from sandbox.cards.forms import Form
from sandbox.cards.refusals import Silence, missing, raw_card

EXPIRES = (12, 2034)


@dataclass(frozen=True, slots=True)
class Card:
    """A card and its fate. `decline` is the vendor's code and decline code."""

    last4: str
    says: str
    brand: str = "visa"
    decline: tuple[str, str] | None = None
    authenticates: bool = False
    processes: bool = False
    capture_fails: bool = False
    refund: str = "succeeded"  # how a refund begins
    refund_ends: str | None = None  # and what becomes of it later
    answer: str | None = None  # how the answer of a confirmation comes, or does not


def _declined(last4: str, reason: str, code: str = "card_declined") -> Card:
    return Card(last4, f"declined: {reason}", decline=(code, reason))


_GENERIC = _declined("0002", "generic_decline")
_POOR = _declined("9995", "insufficient_funds")
# The names are the vendor's; those with `sandbox` in them are ours.
CARDS: dict[str, Card] = {
    "pm_card_visa": Card("4242", "succeeds"),
    "pm_card_mastercard": Card("4444", "succeeds", brand="mastercard"),
    "pm_card_amex": Card("8431", "succeeds", brand="amex"),
    "pm_card_chargeDeclined": _GENERIC,
    "pm_card_visa_chargeDeclined": _GENERIC,
    "pm_card_chargeDeclinedInsufficientFunds": _POOR,
    "pm_card_visa_chargeDeclinedInsufficientFunds": _POOR,
    "pm_card_visa_chargeDeclinedLostCard": _declined("9987", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": _declined("9979", "stolen_card"),
    "pm_card_chargeDeclinedExpiredCard": _declined("0069", "expired_card", "expired_card"),
    "pm_card_chargeDeclinedIncorrectCvc": _declined("0127", "incorrect_cvc", "incorrect_cvc"),
    "pm_card_chargeDeclinedProcessingError": _declined("0119", "processing_error", "processing_error"),
    "pm_card_threeDSecure2Required": Card("3220", "asks for 3-D Secure", authenticates=True),
    "pm_card_authenticationRequired": Card("3184", "asks for 3-D Secure", authenticates=True),
    "pm_card_threeDSecureRequiredChargeDeclined": Card(
        "1629",
        "asks for 3-D Secure, then declined",
        authenticates=True,
        decline=("card_declined", "generic_decline"),
    ),
    "pm_card_pendingRefund": Card(
        "7726", "a refund is pending, later succeeded", refund="pending", refund_ends="succeeded"
    ),
    "pm_card_refundFail": Card("5126", "a refund succeeds at first, later fails", refund_ends="failed"),
    "pm_sandbox_processing": Card("4242", "processing, later succeeded", processes=True),
    "pm_sandbox_processingFails": Card(
        "4242",
        "processing, later declined",
        processes=True,
        decline=("card_declined", "generic_decline"),
    ),
    "pm_sandbox_captureFails": Card("4242", "is authorised and cannot be captured", capture_fails=True),
    "pm_sandbox_slow": Card("4242", "done; the answer takes slow_seconds", answer="slow"),
    "pm_sandbox_timeoutBeforeCharge": Card("4242", "nothing is done, no answer ever comes", answer="never"),
    "pm_sandbox_timeoutAfterCharge": Card("4242", "done, but no answer ever comes", answer="lost"),
}


def create(call: Call) -> dict[str, Any]:
    """A method out of a test token; of a number there is none."""
    forms.only(call.form, {"type", "card", "metadata", "billing_details"})
    forms.choice(call.form, "type", ("card",))
    token = forms.required(forms.inner(call.form, "card"), "token")
    return _made(call, "pm_card_" + token.removeprefix("tok_"))


def retrieve(call: Call, identity: str) -> dict[str, Any]:
    found = call.books.methods.get(identity)
    if found is None:
        return _made(call, identity)
    return found


def chosen(call: Call, form: Form, *, confirm: bool) -> dict[str, Any] | None:
    """The method that the form names. One that swallows the question does so before anything is done."""
    name = forms.text(form, "payment_method")
    if name is None:
        return None
    if forms.is_card_number(name):
        raise raw_card()
    method = retrieve(call, name)
    if confirm and of(method).answer == "never":
        raise Silence
    return method


def of(method: dict[str, Any]) -> Card:
    """The card behind a method."""
    return CARDS[method["metadata"]["test_method"]]


def details(card: Card) -> dict[str, Any]:
    """What is shown of a card."""
    month, year = EXPIRES
    return {
        "brand": card.brand,
        "country": "US",
        "exp_month": month,
        "exp_year": year,
        "funding": "credit",
        "last4": card.last4,
    }


def _made(call: Call, name: str) -> dict[str, Any]:
    """As at the vendor, a test name gives a new method each time; its metadata tell which."""
    card = CARDS.get(name)
    if card is None:
        raise missing("PaymentMethod", "payment_method", name)
    method = {
        "id": call.books.name("pm_1"),
        "object": "payment_method",
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "card": details(card),
        "created": call.now,
        "customer": None,
        "livemode": False,
        "metadata": {"test_method": name},
        "type": "card",
    }
    call.books.methods.add(method)
    return method
