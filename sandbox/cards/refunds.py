"""Refunds: money that goes back, at once, later, or after all not."""

from __future__ import annotations

from sandbox.cards import forms, methods
from sandbox.cards.books import Call, Object, transaction
from sandbox.cards.refusals import Refusal, invalid, missing

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(call: Call) -> Object:
    form = call.form
    forms.only(form, {"payment_intent", "charge", "amount", "reason", "metadata"})
    asked, reason = forms.integer(form, "amount"), forms.choice(form, "reason", REASONS)
    metadata, charge = forms.metadata(form), _charge(call)
    amount = _refundable(charge, asked)
    intent = call.intent(charge["payment_intent"], "payment_intent")
    card = methods.of(call.books.methods.get(charge["payment_method"]) or {})
    refund = {
        "id": call.books.name("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": call.now,
        "currency": charge["currency"],
        "description": None,
        "metadata": metadata,
        "payment_intent": intent["id"],
        "reason": reason,
        "receipt_number": None,
        "status": card.refund,
    }
    refund["balance_transaction"] = transaction(call, "refund", -amount, 0, refund)
    call.books.refunds.add(refund)
    _give_back(charge, amount)
    call.note("refunded", intent, amount, refund["id"])
    call.emit("refund.created", refund)
    call.emit("charge.refunded", charge)
    if card.refund_ends:
        well = card.refund_ends == "succeeded"
        call.later(call.books.settings.refund_seconds, lambda later: _end_in_time(later, refund, well))
    return refund


def finish(call: Call, refund: Object, *, well: bool) -> None:
    """A refund comes to its end; one that had succeeded may still fail."""
    if refund["status"] == "failed" or (well and refund["status"] == "succeeded"):
        raise ValueError(f"{refund['id']} has {refund['status']} already")
    if well:
        refund["status"] = "succeeded"
        return call.emit("refund.updated", refund)
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    refund["failure_balance_transaction"] = transaction(call, "refund_failure", refund["amount"], 0, refund)
    charge = call.books.charges.get(refund["charge"]) or {}
    _give_back(charge, -refund["amount"])
    call.note("refund_failed", call.intent(refund["payment_intent"]), refund["amount"], refund["id"])
    call.emit("refund.updated", refund)
    return call.emit("refund.failed", refund)


def _end_in_time(call: Call, refund: Object, well: bool) -> None:
    if refund["status"] == ("pending" if well else "succeeded"):
        finish(call, refund, well=well)


def _charge(call: Call) -> Object:
    """The charge that is meant, which the payment names if it is not named itself."""
    payment, identity = forms.text(call.form, "payment_intent"), forms.text(call.form, "charge")
    if payment is None and identity is None:
        raise invalid("payment_intent", "parameter_missing", "Name a payment_intent or a charge.")
    if payment is not None:
        identity = call.intent(payment, "payment_intent")["latest_charge"]
    charge = call.books.charges.get(identity) if identity else None
    if charge is None and payment is None:
        raise missing("charge", "charge", identity or "")
    if charge is None or not charge["captured"]:
        said = "There is no charge with money in it that could go back."
        raise Refusal(400, said, param="payment_intent" if payment else "charge")
    return charge


def _refundable(charge: Object, asked: int | None) -> int:
    left: int = charge["amount_captured"] - charge["amount_refunded"]
    if not left:
        said = f"Charge {charge['id']} has already been refunded."
        raise Refusal(400, said, code="charge_already_refunded")
    if asked is not None and asked > left:
        raise Refusal(400, f"{asked} is more than the {left} that can still be refunded.", param="amount")
    return left if asked is None else asked


def _give_back(charge: Object, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
