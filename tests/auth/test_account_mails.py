"""What an account's owner is told, and who else is not."""

import uuid
from inspect import unwrap
from typing import Any

import pytest

from app.auth import notices
from app.bookings import audience
from app.core import db
from app.notifications import letters
from app.notifications.kinds import ACCOUNT_KINDS, asks_for_answer, category
from app.notifications.wording import LANGUAGES, wording
from app.ops import tasks
from app.webhooks import messages
from tests.auth.keyring import made
from tests.auth.support import Mailbox, user_id
from tests.support.client import Client

SUBJECTS = {
    "password_changed": "Your password has been changed",
    "totp_on": "Your account has a second factor now",
    "totp_off": "Your account's second factor is switched off",
    "session_reused": "We have signed you out on one of your devices",
}


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_what_somebody_else_may_have_done_is_told(
    mailbox: Mailbox, traveller: Client, kind: str
) -> None:
    """Once, to the account's address, with a page to look after it and no token."""
    async with db.transaction() as session:
        await notices.tell(session, user_id(traveller), kind)

    [mail] = [one for one in await mailbox.mails(traveller.user["email"]) if one["subject"] == SUBJECTS[kind]]

    assert mail["to"] == [traveller.user["email"]]
    assert "/account/security" in mail["text"]
    assert "token" not in mail["text"]
    assert ["Auto-Submitted", "auto-generated"] in mail["headers"]


def test_every_kind_is_written_in_every_language() -> None:
    """What brings something to send back says until when, and the code is in its text and not in its subject."""
    for language in LANGUAGES:
        words = wording(language)
        for kind in ACCOUNT_KINDS:
            assert category(kind) == "account"
            code = "12345678" if kind == "account_login_code" else None
            until = "tomorrow" if asks_for_answer(kind) else None
            values = {"code": code, "valid_until": until, "api_keys": "2", "api_key": "jtw_…", "ends": "soon"}
            told = letters.Told(words, values, "account/x", [], footer="footer_account")
            letter = letters.render(kind, told)
            assert len(words.paragraphs(kind, told.values)) == len(words._texts[kind]["body"])
            assert ("tomorrow" in letter.text) == (until is not None)
            assert ("12345678" in letter.text, "12345678" in letter.subject) == (code is not None, False)
            assert "{" not in letter.subject + letter.text


async def test_no_program_hears_of_it(mailbox: Mailbox, api: Client, traveller: Client, sql: Any) -> None:
    """Not by a webhook, even one that hears of everything; nor does any stream, which all ask the same."""
    hook = {"url": "http://127.0.0.1:8799/hook", "events": ["*"]}
    subscribed = await traveller.post("/webhooks/subscriptions", hook)
    assert subscribed.status == 201
    async with db.transaction() as session:
        for kind in SUBJECTS:
            await notices.tell(session, user_id(traveller), kind)
    await api.post("/auth/password/forgot", {"email": traveller.user["email"]})
    events = await sql(
        "SELECT * FROM outbox WHERE type LIKE 'account.%' AND data->>'user_id' = :id", id=traveller.user["id"]
    )
    assert len(events) == 6  # Four notices, the link that was asked for, and the question at signup.

    async with db.transaction() as session:
        assert await audience.of(session, events) == {}
        assert await messages.queue(session, events) is False

    assert len(await mailbox.mails(traveller.user["email"])) == 6
    deliveries = await sql(
        "SELECT 1 FROM webhook_messages WHERE event_id = ANY(CAST(:ids AS uuid[]))",
        ids=[event["event_id"] for event in events],
    )
    assert deliveries == []
    await traveller.send("DELETE", f"/webhooks/subscriptions/{subscribed.body['id']}")


async def test_a_link_that_is_void_when_its_mail_is_sent_is_not_mailed(
    mailbox: Mailbox, api: Client, traveller: Client, sql: Any
) -> None:
    """A mail that waited too long would lead nowhere."""
    await api.post("/auth/password/forgot", {"email": traveller.user["email"]})
    await sql("UPDATE challenges SET expires_at = now() WHERE user_id = :id", id=user_id(traveller))

    assert await mailbox.mails(traveller.user["email"]) == []
    found = await sql("SELECT state, last_error FROM emails WHERE user_id = :id", id=user_id(traveller))
    assert {(row["state"], row["last_error"]) for row in found} == {("failed", "outdated")}


async def test_a_rotated_key_still_makes_the_links_of_before(
    mailbox: Mailbox, api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it is among the keys."""
    from app.core.config import settings

    await api.post("/auth/password/forgot", {"email": traveller.user["email"]})
    monkeypatch.setattr(settings(), "secret_key", f"{settings().secret_key},{uuid.uuid4().hex * 2}")

    assert await mailbox.token(traveller.user["email"], "account/reset")


async def test_owners_hear_of_a_key_a_week_before_it_ends(
    mailbox: Mailbox, traveller: Client, sql: Any
) -> None:
    """Once; not of one that was made for a few days, that ends later, or that has been revoked since."""
    ending, later, gone = [(await made(traveller, expires_in_days=90)).user for _ in range(3)]
    await made(traveller, expires_in_days=7)
    for key, days in ((ending, 6), (gone, 6), (later, 9)):
        await sql(
            "UPDATE api_keys SET created_at = now() - interval '84 days', expires_at = now() + :d * interval '1 day'"
            " WHERE id = CAST(:id AS uuid)",
            id=key["id"],
            d=days,
        )

    for _ in range(2):
        await unwrap(tasks.tell_of_ends)()
    await traveller.send("DELETE", f"/auth/api-keys/{gone['id']}")

    told = [mail for mail in await mailbox.mails(traveller.user["email"]) if "API key" in mail["subject"]]
    assert [ending["shown"] in mail["text"] for mail in told] == [True]
    assert ending["key"] not in told[0]["text"]
