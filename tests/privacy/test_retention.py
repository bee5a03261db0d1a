"""What is kept for how long: each row of the guide's table is true, to the day before and the day after."""

import re
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from inspect import unwrap
from typing import Any

import pytest

from app.core import clock, db, partitions
from app.core.config import settings
from app.ops import tasks as ops
from app.webhooks import tasks as webhooks
from app.webhooks.messages import TABLES
from tests.bookings.paid import held
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.support.stack import ROOT

Sweep = Callable[[], Awaitable[None]]
PURGE, EVENTS = unwrap(ops.purge), unwrap(ops.drop_events)

# By the guide's word for it: who drops it, how many days it is kept, and how a row comes to be `:days` old.
KEPT: dict[str, tuple[Sweep, float, str, str]] = {
    "Events that were told": (
        EVENTS,
        90,
        "outbox",
        """
        INSERT INTO outbox (type, subject, sequence, data, dispatched_at)
        VALUES ('test.kept', :mark, 1, '{}', now() - make_interval(secs => :days * 86400))
        RETURNING id
        """,
    ),
    "Sessions and their refresh tokens": (
        PURGE,
        7,
        "sessions",
        """
        INSERT INTO sessions (id, user_id, user_agent, expires_at)
        VALUES (gen_random_uuid(), :user_id, :mark, now() - make_interval(secs => :days * 86400)) RETURNING id
        """,
    ),
    "Links and codes by mail": (
        PURGE,
        1,
        "challenges",
        """
        INSERT INTO challenges (id, user_id, purpose, nonce, token_hash, expires_at)
        VALUES (gen_random_uuid(), :user_id, 'verify_email', '1', sha256(convert_to(:mark, 'UTF8')),
                now() - make_interval(secs => :days * 86400)) RETURNING id
        """,
    ),
    "Counted attempts": (
        PURGE,
        2,
        "attempts",
        """
        INSERT INTO attempts (policy, caller, at)
        VALUES ('test', convert_to(:mark, 'UTF8'), now() - make_interval(secs => :days * 86400)) RETURNING id
        """,
    ),
    "What is no longer honoured": (
        PURGE,
        2,
        "revocations",
        """
        INSERT INTO revocations (id, at) VALUES (CAST(CAST(:mark AS text) AS uuid),
            now() - make_interval(secs => :days * 86400)) RETURNING id
        """,
    ),
    "Idempotency keys and their answers": (
        PURGE,
        3,
        "idempotency_keys",
        """
        INSERT INTO idempotency_keys (caller, method, path, key, fingerprint, created_at)
        VALUES (:user_id, 'POST', '/test', :mark, '1', now() - make_interval(secs => :days * 86400)) RETURNING id
        """,
    ),
    "Mails": (
        PURGE,
        30,
        "emails",
        """
        INSERT INTO emails (event_id, kind, recipient, locale, data, message_id, state, sent_at, created_at)
        VALUES (gen_random_uuid(), 'test', :mark, 'en', '{}', :mark, 'sent', now(),
                now() - make_interval(secs => :days * 86400)) RETURNING id
        """,
    ),
    "Guests' attempts": (
        PURGE,
        1,
        "guest_lookups",
        """
        INSERT INTO guest_lookups (address, pnr, at)
        VALUES (:mark, 'BCDFGH', now() - make_interval(secs => :days * 86400)) RETURNING id
        """,
    ),
    "Guests' links": (
        PURGE,
        1,
        "guest_links",
        """
        INSERT INTO guest_links (id, address, nonce, token_hash, expires_at, created_at)
        VALUES (gen_random_uuid(), :mark, '1', sha256(convert_to(:mark, 'UTF8')), now(),
                now() - make_interval(secs => :days * 86400)) RETURNING id
        """,
    ),
}


@pytest.mark.parametrize("what", KEPT)
async def test_it_goes_when_it_is_too_old(traveller: Client, sql: Any, what: str) -> None:
    """An hour before it is there, an hour after it is not."""
    sweep, days, table, makes = KEPT[what]
    ids = []
    for hours in (-1, 1):
        values = {"mark": str(uuid.uuid4()), "user_id": uuid.UUID(traveller.user["id"])}
        known = {name: value for name, value in values.items() if f":{name}" in makes}
        [made] = await sql(makes, **known, days=days + hours / 24)
        ids.append(made["id"])

    await sweep()

    left = await sql(f"SELECT id FROM {table}")
    assert [row_id in [row["id"] for row in left] for row_id in ids] == [True, False]
    assert what in guide()


def guide() -> set[str]:
    """The first column of the guide's table."""
    text = (ROOT / "docs/guides/privacy.md").read_text()
    return set(re.findall(r"^\| ([^|]+?) \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE))


async def test_the_other_rows_of_the_guide_are_shown_elsewhere() -> None:
    """Whoever writes a row says here where it is tested."""
    elsewhere = {
        "Documents": "tests/bookings/test_documents_of_passengers.py",
        "Webhook deliveries": "tests/webhooks/test_months.py",
        "The audit log": "tests/privacy/test_audit.py",
        "Pushes": "tests/notifications/test_pushing.py",
        "Bookings, payments, tickets": "tests/privacy/test_erasure.py",
        "Erasures": "tests/privacy/test_console.py",
        "Lines on standard output: the account's id on those of its requests": "tests/deploy/test_elk.py",
    }
    assert guide() - {"What", "---"} == KEPT.keys() | elsewhere.keys()
    assert all((ROOT / file).exists() for file in elsewhere.values())


async def test_an_event_that_waits_is_kept_however_old_it_is(sql: Any) -> None:
    """What nobody was told of is no history."""
    [made] = await sql(
        "INSERT INTO outbox (type, subject, sequence, data, created_at, not_before) VALUES"
        " ('test.waits', :mark, 1, '{}', now() - interval '1 year', now() + interval '1 hour') RETURNING id",
        mark=str(uuid.uuid4()),
    )

    await EVENTS()

    assert await sql("SELECT 1 AS one FROM outbox WHERE id = :id", id=made["id"])
    await sql("DELETE FROM outbox WHERE id = :id", id=made["id"])


async def test_a_stream_that_asks_for_what_was_dropped_begins_anew(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """It is told that the event is not kept, and nothing is skipped in silence."""
    pnr = (await held(traveller, fleet))["pnr"]
    await fleet.run_out(pnr)
    assert (await traveller.get(f"/bookings/{pnr}")).body["status"] == "expired"
    await sql(
        "UPDATE outbox SET dispatched_at = now() - make_interval(days => :days) WHERE subject = :pnr",
        days=settings().event_days + 1,
        pnr=pnr,
    )
    await EVENTS()

    answer = await traveller.get(f"/bookings/{pnr}/events", headers={"Last-Event-ID": f"{pnr}.1"})

    assert (answer.status, answer.code) == (422, "unknown_event")


async def test_months_of_webhooks_are_dropped() -> None:
    """As whole partitions, long after the last day of which something may be looked at."""
    month = partitions.month_of(clock.now() - timedelta(days=settings().webhook_retention_days + 70))
    async with db.transaction() as session:
        await partitions.make(session, TABLES, month)

    await unwrap(webhooks.keep_months)()

    async with db.transaction() as session:
        kept = [name for table in TABLES for name in await partitions.partitions(session, table)]
    assert [name for name in kept if name.endswith(f"{month:%Y_%m}")] == []
