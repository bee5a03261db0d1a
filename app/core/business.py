"""What the business did, as a stream of lines for those who count it: searches, bookings, payments, deliveries.

Of people there is nothing in it, not even an account or a request; a booking is known by a number that only we can
tell from its reference. Lines of the same `event.id` tell the same thing again.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from logging import INFO
from typing import Any

import orjson

from app.core import clock, logging, money
from app.core.config import settings

_Facts = dict[str, Any]
_STREAM = ("booking.", "payment.")
# What an event says in words of ours or by numbers, and what a line calls it; amounts are told in minor units.
_WORDS = {
    "status": "jetway.booking.status",
    "reason": "jetway.reason",
    "payment_id": "jetway.payment.id",
    "refund_id": "jetway.payment.refund_id",
}
_AMOUNTS = {
    "total": "jetway.money.amount",
    "amount": "jetway.money.amount",
    "refund": "jetway.money.refund",
    "penalty": "jetway.money.penalty",
    "due": "jetway.money.due",
}


def tell(action: str, facts: Iterable[_Facts], at: datetime | None = None) -> None:
    """One line for each; facts that are None are left out."""
    _write((action, at or clock.now(), one) for one in facts)


def tell_events(events: Iterable[dict[str, Any]]) -> None:
    """Lines for those events of the outbox that are about bookings and payments. What they tell is committed."""
    _write(
        (event["type"], event["created_at"], _facts(event))
        for event in events
        if event["type"].startswith(_STREAM)
    )


def _write(told: Iterable[tuple[str, datetime, _Facts]]) -> None:
    if logging.wanted(INFO):
        line = _in_words if logging.for_people() else _in_json
        logging.write([line(*one) for one in told])


def _facts(event: dict[str, Any]) -> _Facts:
    facts: _Facts = {
        "event.id": f"evt_{event['event_id'].hex}",
        "event.sequence": event["sequence"],
        "trace.id": logging.trace_in(event.get("traceparent")),
        "jetway.booking.id": anonymous(event["subject"]),
    }
    for name, told in event["data"].items():
        if name in _WORDS:
            facts[_WORDS[name]] = told
        elif name in _AMOUNTS and told is not None:
            facts[_AMOUNTS[name]] = money.minor(told)
            facts["jetway.money.currency"] = told["currency"]
    return facts


def anonymous(reference: str) -> str:
    """The same for all lines of a booking. With its reference anybody who knows a name is let in, so that stays out."""
    return _anonymous(reference, settings().secret_keys[0])


@lru_cache(maxsize=4096)
def _anonymous(reference: str, secret: str) -> str:
    return hmac.digest(secret.encode(), f"jetway business {reference}".encode(), "sha256")[:8].hex()


def _in_words(action: str, at: datetime, facts: _Facts) -> str:
    told = (f"{name.rpartition('.')[2]}={one}" for name, one in facts.items() if one is not None)
    return f"{at:%H:%M:%S} {action} {' '.join(told)}\n"


def _in_json(action: str, at: datetime, facts: _Facts) -> str:
    told = orjson.dumps({name: one for name, one in facts.items() if one is not None}).decode()
    return (
        f'{{"@timestamp":"{logging.stamped(at)}","log.level":"info","message":"{action}",{logging.who_in_json()},'
        f'"log.logger":"{logging.BUSINESS}","event.dataset":"{logging.BUSINESS}","event.action":"{action}",'
        f"{told[1:]}\n"
    )
