"""Events are handed on once, in order, and none of them can stop the others."""

import asyncio
from typing import Any

import pytest

from app import subscribers
from app.core import db, doorbell, outbox, redis
from app.core.db import Row, Session
from tests.notifications.support import Mails


class Listener:
    """A subscriber that notes what it hears, and chokes on some of it."""

    def __init__(self, chokes_on: str = "") -> None:
        self.heard: list[str] = []
        self.chokes_on = chokes_on

    async def __call__(self, session: Session, events: list[Row]) -> bool:
        subjects = [event["subject"] for event in events]
        if self.chokes_on in subjects:
            # What a subscriber has written before it breaks must not be kept either.
            await db.rows(session, "UPDATE users SET full_name = 'half done'")
            await db.rows(session, "SELECT 1 / 0")
        self.heard += subjects
        return True


async def handed_to(*listeners: Listener) -> int:
    async with db.transaction() as session:
        found, _, _ = await outbox.relay(session, listeners, 100)
    return found


async def test_every_subscriber_hears_every_event_once_and_in_order(mails: Mails) -> None:
    """Those that were heard are not told again."""
    pnrs = [await mails.booked() for _ in range(3)]
    one, other = Listener(), Listener()

    assert await handed_to(one, other) == 3
    assert await handed_to(one, other) == 0

    assert one.heard == other.heard == pnrs


async def test_relays_at_once_share_the_events(mails: Mails) -> None:
    """A row that one of them has is left to it."""
    pnrs = [await mails.booked() for _ in range(8)]
    listener = Listener()

    await asyncio.gather(*(handed_to(listener) for _ in range(5)))

    assert sorted(listener.heard) == sorted(pnrs)


async def test_an_event_that_cannot_be_taken_stops_no_other(mails: Mails) -> None:
    """It is put off, longer each time; nothing of what was begun for it is kept."""
    before, poisonous, after = [await mails.booked() for _ in range(3)]
    listener = Listener(poisonous)

    await handed_to(listener)
    assert listener.heard == [before, after]
    assert await handed_to(listener) == 0

    waits = []
    for _ in range(3):
        [row] = await mails.sql(
            "SELECT attempts, dispatched_at, round(extract(epoch FROM not_before - now())) AS wait FROM outbox"
            " WHERE subject = :pnr",
            pnr=poisonous,
        )
        assert row["dispatched_at"] is None
        waits.append((row["attempts"], int(row["wait"])))
        await mails.sql("UPDATE outbox SET not_before = now() WHERE subject = :pnr", pnr=poisonous)
        assert await handed_to(listener) == 1
    assert waits == [(1, 5), (2, 10), (3, 20)]
    assert await mails.sql("SELECT 1 FROM users WHERE full_name = 'half done'") == []

    listener.chokes_on = ""
    await mails.sql("UPDATE outbox SET not_before = now() WHERE subject = :pnr", pnr=poisonous)
    await handed_to(listener)
    assert listener.heard == [before, after, poisonous]


async def test_a_relay_that_is_killed_has_done_nothing(mails: Mails) -> None:
    """The mail and the mark are one transaction; the next relay makes both."""
    await mails.booked()

    async def killed() -> None:
        async with db.transaction() as session:
            await outbox.relay(session, subscribers.SUBSCRIBERS, 100)
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError, match="killed"):
        await killed()
    assert await mails.rows() == []

    await mails.relayed()
    await mails.sql("UPDATE outbox SET dispatched_at = NULL WHERE id = (SELECT max(id) FROM outbox)")
    await mails.relayed()

    assert len(await mails.rows()) == 1


async def test_the_relay_looks_by_itself(mails: Mails) -> None:
    """Nobody has to tell it that there is something, so it needs no broker; it ends when it is asked to."""
    stop = asyncio.Event()
    relaying = asyncio.create_task(subscribers.keep_relaying(stop))

    await mails.booked()
    async with asyncio.timeout(3):
        while not await mails.rows():  # noqa: ASYNC110  What happens shows in the database alone.
            await asyncio.sleep(0.02)

    stop.set()
    await asyncio.wait_for(relaying, 2)


async def test_who_has_something_to_do_is_woken(mails: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail rings for its sender once, and what nobody wants to hear rings for nobody."""
    rung: list[str] = []

    async def note(task: str, **_: Any) -> None:
        rung.append(task)

    monkeypatch.setattr(doorbell, "send", note)
    await doorbell.heard("notifications.send_due")
    pnr = await mails.booked()
    await mails.booked()

    await mails.relayed()
    await mails.relayed()
    assert rung == ["notifications.send_due"]

    await doorbell.heard("notifications.send_due")
    await mails.happens(pnr, "booking.changed")
    await mails.relayed()
    assert rung == ["notifications.send_due"]


async def test_a_ring_reaches_the_workers_queue() -> None:
    """As a message that is worth nothing once Beat has asked for the same."""
    name = "notifications.send_due"
    await doorbell.heard(name)
    before = await redis.client().llen("celery")

    await doorbell.ring(name)
    await doorbell.ring(name)

    assert await redis.client().llen("celery") == before + 1
    assert name.encode() in await redis.client().lindex("celery", 0)
