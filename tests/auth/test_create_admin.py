"""`python -m app create-admin`: a new administrator, or an account that becomes one's."""

import sys
import uuid
from typing import Any

import pytest

from app import cli
from tests.support.client import PASSWORD, Client


async def create_admin(email: str, *, promote: bool = False) -> None:
    await cli._create_admin(email, promote)


async def test_a_new_address_becomes_an_administrator(
    api: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the password of the environment."""
    monkeypatch.setenv("ADMIN_PASSWORD", PASSWORD)
    email = f"{uuid.uuid4().hex}@example.com"

    await create_admin(email)

    login = await api.post("/auth/login", {"email": email, "password": PASSWORD})
    assert login.body["user"]["role"] == "admin"
    assert email in capsys.readouterr().out


async def test_an_existing_account_is_not_touched_without_being_asked_for(
    traveller: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody can be asked, the flag says so."""
    with pytest.raises(SystemExit, match="--promote"):
        await create_admin(traveller.user["email"])

    assert (await traveller.get("/auth/me")).body["role"] == "user"


@pytest.mark.parametrize("how", ["flag", "answer"])
async def test_an_existing_account_is_promoted(
    traveller: Client, api: Client, sql: Any, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """By the flag, or by whoever is asked; it keeps its password and signs in anew."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "y")

    await create_admin(traveller.user["email"].upper(), promote=how == "flag")

    login = await api.post("/auth/login", {"email": traveller.user["email"], "password": PASSWORD})
    assert login.body["user"]["role"] == "admin"
    refreshed = await api.post("/auth/refresh", {"refresh_token": traveller.user["refresh_token"]})
    assert refreshed.code == "invalid_token"
    [noted] = await sql(
        "SELECT actor_kind, data FROM audit_log WHERE action = 'user.role_changed' AND subject = 'user:' || :id",
        id=traveller.user["id"],
    )
    assert noted == {"actor_kind": "operator", "data": {"role": "admin"}}


async def test_who_says_no_changes_nothing(traveller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is no."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "")

    with pytest.raises(SystemExit):
        await create_admin(traveller.user["email"])

    assert (await traveller.get("/auth/me")).body["role"] == "user"
