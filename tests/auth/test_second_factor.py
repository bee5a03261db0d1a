"""Codes of an authenticator beside the password."""

import asyncio
import uuid
from base64 import b32decode
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.auth import second_factor
from app.core import crypto, db
from app.core.config import settings
from tests.auth.support import Mailbox, code_of, enrolled, log_in, signed_in, user_id
from tests.support.client import PASSWORD, Client


async def test_it_is_on_once_a_code_was_sent_back(api: Client, traveller: Client) -> None:
    """Before that, who mistyped the secret would have locked themselves out."""
    begun = await traveller.post("/auth/totp", {"password": PASSWORD})
    secret = begun.body["secret"]
    assert (begun.status, begun.headers["Cache-Control"]) == (200, "no-store")
    assert (await log_in(api, traveller.user["email"])).status == 200

    done = await traveller.post("/auth/totp/confirm", {"code": code_of(secret)})

    assert (done.status, len(set(done.body["recovery_codes"]))) == (200, 10)
    assert (await traveller.get("/auth/me")).body["totp_enabled"] is True
    asked = await log_in(api, traveller.user["email"])
    assert (asked.status, asked.code) == (401, "totp_required")
    assert (await log_in(api, traveller.user["email"], code=code_of(secret, 1))).status == 200


async def test_the_uri_is_what_authenticators_read(traveller: Client) -> None:
    """With 160 bits of secret, as RFC 4226 advises."""
    begun = (await traveller.post("/auth/totp", {"password": PASSWORD})).body

    uri = urlsplit(begun["otpauth_uri"])
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert parse_qs(uri.query) == {"secret": [begun["secret"]], "issuer": ["Jetway"]}
    assert len(b32decode(begun["secret"])) == 20


async def test_the_session_that_confirms_has_a_second_factor(
    api: Client, traveller: Client, sql: Any
) -> None:
    """As has one that is opened with a code; those from before have none."""
    await signed_in(api, traveller.user["email"])
    ada = await enrolled(traveller)
    await signed_in(api, ada.email, code=ada.code())

    found = await sql(
        "SELECT second_factor_at IS NOT NULL AS proven FROM sessions WHERE user_id = :id ORDER BY created_at",
        id=user_id(traveller),
    )

    assert [row["proven"] for row in found] == [True, False, True]


async def test_a_code_is_good_once(api: Client, traveller: Client) -> None:
    """Who looked over a shoulder comes too late, however fast; nor does the code that switched it on sign in."""
    ada = await enrolled(traveller)
    assert (await log_in(api, ada.email, code=ada.code(0))).code == "wrong_code"

    answers = await asyncio.gather(*(log_in(api, ada.email, code=ada.code()) for _ in range(4)))

    assert Counter(answer.status for answer in answers) == {200: 1, 401: 3}


async def test_a_code_of_before_the_last_one_is_too_late(api: Client, traveller: Client, sql: Any) -> None:
    """Even if it has not been used."""
    ada = await enrolled(traveller)
    await sql("UPDATE users SET totp_last_step = totp_last_step + 2 WHERE id = :id", id=user_id(traveller))

    assert (await log_in(api, ada.email, code=ada.code(1))).code == "wrong_code"


async def test_a_code_of_another_time_is_wrong(api: Client, traveller: Client, sql: Any) -> None:
    """Clocks may be half a minute apart, and no more."""
    ada = await enrolled(traveller)
    await sql("UPDATE users SET totp_last_step = NULL WHERE id = :id", id=user_id(traveller))

    for steps in (-3, -2, 2, 20):
        assert (await log_in(api, ada.email, code=ada.code(steps))).code == "wrong_code", steps
    assert (await log_in(api, ada.email, code=ada.code(-1))).status == 200


async def test_five_wrong_codes_are_answered(api: Client, traveller: Client) -> None:
    """However many are tried at once; only who knows the password gets so far."""
    ada = await enrolled(traveller)

    answers = await asyncio.gather(*(log_in(api, ada.email, code=f"{n:06}") for n in range(9)))

    assert Counter(answer.status for answer in answers) == {401: 5, 429: 4}
    assert (await log_in(api, ada.email, code=ada.code())).status == 429
    assert (await log_in(api, ada.email, "not the password")).code == "invalid_credentials"


async def test_a_wrong_password_is_all_one_hears_without_it(api: Client, traveller: Client) -> None:
    """Whether there is a second factor, and whether the code is right, stays untold."""
    ada = await enrolled(traveller)

    answers = [
        await log_in(api, ada.email, "not the password", **more) for more in ({}, {"code": ada.code()})
    ]

    assert {answer.code for answer in answers} == {"invalid_credentials"}
    assert (await log_in(api, ada.email, code=ada.code())).status == 200


async def test_switching_it_off_takes_password_and_code(
    mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """And is told to the owner, as switching it on was."""
    ada = await enrolled(traveller)
    for password, code in (("not the password", ada.code()), (PASSWORD, "000000")):
        refused = await traveller.post("/auth/totp/disable", {"password": password, "code": code})
        assert (refused.status, refused.code) == (403, "not_confirmed")

    done = await traveller.post("/auth/totp/disable", {"password": PASSWORD, "code": ada.code()})

    assert done.status == 204
    assert (await log_in(api, ada.email)).status == 200
    assert sorted(await mailbox.subjects(ada.email)) == [
        "Confirm your address",
        "Your account has a second factor now",
        "Your account's second factor is switched off",
    ]


async def test_it_cannot_be_replaced_while_it_is_on(traveller: Client) -> None:
    """Or a stolen session and the password were enough to put another in its place."""
    ada = await enrolled(traveller)

    begun = await traveller.post("/auth/totp", {"password": PASSWORD})
    confirmed = await traveller.post("/auth/totp/confirm", {"code": ada.code()})

    assert [(answer.status, answer.code) for answer in (begun, confirmed)] == [(409, "second_factor_on")] * 2


async def test_what_was_not_begun_cannot_be_ended(traveller: Client) -> None:
    """Nor confirmed, nor given new recovery codes."""
    both = {"password": PASSWORD, "code": "123456"}
    answers = [
        await traveller.post("/auth/totp/confirm", {"code": "123456"}),
        await traveller.post("/auth/totp/disable", both),
        await traveller.post("/auth/totp/recovery-codes", both),
    ]

    assert {(answer.status, answer.code) for answer in answers} == {(409, "second_factor_off")}


async def test_the_oauth2_form_takes_a_code_as_well(api: Client, traveller: Client) -> None:
    """As a field of its own."""
    ada = await enrolled(traveller)
    form = {"username": ada.email, "password": PASSWORD, "code": ada.code()}

    assert (await api.send("POST", "/auth/login", data=form)).status == 200


async def test_an_administrator_can_begin_in_production(
    traveller: Client, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may do nothing without a second factor may get one."""
    await sql("UPDATE users SET role = 'admin' WHERE id = :id", id=user_id(traveller))
    monkeypatch.setattr(settings(), "app_env", "production")

    assert len((await enrolled(traveller)).recovery_codes) == 10


async def test_the_secret_is_sealed_for_its_account(
    api: Client, traveller: Client, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the database it is of use to nobody, and in another account's row neither; it follows the newest key."""
    ada, other = await enrolled(traveller), await enrolled(await api.signed_up())
    [row] = await sql("SELECT totp_secret FROM users WHERE id = :id", id=user_id(traveller))
    assert ada.secret not in row["totp_secret"]
    with pytest.raises(crypto.CannotOpen):
        crypto.open(row["totp_secret"], f"user {other.client.user['id']} totp")

    monkeypatch.setattr(settings(), "encryption_key", uuid.uuid4().hex)
    async with db.transaction() as session:
        assert await second_factor.reseal(session, 1000) >= 2
    async with db.transaction() as session:
        assert await second_factor.reseal(session, 1000) == 0

    assert (await log_in(api, ada.email, code=ada.code())).status == 200
    # The key is gone with this test, and whoever counts accounts with secrets must still be able to open them.
    monkeypatch.undo()
    await sql("UPDATE users SET totp_secret = NULL, totp_confirmed_at = NULL WHERE totp_secret IS NOT NULL")
