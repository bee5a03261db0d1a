"""Stripe behind the port of card processors, through its own library.

The library is loaded with the first payment: it is large, and an installation without payments never needs it.
https://docs.stripe.com/api/payment_intents
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from app.core import clock, http, money, tracing
from app.core.config import settings
from app.core.db import Row
from app.core.logging import logger
from app.core.metrics import UPSTREAM_CALLS, UPSTREAM_SECONDS
from app.providers.cards import (
    BadSignature,
    BookLine,
    CardRefused,
    CardUnreachable,
    Charge,
    Message,
    Repayment,
    State,
)

if TYPE_CHECKING:
    from stripe import StripeClient

T = TypeVar("T")
log = logger("jetway.stripe")

_STATES: dict[str, State] = {
    "requires_payment_method": "failed",
    "requires_confirmation": "processing",
    "requires_action": "requires_action",
    "processing": "processing",
    "requires_capture": "authorised",
    "succeeded": "captured",
    "canceled": "cancelled",
}
# Where the processor counts otherwise than ISO 4217 does. https://docs.stripe.com/currencies
_EXPONENTS = {"MGA": 0, "ISK": 2, "UGX": 2}
_PAGE = 100
_LONGEST_ID = 255
_WITH_CARD = ["latest_charge.balance_transaction"]
# The processor forgets names after a day: from then on a repetition would be a second payment.
_NAMES_LIVE = timedelta(hours=12)
_CLOCKS_DIFFER = timedelta(minutes=5)
_MOST_NAMES = 5


class _SpentName(CardUnreachable):
    """The processor repeats an error under this name for good: whether something was done is to be found out."""


class Stripe:
    async def authorise(
        self,
        name: str,
        *,
        amount: int,
        currency: str,
        method: str,
        description: str,
        return_url: str | None,
        first_asked_at: datetime,
    ) -> Charge:
        """Reserve the amount on the card; a card that is refused is a Charge that `failed`."""
        params: Any = {
            "amount": _counted(amount, currency),
            "currency": currency.lower(),
            "payment_method": method,
            "payment_method_types": ["card"],
            "capture_method": "manual",
            "confirm": True,
            "description": description,
            "metadata": {"payment": name},
            "expand": _WITH_CARD,
        }
        if return_url:
            params["return_url"] = return_url

        async def made() -> Charge | None:
            return await self._named(name, first_asked_at)

        if clock.now() - first_asked_at > _NAMES_LIVE and (found := await made()) is not None:
            return found
        return await _under_a_name(
            f"{name}:authorise",
            lambda once: self._charge("authorise", _client().v1.payment_intents.create_async(params, once)),
            made,
        )

    async def look(self, intent: str) -> Charge:
        call = _client().v1.payment_intents.retrieve_async(intent, {"expand": _WITH_CARD})
        return await self._charge("look", call)

    async def capture(self, name: str, intent: str) -> Charge:
        """Take what was reserved. What was taken already, or given up, is answered as it is."""
        params: Any = {"expand": _WITH_CARD}
        return await _under_a_name(
            f"{name}:capture",
            lambda once: self._settled(
                "capture", intent, _client().v1.payment_intents.capture_async(intent, params, once)
            ),
            lambda: self._over(intent),
        )

    async def cancel(self, name: str, intent: str) -> Charge:
        """Give up what was reserved."""
        return await _under_a_name(
            f"{name}:cancel",
            lambda once: self._settled(
                "cancel", intent, _client().v1.payment_intents.cancel_async(intent, {}, once)
            ),
            lambda: self._over(intent),
        )

    async def refund(
        self, name: str, intent: str, *, amount: int, currency: str, reference: str | None
    ) -> Repayment:
        refunds = _client().v1.refunds
        if reference:
            return _as_repayment((await _asked("refund", refunds.retrieve_async(reference))).to_dict())
        params: Any = {
            "payment_intent": intent,
            "amount": _counted(amount, currency),
            "metadata": {"refund": name},
        }

        async def ask(once: Any) -> Repayment:
            return _as_repayment((await _asked("refund", refunds.create_async(params, once))).to_dict())

        async def made() -> Repayment | None:
            async for found in _pages("find", refunds.list_async, {"payment_intent": intent}):
                if (found.get("metadata") or {}).get("refund") == name:
                    return _as_repayment(found)
            return None

        return await _under_a_name(f"{name}:refund", ask, made)

    async def books(self, start: datetime, end: datetime) -> AsyncIterator[BookLine]:
        params: Row = {
            "created": {"gte": int(start.timestamp()), "lt": int(end.timestamp())},
            "expand": ["data.source"],
        }
        async for line in _pages("books", _client().v1.balance_transactions.list_async, params):
            yield _line(line)

    def message(self, body: bytes, signature: str) -> Message:
        import stripe

        try:
            stripe.WebhookSignature.verify_header(
                body.decode(), signature, settings().stripe_webhook_secret, tolerance=300
            )
            event = stripe.Event.construct_from(_json(body), None).to_dict()
            found = event["data"]["object"]
            metadata = found.get("metadata") or {}
            intent = found["id"] if found["object"] == "payment_intent" else found.get("payment_intent")
            return Message(
                id=_id(event["id"]),
                type=_id(event["type"]),
                object_id=_id(found["id"]),
                intent=_id(intent) if intent else None,
                refund=found["id"] if found["object"] == "refund" else None,
                payment=metadata.get("payment"),
            )
        except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSignature(type(error).__name__) from None

    async def _charge(self, endpoint: str, call: Awaitable[Any]) -> Charge:
        import stripe

        try:
            return _as_charge((await _asked(endpoint, call)).to_dict())
        except stripe.CardError as error:
            refused = _body(error)
            return _as_charge(refused["payment_intent"], refused.get("decline_code") or error.code)

    async def _settled(self, endpoint: str, intent: str, call: Awaitable[Any]) -> Charge:
        """A step that may have been made before, or that the intent's state forbids: then its state is the answer."""
        try:
            return await self._charge(endpoint, call)
        except CardRefused:
            return await self.look(intent)

    async def _named(self, name: str, since: datetime) -> Charge | None:
        """The payment that was made under our name, if one was."""
        params = {"created": {"gte": int((since - _CLOCKS_DIFFER).timestamp())}}
        async for found in _pages("find", _client().v1.payment_intents.list_async, params):
            if (found.get("metadata") or {}).get("payment") == name:
                return await self.look(found["id"])
        return None

    async def _over(self, intent: str) -> Charge | None:
        """A payment at its end; None while it can still be captured or given up."""
        charge = await self.look(intent)
        return charge if charge.state in ("captured", "cancelled") else None


async def _under_a_name(
    name: str, ask: Callable[[Any], Awaitable[T]], made: Callable[[], Awaitable[T | None]]
) -> T:
    """Ask under a name that is the same for each repetition.

    Where the processor repeats an error under it, what was done is looked for; if nothing was, the next name serves.
    """
    for number in range(1, _MOST_NAMES + 1):
        try:
            return await ask({"idempotency_key": name if number == 1 else f"{name}:{number}"})
        except _SpentName:
            if (found := await made()) is not None:
                return found
    raise CardUnreachable("names_spent")


async def _pages(endpoint: str, ask: Callable[[Any], Awaitable[Any]], params: Row) -> AsyncIterator[Row]:
    """Everything on a list, page by page."""
    params = {**params, "limit": _PAGE}
    while True:
        page = (await _asked(endpoint, ask(params))).to_dict()
        for found in page["data"]:
            yield found
        if not page["has_more"]:
            return
        params["starting_after"] = page["data"][-1]["id"]


@cache
def _connected(key: str, base: str, session: Any) -> "StripeClient":
    import stripe

    stripe.enable_telemetry = False
    # It would log the vendor's words; what we have to say of a call is said in `_asked`.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    return stripe.StripeClient(
        key,
        base_addresses={"api": base},
        max_network_retries=0,
        http_client=stripe.AIOHTTPClient(timeout=settings().payment_timeout_seconds, session=session),
    )


def _client() -> "StripeClient":
    return _connected(settings().stripe_secret_key, settings().stripe_api_base.rstrip("/"), http.session())


async def _asked(endpoint: str, call: Awaitable[T]) -> T:
    """Raises CardUnreachable, CardRefused, and the library's CardError, which is the answer of a bank."""
    import stripe

    started, outcome = perf_counter(), "ok"
    try:
        return await call
    except stripe.CardError:
        outcome = "declined"
        raise
    except stripe.InvalidRequestError as error:
        # A twin that is still running has the name: what it does is not known yet.
        unknown = error.http_status == 409 or error.http_status is None
        outcome = "unknown" if unknown else "refused"
        log.warning("card processor refused", endpoint=endpoint, code=error.code, status=error.http_status)
        raise (CardUnreachable if unknown else CardRefused)(str(error.code or "refused")) from None
    except stripe.IdempotencyError as error:
        outcome = "refused" if error.http_status == 400 else "unknown"
        raise (CardRefused if error.http_status == 400 else CardUnreachable)("same_name") from None
    except (stripe.StripeError, OSError, ValueError) as error:
        # That our key is wrong says nothing of the payment, and is put right some day.
        outcome = "unknown"
        headers = getattr(error, "headers", None) or {}
        spent = headers.get("idempotent-replayed") == "true"
        raise (_SpentName if spent else CardUnreachable)(type(error).__name__) from None
    except Exception as error:  # noqa: BLE001
        # The library's own bugs on odd answers, and broken connections, are all one here: nobody knows.
        outcome = "unknown"
        log.warning("card processor's answer is odd", endpoint=endpoint, reason=type(error).__name__)
        raise CardUnreachable(type(error).__name__) from None
    finally:
        UPSTREAM_CALLS.labels("stripe", endpoint, outcome).inc()
        UPSTREAM_SECONDS.labels("stripe", endpoint).observe(perf_counter() - started)
        tracing.called("stripe", endpoint, outcome, perf_counter() - started)


def _as_charge(found: Row, failure: str | None = None) -> Charge:
    charge = found.get("latest_charge")
    charge = charge if isinstance(charge, dict) else {}
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    booked = charge.get("balance_transaction")
    booked = booked if isinstance(booked, dict) else {}
    action = (found.get("next_action") or {}).get("redirect_to_url") or {}
    currency, fee_currency = found["currency"].upper(), str(booked.get("currency", "")).upper()
    last_error = found.get("last_payment_error") or {}
    return Charge(
        intent=found["id"],
        state=_STATES.get(found["status"], "processing"),
        amount=_ours(found["amount"], currency),
        currency=currency,
        brand=card.get("brand"),
        last4=card.get("last4"),
        fee=_ours(booked["fee"], fee_currency) if booked else None,
        fee_currency=fee_currency or None,
        secret=found.get("client_secret"),
        action_url=action.get("url"),
        failure=failure or last_error.get("decline_code") or last_error.get("code"),
    )


def _as_repayment(found: Row) -> Repayment:
    states: dict[str, Any] = {"succeeded": "succeeded", "failed": "failed", "canceled": "failed"}
    return Repayment(found["id"], states.get(found["status"], "pending"), found.get("failure_reason"))


def _line(line: Row) -> BookLine:
    kinds: dict[str, Any] = {
        "charge": "charge",
        "payment": "charge",
        "refund": "refund",
        "payment_refund": "refund",
    }
    source = line["source"] if isinstance(line["source"], dict) else {"id": line["source"]}
    kind, currency = kinds.get(line["type"], "other"), line["currency"].upper()
    return BookLine(
        kind=kind,
        reference=line["id"],
        intent=source.get("payment_intent"),
        refund=source.get("id") if kind == "refund" else None,
        amount=_ours(line["amount"], currency),
        fee=_ours(line["fee"], currency),
        currency=currency,
    )


def _body(error: Any) -> Row:
    body: Row = (error.json_body or {}).get("error") or {}
    if "payment_intent" not in body:
        raise CardRefused(str(error.code or "card_error"))  # Nothing was begun.
    return body


def _id(value: Any) -> str:
    """One that the database can keep. Raises ValueError."""
    text = str(value)
    if len(text) > _LONGEST_ID or not text.isprintable():
        raise ValueError("no id")
    return text


def _json(body: bytes) -> Row:
    decoded: Row = orjson.loads(body)
    return decoded


def _counted(minor: int, currency: str) -> int:
    """An amount in the processor's smallest unit. Raises CardRefused for what it cannot express."""
    numerator, denominator = _scale(currency)
    counted, lost = divmod(minor * numerator, denominator)
    if lost:
        raise CardRefused("amount_too_fine")
    return counted


def _ours(counted: int, currency: str) -> int:
    """An amount of the processor's in ISO 4217's minor units."""
    numerator, denominator = _scale(currency)
    return counted * denominator // numerator


def _scale(currency: str) -> tuple[int, int]:
    """By what to multiply and to divide minor units to get the processor's; one of both is 1."""
    ours = money.exponent(currency)
    theirs = _EXPONENTS.get(currency, ours)
    return int(10 ** max(0, theirs - ours)), int(10 ** max(0, ours - theirs))
