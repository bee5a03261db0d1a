"""Each mail once, whatever happens to senders and servers."""

import asyncio

import pytest

from app.core import redis
from app.core.config import settings
from app.core.db import Row
from app.notifications import sending, service, smtp
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.mail.inbox import Inbox
from sandbox.mail.smtp import MailServer
from tests.notifications.support import TO, Mails


async def claim() -> Row | None:
    """A mail that somebody has begun to send."""
    return await service.mails_by(smtp.Connection()).claim()


async def test_a_hold_is_mailed_once(mails: Mails) -> None:
    """However often the relay and the senders run."""
    pnr = await mails.booked()

    for _ in range(3):
        arrived = await mails.sent()

    [mail] = arrived
    assert (mail["to"], pnr in mail["subject"], mail["attachments"]) == ([TO], True, [])
    assert await mails.states() == [("sent", None)]


async def test_five_senders_at_once_send_each_mail_once(mails: Mails) -> None:
    """Each mail is one sender's for a while."""
    for _ in range(6):
        await mails.booked()
    await mails.relayed()

    await asyncio.gather(*(service.send_due() for _ in range(5)))

    assert len({mail["message_id"] for mail in await mails.arrived()}) == len(await mails.arrived()) == 6


async def test_a_sender_that_is_killed_before_it_sent_is_replaced(mails: Mails) -> None:
    """Once its lease is over, and not before."""
    await mails.booked()
    await mails.relayed()
    assert await claim() is not None
    assert await mails.sent() == []

    await mails.sender_is_lost()

    assert len(await mails.sent()) == 1
    assert [row["attempts"] for row in await mails.rows()] == [2]


async def test_a_mail_that_may_have_arrived_is_sent_again_as_the_same(mails: Mails) -> None:
    """The server took it and hung up: nobody can know, so it comes twice under one Message-ID."""
    await mails.sandbox.fault("mail_taken_and_dropped", "/smtp/*", times=1)
    await mails.booked()
    assert len(await mails.sent()) == 1
    [(state, reason)] = await mails.states()
    assert (state, bool(reason)) == ("queued", True)

    await mails.waits_are_over()
    first, second = await mails.sent()

    assert first["message_id"] == second["message_id"]
    assert (first["text"], first["headers"][:4]) == (second["text"], second["headers"][:4])
    assert await mails.states() == [("sent", None)]


async def test_who_comes_back_after_its_lease_changes_nothing(mails: Mails) -> None:
    """Its mail is another sender's, and what it has to say of it is not kept."""
    await mails.booked()
    await mails.relayed()
    slow = await claim()
    assert slow is not None
    await mails.sender_is_lost()
    quick = await claim()
    assert quick is not None
    await mails.sandbox.fault("mail_refused", "/smtp/*", times=1)

    async with smtp.Connection() as server:
        await service.mails_by(server).attempt(slow)
        [row] = await mails.rows()
        assert (row["state"], row["lease_token"]) == ("sending", quick["lease_token"])
        await service.mails_by(server).attempt(quick)

    assert await mails.states() == [("sent", None)]


async def test_no_server_costs_one_attempt_and_loses_no_mail(
    mails: Mails, monkeypatch: pytest.MonkeyPatch, no_mail_server: None
) -> None:
    """The run ends at the first mail; all of them are sent when there is a server again."""
    for _ in range(3):
        await mails.booked()
    assert await mails.sent() == []
    assert sorted(row["attempts"] for row in await mails.rows()) == [0, 0, 1]

    monkeypatch.undo()
    await mails.waits_are_over()

    assert len(await mails.sent()) == 3


async def test_a_passing_refusal_is_tried_again_later(mails: Mails) -> None:
    """After a wait that grows; the other mails are sent meanwhile."""
    await mails.sandbox.fault("mail_later", "/smtp/later@example.com", times=2)
    await mails.booked("later@example.com")
    await mails.booked()
    waits = []
    for _ in range(2):
        assert [mail["to"] for mail in await mails.sent()] == [[TO]]
        [wait] = await mails.sql(
            "SELECT extract(epoch FROM next_attempt_at - now())::int AS seconds, last_error FROM emails"
            " WHERE state = 'queued'"
        )
        waits.append((wait["seconds"], wait["last_error"]))
        await mails.waits_are_over()

    assert len(await mails.sent()) == 2
    assert [reason for _, reason in waits] == ["451", "451"]
    assert 10 <= waits[0][0] <= 18 < 22 <= waits[1][0] <= 36


async def test_a_lasting_refusal_is_not_tried_again(mails: Mails) -> None:
    """There is no such mailbox; others get their mail over the same connection."""
    await mails.sandbox.fault("mail_refused", "/smtp/nobody@example.com")
    await mails.booked("nobody@example.com")
    await mails.booked()

    assert [mail["to"] for mail in await mails.sent()] == [[TO]]
    await mails.waits_are_over()
    await mails.sent()

    assert await mails.states() == [("failed", "550"), ("sent", None)]
    assert [row["attempts"] for row in await mails.rows()] == [1, 1]


async def test_a_mail_that_kills_its_senders_is_given_up(mails: Mails) -> None:
    """Attempts are counted before they are made."""
    await mails.booked()
    await mails.relayed()
    await mails.sql("UPDATE emails SET attempts = 20")

    assert await mails.sent() == []
    assert await mails.states() == [("failed", "given_up")]


async def test_a_slow_server_is_not_waited_for(mails: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversation included, a mail takes no longer than its lease lasts."""
    assert smtp._TIMEOUT_SECONDS < sending.LEASE_SECONDS
    monkeypatch.setattr(smtp, "_TIMEOUT_SECONDS", 0.3)
    await mails.sandbox.fault("slow", "/smtp/*", times=1, delay_seconds=2)
    await mails.booked()
    await mails.booked()

    assert len(await mails.sent()) == 1
    assert sorted(await mails.states()) == [("queued", "TimeoutError"), ("sent", None)]
    async with asyncio.timeout(5):
        while len(await mails.arrived()) < 2:  # noqa: ASYNC110  What was not waited for arrives all the same.
            await asyncio.sleep(0.05)


async def test_what_cannot_be_written_keeps_no_other_mail_waiting(
    mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours is tried again, for who mends it."""
    broken, whole = await mails.booked(), await mails.booked()
    write = service.letters.write

    async def breaks(session: object, mail: dict[str, dict[str, str]]) -> object:
        if mail["data"]["pnr"] == broken:
            raise KeyError("a word")
        return await write(session, mail)  # type: ignore[arg-type]

    monkeypatch.setattr(service.letters, "write", breaks)

    [mail] = await mails.sent()
    assert whole in mail["subject"]
    assert await mails.states() == [("queued", "not_written"), ("sent", None)]


async def test_emptying_redis_loses_no_mail(mails: Mails) -> None:
    """Events and mails are rows; the doorbell in Redis only saves a few seconds."""
    await mails.booked()
    await redis.client().flushdb()
    await mails.relayed()
    await redis.client().flushdb()

    assert len(await mails.sent()) == 1


async def test_without_a_server_mails_wait(mails: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    """SMTP_URL is empty where nobody has set up mail."""
    monkeypatch.setattr(settings(), "smtp_url", "")
    await mails.booked()

    assert await mails.sent() == []
    assert await mails.states() == [("queued", None)]
    assert [row["attempts"] for row in await mails.rows()] == [0]


async def test_what_is_no_longer_so_is_not_sent(mails: Mails) -> None:
    """A hold that has run out, which writing about it finds out, and news of four days ago."""
    over, old = await mails.booked(), await mails.booked()
    await mails.relayed()
    await mails.fleet.run_out(over)
    await mails.sql(
        "UPDATE emails SET created_at = now() - interval '4 days' WHERE data->>'pnr' = :pnr", pnr=old
    )

    assert await mails.sent() == []
    arrived = await mails.sent()

    assert [f"Booking {over} has expired"] == [mail["subject"] for mail in arrived]
    assert sorted(await mails.states()) == [("failed", "outdated"), ("failed", "outdated"), ("sent", None)]


async def test_nothing_is_sent_in_the_clear_to_another_machine_in_production(
    mails: Mails, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server there offers no TLS, so the mail stays here."""
    await mails.booked()
    await mails.relayed()
    async with MailServer(Inbox(), Clock(None), Faults("")).listening("127.0.0.2", 0) as port:
        monkeypatch.setattr(settings(), "smtp_url", f"smtp://127.0.0.2:{port}")
        monkeypatch.setattr(settings(), "app_env", "production")
        await service.send_due()
        assert [state for state, _ in await mails.states()] == ["queued"]

        monkeypatch.setattr(settings(), "app_env", "development")
        await mails.waits_are_over()
        await service.send_due()
        assert await mails.states() == [("sent", None)]


async def test_old_mails_are_dropped(mails: Mails) -> None:
    """They hold addresses; what waits is kept."""
    await mails.booked()
    await mails.sent()
    await mails.booked()
    await mails.relayed()
    await mails.sql("UPDATE emails SET created_at = now() - interval '31 days'")

    async with service.db.transaction() as session:
        await service.purge(session)

    assert [state for state, _ in await mails.states()] == ["queued"]
