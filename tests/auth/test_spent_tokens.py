"""What a spent refresh token is still worth: the same child for a moment, and then the whole session."""

import asyncio
import uuid
from collections import Counter
from typing import Any

import pytest

from app.core.config import settings
from tests.support.client import PASSWORD, Answer, Client


async def refresh(api: Client, token: str) -> Answer:
    return await api.post("/auth/refresh", {"refresh_token": token})


async def later(sql: Any, user: Client, seconds: int = 11) -> None:
    """What was spent was spent a while ago."""
    await sql(
        "UPDATE refresh_tokens t SET rotated_at = rotated_at - make_interval(secs => :seconds) FROM sessions s"
        " WHERE s.id = t.session_id AND s.user_id = :user",
        seconds=seconds,
        user=uuid.UUID(user.user["id"]),
    )


async def told(sql: Any, user: Client) -> tuple[int, int]:
    """How many mails to its owner and entries of the audit log say that the account's session was reused."""
    [found] = await sql(
        "SELECT (SELECT count(*) FROM outbox WHERE type = 'account.session_reused' AND data ->> 'user_id' = :id)"
        " AS mails, (SELECT count(*) FROM audit_log WHERE action = 'session.reused' AND subject = 'user:' || :id)"
        " AS noted",
        id=user.user["id"],
    )
    return found["mails"], found["noted"]


async def test_fifty_tabs_with_one_token_get_one_child(api: Client, traveller: Client, sql: Any) -> None:
    """All are fine, nobody is signed out, and the child is honoured."""
    token = traveller.user["refresh_token"]

    answers = await asyncio.gather(*(refresh(api, token) for _ in range(50)))

    assert Counter(answer.status for answer in answers) == {200: 50}
    [child] = {answer.body["refresh_token"] for answer in answers}
    assert (await refresh(api, child)).status == 200
    assert await told(sql, traveller) == (0, 0)


async def test_a_lost_answer_can_be_asked_for_again(api: Client, traveller: Client) -> None:
    """With an access token that works."""
    spent = traveller.user["refresh_token"]
    first = await refresh(api, spent)

    again = await refresh(api, spent)

    assert again.body["refresh_token"] == first.body["refresh_token"]
    me = await Client(api.session, api.base, again.body["access_token"]).get("/auth/me")
    assert me.body["id"] == traveller.user["id"]


async def test_after_the_grace_a_spent_token_ends_the_session(
    api: Client, traveller: Client, sql: Any
) -> None:
    """It may be in a thief's hands: the newest token dies too, the owner is told, once, and it is noted."""
    spent = traveller.user["refresh_token"]
    pair = (await refresh(api, spent)).body
    await later(sql, traveller)

    reused = await refresh(api, spent)

    assert (reused.status, reused.code) == (401, "refresh_token_reused")
    assert (await refresh(api, pair["refresh_token"])).code == "refresh_token_reused"
    assert (await refresh(api, spent)).code == "refresh_token_reused"
    for token in (traveller.token, pair["access_token"]):
        assert (await Client(api.session, api.base, token).get("/bookings")).code == "invalid_token"
    assert await told(sql, traveller) == (1, 1)


async def test_a_token_whose_child_is_spent_ends_the_session_at_once(
    api: Client, traveller: Client, sql: Any
) -> None:
    """The grace is for the parent of the token that lives; its child is forgotten with the next."""
    spent = traveller.user["refresh_token"]
    child = (await refresh(api, spent)).body["refresh_token"]
    newest = (await refresh(api, child)).body["refresh_token"]
    kept = await sql(
        "SELECT count(child_sealed) AS n FROM refresh_tokens t JOIN sessions s ON s.id = session_id"
        " WHERE user_id = :user",
        user=uuid.UUID(traveller.user["id"]),
    )
    assert kept == [{"n": 1}]

    assert (await refresh(api, spent)).code == "refresh_token_reused"
    assert (await refresh(api, newest)).status == 401


async def test_without_a_grace_a_token_is_good_once(
    api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where operators want it strict."""
    monkeypatch.setattr(settings(), "refresh_grace_seconds", 0)
    await refresh(api, traveller.user["refresh_token"])

    assert (await refresh(api, traveller.user["refresh_token"])).code == "refresh_token_reused"


async def test_a_spent_token_stays_a_trap_when_its_own_days_are_over(
    api: Client, traveller: Client, sql: Any
) -> None:
    """Whoever kept it so long is not the app."""
    spent = traveller.user["refresh_token"]
    newest = (await refresh(api, spent)).body["refresh_token"]
    await later(sql, traveller, 15 * 86400)
    await sql("UPDATE refresh_tokens SET expires_at = now() WHERE rotated_at < now() - interval '14 days'")

    assert (await refresh(api, spent)).code == "refresh_token_reused"
    assert (await refresh(api, newest)).status == 401


async def test_other_sessions_of_the_user_live_on(api: Client, traveller: Client, sql: Any) -> None:
    """A session is one login, not one person."""
    login = {"email": traveller.user["email"], "password": PASSWORD}
    elsewhere = (await api.post("/auth/login", login)).body["refresh_token"]
    spent = traveller.user["refresh_token"]
    await refresh(api, spent)
    await later(sql, traveller)
    assert (await refresh(api, spent)).status == 401

    assert (await refresh(api, elsewhere)).status == 200


async def test_a_kept_child_is_nothing_to_who_reads_the_table(
    api: Client, traveller: Client, sql: Any
) -> None:
    """It is sealed with what only the spent token gives, which the table does not hold."""
    child = (await refresh(api, traveller.user["refresh_token"])).body["refresh_token"]

    kept = await sql("SELECT child_sealed FROM refresh_tokens WHERE child_sealed IS NOT NULL")

    assert kept
    assert all(child.encode() not in bytes(row["child_sealed"]) for row in kept)
