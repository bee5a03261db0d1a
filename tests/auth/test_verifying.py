"""Showing that an address is one's own."""

from typing import Any

from tests.auth.support import Mailbox, log_in, user_id
from tests.support.client import Client

PAGE = "account/verify"


async def test_a_new_account_is_asked_and_answers(mailbox: Mailbox, api: Client) -> None:
    """By mail, and without being signed in on the device that reads it."""
    traveller = await api.signed_up()
    token = await mailbox.token(traveller.user["email"], PAGE)

    answer = await api.post("/auth/verify", {"token": token})

    assert (answer.status, answer.raw) == (204, b"")
    assert (await traveller.get("/auth/me")).body["email_verified"] is True


async def test_the_link_works_once(mailbox: Mailbox, api: Client) -> None:
    """Whoever finds the mail later has nothing."""
    traveller = await api.signed_up()
    token = await mailbox.token(traveller.user["email"], PAGE)
    await api.post("/auth/verify", {"token": token})

    again = await api.post("/auth/verify", {"token": token})

    assert (again.status, again.code) == (404, "link_not_valid")


async def test_the_link_works_for_a_day(mailbox: Mailbox, api: Client, sql: Any) -> None:
    """By the database's clock."""
    traveller = await api.signed_up()
    token = await mailbox.token(traveller.user["email"], PAGE)
    [asked] = await sql(
        "SELECT expires_at - created_at AS lives FROM challenges WHERE user_id = :id", id=user_id(traveller)
    )
    assert asked["lives"].total_seconds() == 86_400
    await sql("UPDATE challenges SET expires_at = now() WHERE user_id = :id", id=user_id(traveller))

    assert (await api.post("/auth/verify", {"token": token})).code == "link_not_valid"


async def test_the_link_is_sent_again_on_request(mailbox: Mailbox, api: Client, sql: Any) -> None:
    """Five times a day, and not once it has been answered."""
    traveller = await api.signed_up()
    email = traveller.user["email"]

    answers = [await traveller.post("/auth/verification") for _ in range(6)]

    assert [answer.status for answer in answers] == [202] * 5 + [429]
    assert len(await mailbox.mails(email)) == 6
    await api.post("/auth/verify", {"token": await mailbox.token(email, PAGE)})
    await sql("DELETE FROM attempts WHERE policy = 'account_mails'")
    assert (await traveller.post("/auth/verification")).status == 202
    assert len(await mailbox.mails(email)) == 6


async def test_a_link_to_a_former_address_verifies_nothing(mailbox: Mailbox, api: Client, sql: Any) -> None:
    """It proves that somebody reads what comes there, which is not what the account has now."""
    traveller = await api.signed_up()
    token = await mailbox.token(traveller.user["email"], PAGE)
    await sql("UPDATE users SET email = 'moved-' || email WHERE id = :id", id=user_id(traveller))

    assert (await api.post("/auth/verify", {"token": token})).code == "link_not_valid"
    assert (await traveller.get("/auth/me")).body["email_verified"] is False


async def test_a_mail_that_is_sent_again_carries_the_same_link(
    mailbox: Mailbox, api: Client, sql: Any
) -> None:
    """The token follows from what is stored, and is not there itself."""
    traveller = await api.signed_up()
    token = await mailbox.token(traveller.user["email"], PAGE)
    await sql(
        "UPDATE emails SET state = 'queued', sent_at = NULL, next_attempt_at = now() WHERE user_id = :id",
        id=user_id(traveller),
    )

    assert await mailbox.token(traveller.user["email"], PAGE) == token
    assert len(await mailbox.mails(traveller.user["email"])) == 2
    for table in ("challenges", "emails", "outbox", "users", "audit_log"):
        found = await sql(f"SELECT 1 FROM {table} t WHERE position(:token in t::text) > 0", token=token)
        assert found == [], table


async def test_a_verified_address_signs_nobody_in(mailbox: Mailbox, api: Client) -> None:
    """The link says whose address it is, not who follows it."""
    traveller = await api.signed_up()
    token = await mailbox.token(traveller.user["email"], PAGE)

    answer = await api.post("/auth/verify", {"token": token})

    assert answer.raw == b""
    assert "Set-Cookie" not in answer.headers
    assert (await log_in(api, traveller.user["email"], "not the password")).status == 401
