"""The negative control of what must be true of webhooks: each corruption that is planted is seen by its question."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from app.core import db
from tests.invariants import RECEIVERS, WEBHOOKS, webhooks_broken
from tests.support.client import Client
from tests.webhooks.crowds import Crowd
from tests.webhooks.support import Hooks

_MINE = "subscription_id = :subscription"
_ATTEMPTS = f"delivery_id IN (SELECT id FROM webhook_deliveries WHERE {_MINE})"
# What is done behind the product's back to two deliveries of two attempts each. What the database would refuse is
# taken out of the way first, in the same transaction.
PLANTS: dict[str, tuple[str, ...]] = {
    "an event was told of twice": (
        "ALTER TABLE outbox DROP CONSTRAINT uq_outbox_event_id",
        (
            "INSERT INTO outbox (event_id, type, subject, sequence, data)"
            " SELECT event_id, type, subject, sequence + 10, data FROM outbox WHERE subject = :subject LIMIT 1"
        ),
    ),
    "an event waits in the outbox": ("UPDATE outbox SET dispatched_at = NULL WHERE subject = :subject",),
    "who is entitled to an event has no delivery of it, or two": (
        f"DELETE FROM webhook_deliveries WHERE {_MINE}",
    ),
    "somebody hears of what is not theirs, or of nothing": (
        "UPDATE outbox SET data = jsonb_build_object('user_id', CAST(:other AS text)) WHERE subject = :subject",
    ),
    "it is delivered and no attempt was taken, or one was and it is not": (
        f"UPDATE webhook_deliveries SET state = 'cancelled', delivered_at = NULL WHERE {_MINE}",
    ),
    "attempts are missing, or not numbered as they were made": (
        f"DELETE FROM webhook_attempts WHERE number = 1 AND {_ATTEMPTS}",
    ),
    "it was tried more often than the schedule says, or given up before": (
        f"UPDATE webhook_deliveries SET state = 'exhausted' WHERE {_MINE}",
    ),
    "something is overdue, or under way for longer than a lease": (
        (
            "UPDATE webhook_deliveries SET state = 'sending', lease_token = gen_random_uuid(),"
            f" lease_until = now() - interval '2 minutes' WHERE {_MINE}"
        ),
    ),
    "something waits for a receiver that is not called any more": (
        f"UPDATE webhook_deliveries SET state = 'pending' WHERE {_MINE}",
        "UPDATE webhook_subscriptions SET status = 'disabled', disabled_reason = 'gone' WHERE id = :subscription",
    ),
    "a receiver that is not called any more was called": (
        (
            "UPDATE webhook_subscriptions SET status = 'disabled', disabled_reason = 'gone',"
            " updated_at = now() - interval '1 minute' WHERE id = :subscription"
        ),
    ),
    "it was tried again before its time": (
        f"UPDATE webhook_attempts SET sent_at = sent_at - interval '4 seconds' WHERE number = 2 AND {_ATTEMPTS}",
    ),
    "what arrived are not the bytes that are kept, or they are not signed": (
        (
            "UPDATE webhook_messages SET body = body || ' '::bytea"
            f" WHERE event_id IN (SELECT event_id FROM webhook_deliveries WHERE {_MINE})"
        ),
    ),
}

# What is done to the receivers' journal instead.
JOURNALS: dict[str, Any] = {
    "it is delivered and did not arrive": lambda heard: [
        one for one in heard if one["event_id"] != heard[0]["event_id"]
    ],
    "something arrived that was not sent there": lambda heard: [
        *heard,
        heard[0] | {"url": heard[0]["url"] + "/elsewhere"},
    ],
    "what arrived are not the bytes that are kept, or they are not signed": lambda heard: [
        one | {"signed": False} for one in heard
    ],
    "it arrived more often than it was sent": lambda heard: [*heard, heard[0]],
}
SCHEDULE = [5.0]


@dataclasses.dataclass
class Scene:
    crowd: Crowd
    other: Client

    @asynccontextmanager
    async def corrupted(self, statements: tuple[str, ...]) -> AsyncIterator[db.Session]:
        """In a transaction that never was."""
        known = {
            "subscription": self.crowd.ids[0],
            "subject": self.crowd.subject,
            "other": self.other.user["id"],
        }
        session = db.Session(db.engine())
        try:
            for statement in statements:
                named = {name: value for name, value in known.items() if f":{name}" in statement}
                await db.rows(session, statement, **named)
            yield session
        finally:
            await session.rollback()
            await session.close()


@pytest.fixture
async def scene(hooks: Hooks, api: Client, sql: Any) -> Scene:
    """Two events were refused at first and delivered when their time had come."""
    crowd = Crowd(hooks)
    await crowd.listens("/")
    await crowd.tell(2)
    hooks.receiver.answer(500)
    await hooks.delivered()
    hooks.receiver.answer(200)
    # The first attempt was made that much earlier, so that no test has to wait.
    await sql(
        "UPDATE webhook_attempts SET sent_at = sent_at - interval '5 seconds' WHERE delivery_id IN"
        " (SELECT id FROM webhook_deliveries WHERE subscription_id = :id)",
        id=crowd.ids[0],
    )
    await hooks.waits_are_over()
    await hooks.delivered()
    return Scene(crowd, await api.signed_up())


async def test_each_corruption_is_seen_and_what_was_done_properly_is_not(scene: Scene) -> None:
    """By the question that is about it, whatever other questions see of it too."""
    crowd, missed = scene.crowd, []
    cases: list[tuple[str, tuple[str, ...], Any]] = [
        *((name, statements, list) for name, statements in PLANTS.items()),
        *((name, (), changed) for name, changed in JOURNALS.items()),
    ]
    assert await crowd.broken(SCHEDULE) == {}

    for name, statements, changed in cases:
        async with scene.corrupted(statements) as session:
            ask = partial(db.rows, session)
            found = await webhooks_broken(ask, crowd.ids, changed(crowd.journal()), SCHEDULE)
        if name not in found:
            missed.append((name, found))

    assert missed == []


def test_every_invariant_has_its_corruption() -> None:
    """None is only believed."""
    assert PLANTS.keys() >= WEBHOOKS.keys()
    assert JOURNALS.keys() == RECEIVERS.keys()
