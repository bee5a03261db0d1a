"""Charges: what happens at the bank when a payment is tried, and what it does to the balance."""

from __future__ import annotations

from typing import Any

from sandbox.cards import methods
from sandbox.cards.books import Call, Object, transaction

AUTHORISED_SECONDS = 7 * 86_400
SAID = {
    "insufficient_funds": "There is not enough money on the card.",
    "lost_card": "The card was declined.",
    "stolen_card": "The card was declined.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is wrong.",
    "processing_error": "The card could not be processed; it may be tried again.",
    "generic_decline": "The card was declined.",
}


def fee(amount: int) -> int:
    """2.9 % to the nearest unit, and 30 units."""
    return (amount * 29 + 500) // 1000 + 30


def new(call: Call, intent: Object) -> Object:
    """A charge of which nothing is known yet; it becomes the payment's latest."""
    method = call.books.methods.get(intent["payment_method"]) or {}
    card = methods.of(method)
    checked = {"authentication_flow": "challenge", "result": "authenticated", "version": "2.2.0"}
    shown = {**methods.details(card), "three_d_secure": checked if card.authenticates else None}
    charge = {
        "id": call.books.name("ch_3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "captured": False,
        "created": call.now,
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": {"network_status": "approved_by_network", "reason": None, "type": "authorized"},
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": shown, "type": "card"},
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "status": "succeeded",
    }
    call.books.charges.add(charge)
    intent["latest_charge"] = charge["id"]
    return charge


def authorise(call: Call, intent: Object, charge: Object) -> None:
    """The amount is set aside, for some days."""
    charge["payment_method_details"]["card"]["capture_before"] = call.now + AUTHORISED_SECONDS
    intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
    call.note("authorised", intent, intent["amount"], charge["id"])
    call.emit("charge.succeeded", charge)
    call.emit("payment_intent.amount_capturable_updated", intent)


def take(call: Call, intent: Object, charge: Object, amount: int) -> None:
    """The money comes in; what was authorised beyond it goes back by itself."""
    charge |= {"captured": True, "amount_captured": amount}
    charge["balance_transaction"] = transaction(call, "charge", amount, fee(amount), charge)
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    call.note("charged", intent, amount, charge["id"])


def release(call: Call, intent: Object, charge: Object, event: str) -> None:
    """Nothing of it is taken, which is shown as if all of it had been given back."""
    charge |= {"refunded": True, "amount_refunded": charge["amount"]}
    call.note("released", intent, charge["amount"], charge["id"])
    call.emit(event, charge)


def decline(call: Call, intent: Object, charge: Object, why: tuple[str, str]) -> dict[str, Any]:
    """The bank says no; gives the error, with the payment in it as it is now."""
    code, reason = why
    message = SAID[reason]
    outcome = {"network_status": "declined_by_network", "reason": reason, "type": "issuer_declined"}
    charge |= {"status": "failed", "paid": False, "outcome": outcome}
    charge |= {"failure_code": code, "failure_message": message}
    error = {"message": message, "code": code, "decline_code": reason, "charge": charge["id"]}
    error["payment_method"] = call.books.methods.get(charge["payment_method"])
    intent |= {"status": "requires_payment_method", "payment_method": None, "amount_capturable": 0}
    intent["last_payment_error"] = {"type": "card_error", **error}
    call.note("declined", intent, intent["amount"], charge["id"])
    call.emit("charge.failed", charge)
    call.emit("payment_intent.payment_failed", intent)
    return {"kind": "card_error", **error, "payment_intent": intent}
