"""A new password for who has forgotten theirs."""

import asyncio
import uuid
from collections import Counter
from typing import Any

import pytest

from app.core.config import settings
from tests.auth.keyring import made
from tests.auth.support import (
    NEW_PASSWORD,
    Mailbox,
    coming_from,
    enrolled,
    is_signed_in,
    log_in,
    signed_in,
    user_id,
)
from tests.support.client import Answer, Client

PAGE = "account/reset"


async def forgot(api: Client, email: str) -> Answer:
    return await api.post("/auth/password/forgot", {"email": email})


async def reset(api: Client, token: str, password: str = NEW_PASSWORD) -> Answer:
    return await api.post("/auth/password/reset", {"token": token, "new_password": password})


async def asked(mailbox: Mailbox, api: Client, client: Client) -> str:
    """The token of the link that was mailed."""
    assert (await forgot(api, client.user["email"])).status == 202
    return await mailbox.token(client.user["email"], PAGE)


async def test_the_link_leads_to_a_new_password(mailbox: Mailbox, api: Client, traveller: Client) -> None:
    """All sessions end, nobody is signed in by it, and the owner is told."""
    email = traveller.user["email"]
    other = await signed_in(api, email)

    answer = await reset(api, await asked(mailbox, api, traveller))

    assert (answer.status, answer.raw) == (204, b"")
    assert [await is_signed_in(client) for client in (traveller, other)] == [False, False]
    assert (await log_in(api, email)).status == 401
    assert (await log_in(api, email, NEW_PASSWORD)).status == 200
    assert "Your password has been changed" in await mailbox.subjects(email)


async def test_an_unknown_address_is_answered_alike_and_gets_no_mail(
    mailbox: Mailbox, api: Client, traveller: Client, sql: Any
) -> None:
    """The same bytes, and the same rows."""
    known, unknown = [await forgot(api, email) for email in (traveller.user["email"], "nobody@example.com")]

    assert (known.status, known.raw) == (unknown.status, unknown.raw)
    assert set(known.headers) == set(unknown.headers)
    written = await sql(
        "SELECT count(*) AS n FROM challenges WHERE purpose = 'reset_password' AND user_id IS NULL"
    )
    assert written[0]["n"] > 0
    assert await mailbox.mails("nobody@example.com") == []


async def test_a_link_is_good_once_even_for_ten_at_once(
    mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """The first decides the password."""
    token = await asked(mailbox, api, traveller)

    answers = await asyncio.gather(*(reset(api, token, f"{NEW_PASSWORD} {n}") for n in range(10)))

    assert Counter(answer.status for answer in answers) == {204: 1, 404: 9}


async def test_a_weak_password_does_not_spend_the_link(
    mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """Who is refused tries another."""
    token = await asked(mailbox, api, traveller)

    weak = await reset(api, token, "password123")

    assert (weak.status, weak.code, weak.body["errors"][0]["pointer"]) == (
        422,
        "weak_password",
        "/new_password",
    )
    assert (await reset(api, token)).status == 204


async def test_a_changed_password_makes_the_links_before_it_void(
    mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """All of them, whatever they were for."""
    first = await asked(mailbox, api, traveller)
    second = await asked(mailbox, api, traveller)
    assert first != second
    assert (await reset(api, second)).status == 204

    assert (await reset(api, first, "yet another password")).code == "link_not_valid"


async def test_the_link_lives_half_an_hour(
    mailbox: Mailbox, api: Client, traveller: Client, sql: Any
) -> None:
    """By the database's clock."""
    token = await asked(mailbox, api, traveller)
    await sql(
        "UPDATE challenges SET expires_at = expires_at - interval '29 minutes' WHERE user_id = :id",
        id=user_id(traveller),
    )
    assert (await reset(api, token, "password123")).code == "weak_password"
    await sql(
        "UPDATE challenges SET expires_at = expires_at - interval '1 minute' WHERE user_id = :id",
        id=user_id(traveller),
    )

    assert (await reset(api, token)).code == "link_not_valid"


async def test_an_account_gets_five_links_a_day(mailbox: Mailbox, api: Client, traveller: Client) -> None:
    """Beyond that nothing is mailed, and nobody is told, whoever asks."""
    answers = [await forgot(api, traveller.user["email"]) for _ in range(7)]

    assert len({(answer.status, answer.raw) for answer in answers}) == 1
    assert (await mailbox.subjects(traveller.user["email"])).count("Choose a new password") == 5


async def test_an_address_asks_for_five_an_hour(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whomever they are for; where addresses count."""
    monkeypatch.setattr(settings(), "address_limits", True)
    async with coming_from(api, "127.0.90.1") as stranger:
        answers = [await forgot(stranger, f"victim{n}@example.com") for n in range(6)]

    assert [answer.status for answer in answers] == [202] * 5 + [429]


async def test_a_suspended_account_gets_no_link(
    mailbox: Mailbox, api: Client, traveller: Client, sql: Any
) -> None:
    """And a link it had before leads nowhere."""
    token = await asked(mailbox, api, traveller)
    await sql("UPDATE users SET suspended_at = now() WHERE id = :id", id=user_id(traveller))

    assert (await forgot(api, traveller.user["email"])).status == 202
    assert (await mailbox.subjects(traveller.user["email"])).count("Choose a new password") == 1
    assert (await reset(api, token)).code == "link_not_valid"


async def test_a_second_factor_stays_where_the_address_was_verified(
    mailbox: Mailbox, api: Client, traveller: Client, sql: Any
) -> None:
    """A mailbox alone is not two factors."""
    await sql("UPDATE users SET email_verified = true WHERE id = :id", id=user_id(traveller))
    ada = await enrolled(traveller)
    await reset(api, await asked(mailbox, api, traveller))

    assert (await log_in(api, ada.email, NEW_PASSWORD)).code == "totp_required"
    assert (await log_in(api, ada.email, NEW_PASSWORD, code=ada.code())).status == 200


async def test_what_a_stranger_prepared_goes_with_their_password(
    mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """Somebody opened an account with another's address and gave it a second factor and a key: the owner gets in all
    the same, and the key is none any more.
    """
    await enrolled(traveller)
    key = await made(traveller)

    await reset(api, await asked(mailbox, api, traveller))

    assert (await log_in(api, traveller.user["email"], NEW_PASSWORD)).status == 200
    assert (await key.post("/bookings", {})).status == 401


@pytest.mark.parametrize("verified", [False, True])
async def test_a_stranger_hears_no_more_of_the_account(
    mailbox: Mailbox, api: Client, traveller: Client, sql: Any, verified: bool
) -> None:
    """On a server or a phone of theirs; what the owner of a verified address has set up stays."""
    if verified:
        await sql("UPDATE users SET email_verified = true WHERE id = :id", id=user_id(traveller))
    hook = {"url": "http://127.0.0.1:8799/hook", "events": ["*"]}
    assert (await traveller.post("/webhooks/subscriptions", hook)).status == 201
    assert (await traveller.post("/devices", {"token": uuid.uuid4().hex, "platform": "ios"})).status == 201

    await reset(api, await asked(mailbox, api, traveller))
    await mailbox.mails(traveller.user["email"])  # Events are handed on.

    owner = await signed_in(api, traveller.user["email"], NEW_PASSWORD)
    [found] = (await owner.get("/webhooks/subscriptions")).body["data"]
    assert found["status"] == ("active" if verified else "paused")
    assert len((await owner.get("/devices")).body["data"]) == (1 if verified else 0)


@pytest.mark.parametrize("wanted", [False, True])
async def test_keys_of_a_verified_account_end_if_their_owner_wants_it(
    mailbox: Mailbox, api: Client, traveller: Client, sql: Any, wanted: bool
) -> None:
    """Servers run on them, so that by itself a new password ends none; the mail says that there are some."""
    email = traveller.user["email"]
    await sql("UPDATE users SET email_verified = true WHERE id = :id", id=user_id(traveller))
    keys = [await made(traveller), await made(traveller)]
    body = {"token": await asked(mailbox, api, traveller), "new_password": NEW_PASSWORD}

    assert (await api.post("/auth/password/reset", body | {"revoke_api_keys": wanted})).status == 204

    assert {(await key.post("/bookings", {})).status for key in keys} == {401 if wanted else 422}
    told = [mail for mail in await mailbox.mails(email) if "password has been changed" in mail["subject"]]
    assert ("your account has 2." in told[-1]["text"]) is not wanted
    ended = await sql(
        "SELECT count(*) AS n FROM audit_log WHERE action = 'api_key.revoked' AND actor = :id",
        id=user_id(traveller),
    )
    assert ended[0]["n"] == (2 if wanted else 0)
