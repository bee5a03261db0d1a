"""Receivers that fail: how long they have, when they are given up, and who is told."""

import uuid
from urllib.parse import urlsplit

from app.core import db, outbox
from app.core.config import settings
from app.core.db import Row, Session
from app.core.logging import logger
from app.core.metrics import WEBHOOK_RECEIVERS, WEBHOOKS_LAG, WEBHOOKS_WAITING
from app.webhooks import ids, leases, overview, retries

log = logger("jetway.webhooks")

DISABLED = "webhook.disabled"

_CANCELLED_A_BATCH = 2000
_TAKEN_BACK_A_BATCH = 500


async def note(answered: set[uuid.UUID], failed: set[uuid.UUID], gone: set[uuid.UUID]) -> None:
    """Keep which receivers answered and which did not, and give up those that are gone or have failed too long.

    What waits for these is cancelled, and their owners are told.
    """
    async with db.transaction() as session:
        disabled = await leases.disable_gone(session, list(gone)) if gone else []
        disabled += await leases.note_health(
            session, list(answered), list(failed), settings().webhook_disable_hours
        )
        if disabled:
            await _tell(session, disabled)
            await leases.cancel_unwanted(session, _CANCELLED_A_BATCH)


async def sweep() -> None:
    """Take back what lost senders had leased, and cancel what waits for nobody."""
    async with db.transaction() as session:
        last_attempt = len(settings().webhook_retry_seconds) + 1
        lost = await leases.take_back(session, last_attempt, retries.LOST_WAIT_SECONDS, _TAKEN_BACK_A_BATCH)
        await leases.cancel_unwanted(session, _CANCELLED_A_BATCH)
    if lost:
        log.warning("webhooks taken back from a lost sender", deliveries=lost)


async def measure() -> None:
    """Set the gauges of what waits, by how those do for whom it waits."""
    async with db.transaction() as session:
        found = {row["receiver"]: row for row in await overview.waiting(session)}
    for receiver in overview.RECEIVERS:
        row = found.get(receiver) or {"receivers": 0, "deliveries": 0, "lag_seconds": 0}
        WEBHOOK_RECEIVERS.labels(receiver).set(row["receivers"])
        WEBHOOKS_WAITING.labels(receiver).set(row["deliveries"])
        WEBHOOKS_LAG.labels(receiver).set(row["lag_seconds"])


async def _tell(session: Session, disabled: list[Row]) -> None:
    events = []
    for one in disabled:
        subject = f"webhook:{one['id']}"
        events.append(
            {
                "type": DISABLED,
                "subject": subject,
                # The subscription is locked, so nobody else counts at this moment.
                "sequence": await leases.times_told(session, subject) + 1,
                "data": {
                    "user_id": str(one["user_id"]),
                    "subscription_id": ids.shown(ids.SUBSCRIPTION, one["id"]),
                    "host": urlsplit(one["url"]).hostname,
                    "reason": one["disabled_reason"],
                },
            }
        )
    await outbox.record(session, events)
