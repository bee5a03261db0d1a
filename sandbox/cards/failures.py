"""The card processor's own ways of failing. Those on the way strike after the work: only the answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sandbox.cards.refusals import Refusal
from sandbox.faults import Answer

BEFORE = {
    "card_500": "500 api_error; nothing was done and the key stays free",
    "card_500_kept": "500 api_error; nothing was done and the key repeats the 500, as the vendor's may",
    "card_429": "429 rate_limit; nothing was done",
    "card_reset_before": "resets the connection; nothing was done",
    "card_silence_before": "never answers; nothing was done",
}
AFTER = {
    "card_500_after": "500 api_error, though it was done; the key repeats the 500",
    "card_silence_after": "never answers, though it was done; the key repeats the proper answer",
}
FAILURES = BEFORE | AFTER


def internal() -> Answer:
    return Refusal(500, "Something went wrong at our end.", kind="api_error").answer()


def lasting() -> Answer:
    """To ask again with the same key would be of no use, and the vendor says so."""
    return replace(internal(), headers=((b"stripe-should-retry", b"false"),))


def _too_fast() -> Answer:
    return Refusal(429, "Too many requests at once.", code="rate_limit").answer()


INSTEAD: dict[str, Callable[[], Answer]] = {
    "card_500": internal,
    "card_500_kept": lasting,
    "card_429": _too_fast,
    "card_reset_before": internal,
}
