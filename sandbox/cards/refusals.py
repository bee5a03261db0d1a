"""Answers that are errors, in the vendor's one envelope."""

from __future__ import annotations

from typing import Any

import orjson

from sandbox.faults import Answer

INVALID = "invalid_request_error"


class Silence(Exception):
    """Nothing is done and nothing is said."""


class Refusal(Exception):
    """An error. `kept` says whether an idempotency key repeats it, as it does once the work had begun."""

    def __init__(
        self, status: int, message: str, *, kept: bool = True, kind: str = INVALID, **more: Any
    ) -> None:
        super().__init__(message)
        self.status, self.kept = status, kept
        self.error: dict[str, Any] = {"type": kind, "message": message, **more}

    def answer(self) -> Answer:
        return json_answer({"error": self.error}, self.status)


def json_answer(payload: Any, status: int = 200) -> Answer:
    return Answer(status, orjson.dumps(payload), b"application/json")


def invalid(param: str | None, code: str, message: str) -> Refusal:
    """A request that makes no sense; it was not begun, so its key stays free."""
    return Refusal(400, message, kept=False, code=code, param=param)


def missing(kind: str, param: str, identity: str) -> Refusal:
    return Refusal(404, f"No such {kind}: '{identity}'", kept=False, code="resource_missing", param=param)


def unexpected_state(intent: dict[str, Any], wish: str) -> Refusal:
    """The payment is not where this could be done with it."""
    said = f"A PaymentIntent with the status {intent['status']} cannot {wish}."
    return Refusal(400, said, code="payment_intent_unexpected_state", payment_intent=intent)


def raw_card() -> Refusal:
    """No card number ever comes in, not even an invented one."""
    return Refusal(402, "Card numbers may not be sent from a server; use a test payment method.", kept=False)
