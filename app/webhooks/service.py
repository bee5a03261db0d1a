"""What a user does with webhooks: subscribe, look at deliveries, have them sent again."""

import uuid
from datetime import datetime
from typing import Any

import orjson

from app.core import audit, clock, cursors, strangers
from app.core.addresses import ForbiddenURL
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import FieldProblem, Unprocessable
from app.webhooks import ids, messages, repository, secrets, signing
from app.webhooks.errors import (
    DeliveryInProgress,
    DeliveryNotFound,
    SubscriptionNotActive,
    SubscriptionNotFound,
    TooManySecrets,
    TooManySubscriptions,
    URLNotAllowed,
)
from app.webhooks.schemas import TEST, ReplayIn, SubscriptionIn, SubscriptionPatch

MOST_REPLAYED = 10_000


async def check_url(url: str) -> None:
    """To be asked before a transaction, for names may be slow to resolve. Raises URLNotAllowed."""
    try:
        await strangers.resolves_to_public(url)
    except ForbiddenURL as refusal:
        raise URLNotAllowed(str(refusal), errors=[FieldProblem("/url", refusal.code, str(refusal))]) from None


async def create(session: Session, user_id: uuid.UUID, data: SubscriptionIn) -> Row:
    """A subscription with its secret, which is not shown again. Raises TooManySubscriptions."""
    await _require_own(session, user_id, data.bookings)
    subscription_id = uuid.uuid4()
    secret, sealed = secrets.added(subscription_id, [], clock.now())
    added = await repository.add(
        session,
        user_id,
        settings().webhook_subscriptions_per_user,
        id=subscription_id,
        url=data.url,
        events=data.events,
        bookings=data.bookings,
        description=data.description,
        secrets=orjson.dumps(sealed).decode(),
    )
    if added is None:
        raise TooManySubscriptions(
            f"An account has at most {settings().webhook_subscriptions_per_user}; delete one."
        )
    await _audit(session, "created", added)
    return _view(added) | {"secret": secret}


async def page(session: Session, user_id: uuid.UUID, cursor: str | None, size: int) -> Row:
    """The caller's subscriptions, newest first."""
    found = await repository.of_user(session, user_id, cursors.moment(cursor), size + 1)
    return cursors.page([_view(one) for one in found[:size]], found, size, "created_at")


async def read(session: Session, user_id: uuid.UUID, subscription_id: str) -> Row:
    """Raises SubscriptionNotFound, also for somebody else's."""
    return _view(await _found(session, user_id, subscription_id))


async def change(session: Session, user_id: uuid.UUID, subscription_id: str, data: SubscriptionPatch) -> Row:
    """Change what is named. One that is made active, or sent elsewhere, begins with a clean record."""
    subscription = await _found(session, user_id, subscription_id, locked=True)
    wanted = data.model_dump(exclude_unset=True)
    for name in ("url", "events", "status"):
        if name in wanted and wanted[name] is None:
            raise _null(name)
    await _require_own(session, user_id, data.bookings)
    subscription.update(wanted)
    if "status" in wanted:
        subscription["disabled_reason"] = None
    if "url" in wanted or "status" in wanted:
        subscription["failing_since"] = None
    await _audit(session, "changed", subscription, fields=sorted(wanted))
    return _view(await repository.change(session, subscription))


async def delete(session: Session, user_id: uuid.UUID, subscription_id: str) -> None:
    """Nothing more is sent, and its secrets are forgotten. Raises SubscriptionNotFound."""
    subscription = await _found(session, user_id, subscription_id, locked=True)
    subscription.update(status="deleted", disabled_reason=None, secrets=[])
    await repository.change(session, subscription)
    await _audit(session, "deleted", subscription)


async def rotate(session: Session, user_id: uuid.UUID, subscription_id: str) -> Row:
    """A new secret, which is not shown again; the former ones sign as well for 24 hours. Raises TooManySecrets."""
    subscription = await _found(session, user_id, subscription_id, locked=True)
    now = clock.now()
    if len(secrets.live(subscription["secrets"], now)) >= secrets.MOST_LIVE:
        raise TooManySecrets("Former secrets sign for 24 hours; wait until one of them is over.")
    secret, subscription["secrets"] = secrets.added(subscription["id"], subscription["secrets"], now)
    await _audit(session, "secret_rotated", subscription)
    return _view(await repository.change(session, subscription)) | {"secret": secret}


async def test(session: Session, user_id: uuid.UUID, subscription_id: str) -> Row:
    """A real, signed delivery to this subscription alone. Raises SubscriptionNotFound, SubscriptionNotActive."""
    subscription = await _found(session, user_id, subscription_id)
    _require_active(subscription["status"])
    event = {
        "event_id": uuid.uuid4(),
        "type": TEST,
        "created_at": clock.now(),
        "sequence": 1,
        "data": {"subscription_id": ids.shown(ids.SUBSCRIPTION, subscription["id"])},
    }
    [queued] = await messages.send(session, [(event, subscription)])
    found = await repository.delivery(session, user_id, queued["id"])
    assert found is not None  # noqa: S101  It was made in this transaction.
    return _delivery(found)


async def deliveries(
    session: Session,
    user_id: uuid.UUID,
    subscription_id: str,
    cursor: str | None,
    size: int,
    **wanted: Any,
) -> Row:
    """What was sent and will be, the newest event first."""
    subscription = await _found(session, user_id, subscription_id)
    found = await repository.deliveries_of(
        session, subscription["id"], cursors.moment(cursor), size + 1, **wanted
    )
    return cursors.page([_delivery(one) for one in found[:size]], found, size, "event_at")


async def delivery(session: Session, user_id: uuid.UUID, delivery_id: str) -> Row:
    """One delivery with every attempt. Raises DeliveryNotFound."""
    found = await _found_delivery(session, user_id, delivery_id)
    attempts = await repository.attempts_of(session, found)
    return _delivery(found) | {
        "request_body": found["body"].decode(),
        "attempt_history": [_attempt(found, one) for one in attempts],
    }


async def redeliver(session: Session, user_id: uuid.UUID, delivery_id: str) -> Row:
    """Send now, with the same id and the same bytes.

    What has ended begins anew with the whole schedule. What waits for its next attempt keeps that one.
    Raises DeliveryNotFound, DeliveryInProgress, SubscriptionNotActive.
    """
    found = await _found_delivery(session, user_id, delivery_id, locked=True)
    _require_active(found["subscription_status"])
    if found["state"] == "sending":
        raise DeliveryInProgress(retry_after=15)
    attempts = max(found["attempts"] - 1, 0) if found["state"] == "pending" else 0
    return _delivery(await repository.send_again(session, found, attempts))


async def replay(session: Session, user_id: uuid.UUID, subscription_id: str, data: ReplayIn) -> Row:
    """Begin anew with deliveries that ended, the oldest first. Raises SubscriptionNotActive."""
    subscription = await _found(session, user_id, subscription_id)
    _require_active(subscription["status"])
    replayed = await repository.replay(
        session,
        subscription["id"],
        data.since,
        data.until,
        list(data.states),
        list(data.events) if data.events else None,
        MOST_REPLAYED,
    )
    return {"replayed": replayed, "complete": replayed < MOST_REPLAYED}


async def pause_all(session: Session, user_id: uuid.UUID) -> None:
    """Nothing is sent until the account's owner, who may not have made them, has looked at each."""
    for subscription in await repository.pause_all(session, user_id):
        await _audit(session, "paused", subscription)


def test_vector() -> Row:
    """A delivery whose secrets everybody knows, signed as during a rotation, for who writes a verifier."""
    known = [
        "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    ]
    message_id, timestamp = "evt_7a1c9e0b4d2f4e6f8a3b5c7d9e1f2a4b", 1767225600
    body = orjson.dumps(
        {
            "id": message_id,
            "type": "booking.confirmed",
            "created_at": "2026-01-01T00:00:00Z",
            "sequence": 3,
            "data": {"pnr": "K7QX2M", "status": "confirmed", "lead_passenger": "Zoë Ångström"},
        }
    )
    both = signing.sign([signing.key_of(secret) for secret in known], message_id, timestamp, body)
    return {
        "secrets": known,
        "headers": {
            "content-type": "application/json; charset=utf-8",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": both,
        },
        "body": body.decode(),
        "expected": {
            "signatures": dict(zip(known, both.split(), strict=True)),
            "verdict": "The signature is good for each secret alone; by its age a verifier that looks at the clock "
            "refuses it.",
        },
    }


async def _audit(session: Session, what: str, subscription: Row, **data: list[str]) -> None:
    subject = f"webhook:{ids.shown(ids.SUBSCRIPTION, subscription['id'])}"
    by, actor = audit.signed_in()
    await audit.record(session, f"webhook.{what}", by=by, actor=actor, subject=subject, **data)


def _require_active(status: str) -> None:
    if status != "active":
        raise SubscriptionNotActive("It is paused or disabled: make it active first.")


async def _require_own(session: Session, user_id: uuid.UUID, pnrs: list[str] | None) -> None:
    own = await repository.own_bookings(session, user_id, pnrs) if pnrs else set()
    problems = [
        FieldProblem(f"/bookings/{index}", "booking_not_found", "You have no booking with this reference")
        for index, pnr in enumerate(pnrs or [])
        if pnr not in own
    ]
    if problems:
        raise Unprocessable("A subscription can be narrowed to bookings of yours.", errors=problems)


def _null(name: str) -> Unprocessable:
    return Unprocessable(errors=[FieldProblem(f"/{name}", "null", "Leave it out to keep it as it is")])


async def _found(session: Session, user_id: uuid.UUID, subscription_id: str, *, locked: bool = False) -> Row:
    wanted = ids.own(ids.SUBSCRIPTION, subscription_id)
    found = await repository.find(session, user_id, wanted, locked=locked) if wanted else None
    if found is None:
        raise SubscriptionNotFound
    return found


async def _found_delivery(
    session: Session, user_id: uuid.UUID, delivery_id: str, *, locked: bool = False
) -> Row:
    wanted = ids.own(ids.DELIVERY, delivery_id)
    found = await repository.delivery(session, user_id, wanted, locked=locked) if wanted else None
    if found is None:
        raise DeliveryNotFound
    return found


def _at(instant: datetime | None) -> str | None:
    return clock.rfc3339(instant) if instant else None


def _view(subscription: Row) -> Row:
    return {
        "id": ids.shown(ids.SUBSCRIPTION, subscription["id"]),
        "url": subscription["url"],
        "events": subscription["events"],
        "bookings": subscription["bookings"],
        "description": subscription["description"],
        "status": subscription["status"],
        "disabled_reason": subscription["disabled_reason"],
        "failing_since": _at(subscription["failing_since"]),
        "live_secrets": len(secrets.live(subscription["secrets"], clock.now())),
        "created_at": _at(subscription["created_at"]),
        "updated_at": _at(subscription["updated_at"]),
    }


def _delivery(delivery: Row) -> Row:
    return {
        "id": ids.shown(ids.DELIVERY, delivery["id"]),
        "subscription_id": ids.shown(ids.SUBSCRIPTION, delivery["subscription_id"]),
        "event_id": ids.shown(ids.EVENT, delivery["event_id"]),
        "event_type": delivery["type"],
        "state": delivery["state"],
        "attempts": delivery["attempts"],
        "next_attempt_at": _at(delivery["next_attempt_at"]) if delivery["state"] == "pending" else None,
        "last_status": delivery["last_status"],
        "last_error": delivery["last_error"],
        "created_at": _at(delivery["event_at"]),
        "delivered_at": _at(delivery["delivered_at"]),
    }


def _attempt(delivery: Row, attempt: Row) -> Row:
    headers = {
        "webhook-id": ids.shown(ids.EVENT, delivery["event_id"]),
        "webhook-timestamp": str(int(attempt["sent_at"].timestamp())),
        "webhook-signature": attempt["signature"],
        "webhook-attempt": str(attempt["number"]),
    }
    return {
        "number": attempt["number"],
        "url": attempt["url"],
        "sent_at": attempt["sent_at"].isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "duration_ms": attempt["milliseconds"],
        # Of an attempt whose sender was lost nobody knows what was sent.
        "request_headers": headers if attempt["signature"] else {},
        "status": attempt["status"],
        "error": attempt["error"],
        "response_excerpt": attempt["excerpt"].decode(errors="replace")
        if attempt["excerpt"] is not None
        else None,
    }
