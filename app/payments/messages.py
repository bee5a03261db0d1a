"""Messages of the card processor."""

import uuid

from app.core.config import settings
from app.core.db import Session
from app.payments import repository
from app.payments.errors import SignatureInvalid
from app.providers import registry
from app.providers.cards import BadSignature


async def hear(session: Session, body: bytes, signature: str) -> bool:
    """Keep a message once and have what it is about looked at; false if it came before. Raises SignatureInvalid."""
    if not settings().stripe_webhook_secret:
        raise SignatureInvalid("This installation takes no messages: STRIPE_WEBHOOK_SECRET is not set.")
    try:
        message = registry.cards().message(body, signature)
    except BadSignature:
        raise SignatureInvalid from None
    return await repository.hear(
        session,
        {
            "event_id": message.id,
            "type": message.type,
            "object_id": message.object_id,
            "intent": message.intent,
            "refund": message.refund,
            "payment": _own_id(message.payment),
        },
    )


def _own_id(name: str | None) -> uuid.UUID | None:
    """The payment that we named so; None for others' names."""
    try:
        return uuid.UUID((name or "").removeprefix("pay_"))
    except ValueError:
        return None
