"""A subscription's signing secrets: made here, kept sealed, and replaced without a gap."""

import uuid
from datetime import datetime, timedelta
from functools import lru_cache

from app.core import clock, crypto
from app.core.db import Row, Session
from app.webhooks import repository, signing

# For so long the former secret signs as well, so that a receiver may change over when it likes.
OVERLAP = timedelta(hours=24)
MOST_LIVE = 5


def added(subscription_id: uuid.UUID, secrets: list[Row], now: datetime) -> tuple[str, list[Row]]:
    """A new secret, and the live ones with it, the newest first; those before it retire after the overlap."""
    secret = signing.new_secret()
    sealed = {"sealed": crypto.seal(secret, _context(subscription_id)), "retires_at": None}
    retiring = {"retires_at": clock.rfc3339(now + OVERLAP)}
    former = [one if one["retires_at"] else one | retiring for one in live(secrets, now)]
    return secret, [sealed, *former]


def live(secrets: list[Row], now: datetime) -> list[Row]:
    return [
        one for one in secrets if not one["retires_at"] or datetime.fromisoformat(one["retires_at"]) > now
    ]


def keys(subscription_id: uuid.UUID, secrets: list[Row]) -> list[bytes]:
    """The keys that sign now, the newest first."""
    return [_key(subscription_id, one["sealed"]) for one in live(secrets, clock.now())]


async def reseal(session: Session, most: int) -> int:
    """Seal secrets anew that were not sealed with the newest key; returns for how many subscriptions."""
    found = await repository.sealed_otherwise(session, crypto.newest(), most)
    for one in found:
        context = _context(one["id"])
        resealed = [
            secret | {"sealed": crypto.seal(crypto.open(secret["sealed"], context), context)}
            for secret in one["secrets"]
        ]
        await repository.keep_secrets(session, one["id"], resealed)
    return len(found)


@lru_cache(maxsize=8192)
def _key(subscription_id: uuid.UUID, sealed: str) -> bytes:
    return signing.key_of(crypto.open(sealed, _context(subscription_id)))


def _context(subscription_id: uuid.UUID) -> str:
    return f"webhook subscription {subscription_id} secret"
