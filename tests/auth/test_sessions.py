"""Staying signed in, and ending it. What a spent token is worth: `test_spent_tokens.py`."""

import uuid
from typing import Any

import pytest

from app.auth import sessions
from app.core import attempts
from app.core.config import settings
from tests.support.client import Answer, Client


async def refresh(api: Client, token: str) -> Answer:
    return await api.post("/auth/refresh", {"refresh_token": token})


async def test_a_refresh_token_buys_a_new_pair(api: Client, traveller: Client) -> None:
    """Both tokens are new and both work."""
    answer = await refresh(api, traveller.user["refresh_token"])

    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.body["refresh_token"] != traveller.user["refresh_token"]
    me = await Client(api.session, api.base, answer.body["access_token"]).get("/auth/me")
    assert me.body == answer.body["user"]
    assert (await refresh(api, answer.body["refresh_token"])).status == 200


async def test_an_unknown_token_is_refused(api: Client) -> None:
    """Whatever it looks like."""
    for token in ("", "frt_unknown", "é", "\x01", "x" * 100):
        assert (await refresh(api, token)).code == "invalid_token"
    assert (await refresh(api, "x" * 101)).code == "validation_error"


async def test_an_expired_token_is_refused(api: Client, traveller: Client, sql: Any) -> None:
    """By the database's clock."""
    await sql(
        "UPDATE refresh_tokens t SET expires_at = now() FROM sessions s WHERE s.id = session_id AND user_id = :user",
        user=uuid.UUID(traveller.user["id"]),
    )

    assert (await refresh(api, traveller.user["refresh_token"])).code == "invalid_token"


async def test_a_session_ends_after_so_many_days_however_often_it_is_used(
    api: Client, traveller: Client, sql: Any
) -> None:
    """A refresh moves the end of the token and not that of the session."""
    user = uuid.UUID(traveller.user["id"])
    token = (await refresh(api, traveller.user["refresh_token"])).body["refresh_token"]
    [session] = await sql(
        "SELECT expires_at - created_at AS lasts, expires_at - now() > interval '89 days' AS long FROM sessions"
        " WHERE user_id = :user",
        user=user,
    )
    assert (session["lasts"].days, session["long"]) == (settings().session_days, True)
    await sql("UPDATE sessions SET expires_at = now() WHERE user_id = :user", user=user)

    assert (await refresh(api, token)).code == "invalid_token"


async def test_a_session_is_refreshed_thirty_times_a_minute_at_most(
    api: Client, traveller: Client, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it waits, and is not ended by that."""
    assert (sessions._REFRESHES.quota, sessions._REFRESHES.seconds) == (30, 60)
    monkeypatch.setattr(sessions, "_REFRESHES", attempts.Policy("refresh", 3, 60))
    token = traveller.user["refresh_token"]
    for _ in range(3):
        token = (await refresh(api, token)).body["refresh_token"]

    stopped = await refresh(api, token)

    assert (stopped.status, stopped.code) == (429, "rate_limited")
    assert 0 < int(stopped.headers["Retry-After"]) <= 60
    await sql("UPDATE attempts SET at = at - interval '1 minute' WHERE policy = 'refresh'")
    assert (await refresh(api, token)).status == 200


async def test_logging_out_ends_the_session(api: Client, traveller: Client) -> None:
    """The whole family, whichever of its tokens was shown."""
    spent = traveller.user["refresh_token"]
    newest = (await refresh(api, spent)).body["refresh_token"]

    answer = await api.post("/auth/logout", {"refresh_token": spent})

    assert (answer.status, answer.raw) == (204, b"")
    assert (await refresh(api, newest)).status == 401


async def test_logging_out_twice_or_of_nothing_is_fine(api: Client, traveller: Client) -> None:
    """There is no session then, which is what was asked for."""
    for token in (traveller.user["refresh_token"], traveller.user["refresh_token"], "frt_unknown"):
        assert (await api.post("/auth/logout", {"refresh_token": token})).status == 204


async def test_me_is_the_account_of_the_token(traveller: Client, api: Client) -> None:
    """And nobody else's."""
    other = await api.signed_up()
    mine, theirs = await traveller.get("/auth/me"), await other.get("/auth/me")

    assert mine.body == {name: value for name, value in traveller.user.items() if name != "refresh_token"}
    assert mine.body["id"] != theirs.body["id"]
    assert mine.headers["Cache-Control"] == "no-store"


async def test_nothing_in_the_database_opens_a_session(api: Client, sql: Any) -> None:
    """Passwords are Argon2id hashes and refresh tokens SHA-256 hashes; neither is there in clear."""
    password, email = f"canary {uuid.uuid4().hex}", f"{uuid.uuid4().hex}@example.com"
    signed_up = await api.post(
        "/auth/signup", {"email": email, "password": password, "full_name": "Ada Lovelace"}
    )
    secrets = [password, signed_up.body["refresh_token"], signed_up.body["access_token"]]
    needles = [form for secret in secrets for form in (secret, secret.encode().hex())]

    tables = await sql(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    assert len(tables) > 10
    for table in tables:
        found = await sql(
            f"SELECT 1 FROM {table['name']} t, unnest(CAST(:needles AS text[])) n WHERE position(n in t::text) > 0",
            needles=needles,
        )
        assert found == [], table["name"]
    stored = await sql("SELECT password_hash FROM users WHERE email = :email", email=email)
    assert stored[0]["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
