"""PaymentIntents: from the wish to be paid, over a question to the bank, to the money or to nothing."""

from __future__ import annotations

from typing import Any

from sandbox.cards import charges, forms, methods
from sandbox.cards.books import Call, Object
from sandbox.cards.refusals import Refusal, invalid, unexpected_state

MOST = 99_999_999
CAPTURE = ("automatic", "automatic_async", "manual")
REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
TEXTS = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")
CREATE = {
    *("amount", "currency", "capture_method", "confirm", "confirmation_method", "payment_method", "metadata"),
    *("return_url", "automatic_payment_methods", "payment_method_types", *TEXTS),
}
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
FAILED_3DS = "payment_intent_authentication_failure"


def create(call: Call) -> Object:
    forms.only(call.form, CREATE)
    confirm, intent = forms.flag(call.form, "confirm"), _wanted(call)
    address = forms.address(call.form, "return_url")
    if confirm:
        _check_return(intent, address)
        forms.required(call.form, "payment_method")
    method = methods.chosen(call, call.form, confirm=confirm)
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    call.books.intents.add(intent)
    call.emit("payment_intent.created", intent)
    if confirm and method is not None:
        _attempt(call, intent, method, address)
    return intent


def confirm(call: Call, identity: str) -> Object:
    intent, form = call.intent(identity), call.form
    forms.only(form, {"payment_method", "return_url"})
    address = forms.address(form, "return_url")
    if intent["status"] not in OPEN:
        raise unexpected_state(intent, "be confirmed")
    _check_return(intent, address)
    method = methods.chosen(call, {"payment_method": intent["payment_method"], **form}, confirm=True)
    if method is None:
        raise unexpected_state(intent, "be confirmed without a payment method")
    _attempt(call, intent, method, address)
    return intent


def capture(call: Call, identity: str) -> Object:
    intent = call.intent(identity)
    forms.only(call.form, {"amount_to_capture", "metadata"})
    amount = forms.integer(call.form, "amount_to_capture")
    if intent["status"] != "requires_capture":
        raise unexpected_state(intent, "be captured")
    if amount is not None and amount > intent["amount_capturable"]:
        raise invalid("amount_to_capture", "amount_too_large", "More than was authorised cannot be captured.")
    charge = _charge(call, intent)
    if methods.of(_method(call, intent)).capture_fails:
        raise Refusal(402, **charges.decline(call, intent, charge, ("card_declined", "generic_decline")))
    charges.take(call, intent, charge, amount or intent["amount_capturable"])
    call.emit("charge.captured", charge)
    call.emit("payment_intent.succeeded", intent)
    return intent


def cancel(call: Call, identity: str) -> Object:
    intent = call.intent(identity)
    forms.only(call.form, {"cancellation_reason"})
    reason = forms.choice(call.form, "cancellation_reason", REASONS)
    if intent["status"] not in (*OPEN, "requires_capture"):
        raise unexpected_state(intent, "be canceled")
    if intent["status"] == "requires_capture":
        charges.release(call, intent, _charge(call, intent), "charge.refunded")
    _end(call, intent, reason)
    return intent


def finish(call: Call, intent: Object, *, well: bool) -> None:
    """The cardholder has passed or failed 3-D Secure, or the bank has made up its mind."""
    if intent["status"] not in ("requires_action", "processing"):
        raise ValueError(f"{intent['id']} waits for nothing: its status is {intent['status']}")
    asked = intent["status"] == "requires_action"
    intent["next_action"] = None
    if well:
        _ask_the_bank(call, intent)
    elif asked:
        _fail_authentication(call, intent)
    else:
        charges.decline(call, intent, charges.new(call, intent), ("card_declined", "generic_decline"))


def _wanted(call: Call) -> Object:
    """A new PaymentIntent, as it was asked for."""
    form = call.form
    amount, identity = forms.integer(form, "amount"), call.books.name("pi_3")
    if amount is None:
        raise invalid("amount", "parameter_missing", "Missing required parameter: amount.")
    if amount > MOST:
        raise invalid("amount", "amount_too_large", f"amount must be {MOST} at most.")
    currency = forms.required(form, "currency").lower()
    if len(currency) != 3 or not (currency.isascii() and currency.isalpha()):
        raise invalid("currency", "parameter_invalid_string", f"{currency} is no currency.")
    kinds = forms.members(form, "payment_method_types")
    return {
        "id": identity,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": None if kinds else _automatic(form),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": forms.choice(form, "capture_method", CAPTURE, "automatic"),
        "client_secret": f"{identity}_secret_{call.books.name('')}",
        "confirmation_method": forms.choice(form, "confirmation_method", ("automatic",), "automatic"),
        "created": call.now,
        "currency": currency,
        "customer": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": forms.metadata(form),
        "next_action": None,
        "payment_method": None,
        "payment_method_options": {},
        "payment_method_types": kinds or ["card"],
        "processing": None,
        "status": "requires_payment_method",
        **{name: forms.text(form, name) for name in TEXTS},
    }


def _automatic(form: forms.Form) -> Object:
    """On when nobody says otherwise, as at the vendor."""
    asked = forms.inner(form, "automatic_payment_methods")
    forms.only(asked, {"enabled", "allow_redirects"})
    redirects = forms.choice(asked, "allow_redirects", ("always", "never"), "always")
    return {"allow_redirects": redirects, "enabled": True}


def _check_return(intent: Object, address: str | None) -> None:
    """Who may be sent elsewhere to pay must be able to come back."""
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and address is None:
        said = "return_url is needed unless automatic_payment_methods[allow_redirects] is never."
        raise invalid("return_url", "parameter_missing", said)


def _attempt(call: Call, intent: Object, method: Object, address: str | None) -> None:
    """Tries to be paid with a method; a decline is both an answer and a state."""
    card = methods.of(method)
    call.answer = card.answer
    intent |= {"payment_method": method["id"], "last_payment_error": None, "next_action": None}
    if card.authenticates:
        _ask_the_holder(call, intent, address)
    elif card.processes:
        intent["status"] = "processing"
        call.emit("payment_intent.processing", intent)
        wait = call.books.settings.processing_seconds
        call.later(wait, lambda later: _decided(later, intent))
    elif error := _ask_the_bank(call, intent):
        raise Refusal(402, **error)


def _ask_the_holder(call: Call, intent: Object, address: str | None) -> None:
    """With nowhere to come back to, the vendor leaves the way there to its script in the browser."""
    page = f"{call.base}/cards/3ds/{intent['id']}"
    if address is None:
        inner = {"type": "three_d_secure_redirect", "stripe_js": page}
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": inner}
    else:
        there = {"return_url": address, "url": page}
        action = {"type": "redirect_to_url", "redirect_to_url": there}
    intent |= {"status": "requires_action", "next_action": action}
    call.emit("payment_intent.requires_action", intent)


def _ask_the_bank(call: Call, intent: Object) -> dict[str, Any] | None:
    """Authorises, and takes the money unless that is to be done later; gives the error of a decline."""
    charge, card = charges.new(call, intent), methods.of(_method(call, intent))
    if card.decline:
        return charges.decline(call, intent, charge, card.decline)
    if intent["capture_method"] != "manual":
        charges.take(call, intent, charge, intent["amount"])
        call.emit("charge.succeeded", charge)
        call.emit("payment_intent.succeeded", intent)
        return None
    charges.authorise(call, intent, charge)
    call.later(charges.AUTHORISED_SECONDS, lambda later: _expire(later, intent, charge["id"]))
    return None


def _decided(call: Call, intent: Object) -> None:
    """The bank's time is up, if nobody was faster."""
    if intent["status"] == "processing":
        _ask_the_bank(call, intent)


def _expire(call: Call, intent: Object, charge: str) -> None:
    """What was not captured in time falls back to the cardholder."""
    if intent["status"] == "requires_capture" and intent["latest_charge"] == charge:
        charges.release(call, intent, _charge(call, intent), "charge.expired")
        _end(call, intent, "automatic")


def _end(call: Call, intent: Object, reason: str | None) -> None:
    intent |= {"status": "canceled", "canceled_at": call.now, "cancellation_reason": reason}
    intent |= {"amount_capturable": 0, "next_action": None}
    call.note("canceled", intent, intent["amount"], intent["latest_charge"])
    call.emit("payment_intent.canceled", intent)


def _fail_authentication(call: Call, intent: Object) -> None:
    error = {
        "type": "invalid_request_error",
        "code": FAILED_3DS,
        "message": "The cardholder was not authenticated; another payment method may be tried.",
        "payment_method": _method(call, intent),
    }
    intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": error}
    call.note("not_authenticated", intent, intent["amount"], None)
    call.emit("payment_intent.payment_failed", intent)


def _method(call: Call, intent: Object) -> Object:
    found = call.books.methods.get(intent["payment_method"])
    if found is None:
        raise AssertionError("a payment method is never forgotten")
    return found


def _charge(call: Call, intent: Object) -> Object:
    found = call.books.charges.get(intent["latest_charge"])
    if found is None:
        raise AssertionError("a charge is never forgotten")
    return found
