"""In production an administrator's session counts if it had a second factor."""

import uuid
from typing import Any

import pytest

from app.core.config import settings
from tests.auth.test_admin_users import admin
from tests.support.client import Client

__all__ = ["admin"]


async def test_a_password_alone_is_no_administrator_in_production(
    admin: Client, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session asks for a code first; one that had it is good, wherever administrators are asked for."""
    paths = ("/admin/users", "/admin/jobs", "/admin/metrics")
    monkeypatch.setattr(settings(), "app_env", "production")
    for path in paths:
        answer = await admin.get(path)
        assert (answer.status, answer.code) == (403, "second_factor_required"), path

    await sql(
        "UPDATE sessions SET second_factor_at = now() WHERE user_id = :user", user=uuid.UUID(admin.user["id"])
    )

    for path in paths:
        assert (await admin.get(path)).status == 200, path


async def test_another_sessions_second_factor_does_not_count(
    admin: Client, api: Client, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is this session that had none."""
    login = {"email": admin.user["email"], "password": "a window seat, please"}
    await api.post("/auth/login", login)
    await sql(
        "UPDATE sessions SET second_factor_at = now() WHERE id = (SELECT id FROM sessions WHERE user_id = :user"
        " ORDER BY created_at DESC LIMIT 1)",
        user=uuid.UUID(admin.user["id"]),
    )
    monkeypatch.setattr(settings(), "app_env", "production")

    assert (await admin.get("/admin/users")).code == "second_factor_required"


async def test_a_traveller_is_told_nothing_of_it(traveller: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no administrators with any factor."""
    monkeypatch.setattr(settings(), "app_env", "production")

    assert (await traveller.get("/admin/users")).code == "admins_only"
