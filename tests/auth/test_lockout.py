"""Guessing passwords: slowed wherever it comes from, and never at the owner's expense."""

import asyncio
import uuid
from collections import Counter
from typing import Any

import pytest

from app.auth import service
from app.core.config import settings
from app.core.metrics import LOGIN_ALARMS
from tests.auth.support import Mailbox, coming_from, log_in, signed_in, user_id
from tests.support.client import Client

WRONG = "not the password"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three failures of an account are as many as a hundred."""
    policy = service._FAILURES_OF_ACCOUNT
    monkeypatch.setattr(service, "_FAILURES_OF_ACCOUNT", type(policy)(policy.name, 3, policy.seconds))


async def fail(api: Client, email: str, times: int) -> list[int]:
    return [(await log_in(api, email, WRONG)).status for _ in range(times)]


def test_the_numbers_are_those_of_the_rule() -> None:
    """Tests below use smaller ones."""
    assert (service._FAILURES.quota, service._FAILURES.seconds) == (5, 900)
    assert (service._FAILURES_OF_ADDRESS.quota, service._FAILURES_OF_ADDRESS.seconds) == (20, 300)
    assert (service._FAILURES_OF_ACCOUNT.quota, service._FAILURES_OF_ACCOUNT.seconds) == (100, 3600)
    assert (service._ALARMING, service._ALARMING_SECONDS) == (500, 300)


async def test_of_many_guesses_at_once_five_are_answered(api: Client, traveller: Client) -> None:
    """However many processes and connections they come through."""
    email = traveller.user["email"]

    answers = await asyncio.gather(*(log_in(api, email, WRONG) for _ in range(16)))

    assert Counter(answer.status for answer in answers) == {401: 5, 429: 11}
    assert (await log_in(api, email)).status == 429


async def test_many_right_logins_at_once_are_all_welcome(api: Client, traveller: Client) -> None:
    """Only failures count."""
    answers = await asyncio.gather(*(log_in(api, traveller.user["email"]) for _ in range(12)))

    assert {answer.status for answer in answers} == {200}


async def test_who_guesses_locks_nobody_out_elsewhere(api: Client, traveller: Client) -> None:
    """The owner has another network, in which nothing has failed."""
    async with coming_from(api, "127.0.66.6") as stranger:
        assert await fail(stranger, traveller.user["email"], 6) == [401] * 5 + [429]

    assert (await log_in(api, traveller.user["email"])).status == 200


async def test_a_login_of_the_owner_gives_a_guesser_no_new_tries(api: Client, traveller: Client) -> None:
    """What failed in one network is forgotten by no success in another."""
    async with coming_from(api, "127.0.66.7") as stranger:
        await fail(stranger, traveller.user["email"], 5)
        assert (await log_in(api, traveller.user["email"])).status == 200

        assert (await log_in(stranger, traveller.user["email"])).status == 429


async def test_neighbours_share_a_network(api: Client, traveller: Client) -> None:
    """Another last part of the address is no way around."""
    async with coming_from(api, "127.0.66.8") as one, coming_from(api, "127.0.66.9") as other:
        await fail(one, traveller.user["email"], 5)

        assert (await log_in(other, traveller.user["email"], WRONG)).status == 429


async def test_an_attacked_account_asks_for_a_mailed_code(
    few: None, mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """The right password is not enough any more where nobody knows who it is; the code is good once."""
    email = traveller.user["email"]
    await fail(api, email, 3)
    async with coming_from(api, "127.0.77.1") as elsewhere:
        asked = await log_in(elsewhere, email)
        assert (asked.status, asked.code) == (401, "login_code_required")
        this = {"attempt": asked.body["attempt"]}
        assert (await log_in(elsewhere, email, code="00000000", **this)).code == "wrong_code"
        code = await mailbox.code(email)

        assert (await log_in(elsewhere, email, code=code, **this)).status == 200
    async with coming_from(api, "127.0.78.1") as yet_elsewhere:
        assert (await log_in(yet_elsewhere, email, code=code, **this)).code == "wrong_code"


async def test_a_code_is_for_the_login_that_had_it_mailed(
    few: None, mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """Who knows the password and gets hold of a code that its owner asked for is not let in by it."""
    email = traveller.user["email"]
    await fail(api, email, 3)
    async with coming_from(api, "127.0.84.1") as owner, coming_from(api, "127.0.85.1") as stranger:
        theirs = (await log_in(stranger, email)).body["attempt"]
        await mailbox.code(email)
        mine = (await log_in(owner, email)).body["attempt"]
        code = await mailbox.code(email)

        assert (await log_in(stranger, email, code=code)).code == "login_code_required"
        assert (await log_in(stranger, email, code=code, attempt=theirs)).code == "wrong_code"
        assert (await log_in(owner, email, code=code, attempt=mine)).status == 200


async def test_where_the_owner_has_been_before_no_code_is_asked_for(
    few: None, api: Client, traveller: Client
) -> None:
    """Or anybody could make every login of theirs a nuisance."""
    async with coming_from(api, "127.0.79.1") as stranger:
        await fail(stranger, traveller.user["email"], 3)

    assert (await log_in(api, traveller.user["email"])).status == 200


async def test_where_no_mail_is_sent_no_code_is_asked_for(
    few: None, api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not come, and whoever guesses would have locked the owner out of every other place."""
    monkeypatch.setattr(settings(), "smtp_url", "")
    await fail(api, traveller.user["email"], 3)

    async with coming_from(api, "127.0.83.1") as elsewhere:
        assert (await log_in(elsewhere, traveller.user["email"])).status == 200


async def test_three_codes_are_mailed_from_one_network(
    few: None, mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """However often somebody with the password asks; who comes from another one gets theirs."""
    email = traveller.user["email"]
    await fail(api, email, 3)
    async with coming_from(api, "127.0.80.1") as elsewhere, coming_from(api, "127.0.86.1") as owner:
        answers = [await log_in(elsewhere, email) for _ in range(5)]
        assert [answer.status for answer in answers] == [401] * 3 + [429] * 2
        assert (await log_in(owner, email)).code == "login_code_required"

    assert (await mailbox.subjects(email)).count("Your code for signing in") == 4


async def test_a_mailed_code_is_tried_five_times(
    few: None, mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """Eight digits are enough for that; then the right one is too late."""
    email = traveller.user["email"]
    await fail(api, email, 3)
    async with coming_from(api, "127.0.81.1") as elsewhere:
        this = {"attempt": (await log_in(elsewhere, email)).body["attempt"]}
        code = await mailbox.code(email)
        guesses = await asyncio.gather(*(log_in(elsewhere, email, code=f"{n:08}", **this) for n in range(9)))

        assert Counter(answer.status for answer in guesses) == {401: 5, 429: 4}
        assert (await log_in(elsewhere, email, code=code, **this)).status == 429


async def test_an_address_that_fails_everywhere_is_stopped_everywhere(
    api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One password tried on many accounts is guessing as well; where addresses count."""
    policy = service._FAILURES_OF_ADDRESS
    monkeypatch.setattr(service, "_FAILURES_OF_ADDRESS", type(policy)(policy.name, 4, policy.seconds))
    monkeypatch.setattr(settings(), "address_limits", True)
    async with coming_from(api, "127.0.82.1") as stranger, coming_from(api, "127.0.82.2") as neighbour:
        answers = [await log_in(stranger, f"{uuid.uuid4().hex}@example.com", WRONG) for _ in range(5)]
        assert [answer.status for answer in answers] == [401] * 4 + [429]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 300

        assert (await log_in(stranger, traveller.user["email"])).status == 429
        assert (await log_in(neighbour, traveller.user["email"])).status == 200


async def test_redis_has_no_part_in_it(api: Client, traveller: Client) -> None:
    """Whoever empties it lifts no limit."""
    from app.core import redis

    await fail(api, traveller.user["email"], 5)
    await redis.client().flushdb()

    assert (await log_in(api, traveller.user["email"])).status == 429


async def test_failures_everywhere_raise_an_alarm(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spread over so many accounts and networks that no other limit notices."""
    monkeypatch.setattr(service, "_ALARMING", 0)
    before = LOGIN_ALARMS._value.get()

    await log_in(api, f"{uuid.uuid4().hex}@example.com", WRONG)

    assert LOGIN_ALARMS._value.get() == before + 1


@pytest.mark.parametrize("column", ["suspended_at", "erased_at"])
async def test_a_closed_account_looks_like_a_wrong_password(
    api: Client, traveller: Client, sql: Any, column: str
) -> None:
    """Nobody learns what has become of it."""
    identity = "email = 'erased-' || id || '@erased.invalid', full_name = ''"
    erased = f", {identity}, password_hash = ''" if column == "erased_at" else ""
    [row] = await sql(
        f"UPDATE users SET {column} = now(){erased} WHERE id = :id RETURNING email", id=user_id(traveller)
    )

    closed = await log_in(api, row["email"])
    wrong = await log_in(api, f"{uuid.uuid4().hex}@example.com")

    assert (closed.status, closed.code) == (401, "invalid_credentials")
    assert closed.body | {"request_id": ""} == wrong.body | {"request_id": ""}


async def test_logins_are_kept_in_the_audit_log(api: Client, traveller: Client, sql: Any) -> None:
    """Who and whence, in networks; and no address, neither of mail nor of the machine."""
    await log_in(api, traveller.user["email"], WRONG)
    await signed_in(api, traveller.user["email"])

    kept = await sql(
        "SELECT action, network, data::text AS data FROM audit_log WHERE subject = :subject ORDER BY at",
        subject=f"user:{traveller.user['id']}",
    )

    assert [row["action"] for row in kept] == ["account.created", "login.failed", "login.succeeded"]
    assert {row["network"] for row in kept} == {"127.0.0.0/24"}
    assert traveller.user["email"] not in str(kept)
