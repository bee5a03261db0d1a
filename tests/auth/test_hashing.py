"""Hashes: as costly as they have to be, and never so many that others wait."""

import asyncio
import threading
from typing import Any

import pytest
from argon2 import PasswordHasher

from app.auth import passwords
from app.core.config import settings
from tests.auth.support import log_in, user_id
from tests.support.client import PASSWORD, Client


async def test_a_hash_of_former_parameters_is_renewed_at_login(
    api: Client, traveller: Client, sql: Any
) -> None:
    """Only who knows the password can have it made anew; nothing mailed before becomes void by it."""
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    await sql("UPDATE users SET password_hash = :old WHERE id = :id", old=old, id=user_id(traveller))
    [before] = await sql("SELECT password_changed_at FROM users WHERE id = :id", id=user_id(traveller))

    assert (await log_in(api, traveller.user["email"])).status == 200

    [after] = await sql(
        "SELECT password_hash, password_changed_at FROM users WHERE id = :id", id=user_id(traveller)
    )
    assert after["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert after["password_changed_at"] == before["password_changed_at"]
    assert (await log_in(api, traveller.user["email"])).status == 200


async def test_beyond_what_may_wait_the_answer_is_503(
    api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, with the time to come back, while all before it are served."""
    go_on = threading.Event()
    verify = passwords._verify

    def slow(stored: str, password: str) -> bool:
        go_on.wait(10)
        return verify(stored, password)

    monkeypatch.setattr(passwords, "_verify", slow)
    monkeypatch.setattr(settings(), "password_queue", 3)
    served = [asyncio.create_task(log_in(api, f"w{n}@example.com")) for n in range(3 + passwords._WORKERS)]
    while passwords._in_hand < len(served):  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    refused = await log_in(api, traveller.user["email"])
    go_on.set()

    assert (refused.status, refused.code, refused.body["retryable"]) == (503, "overloaded", True)
    assert int(refused.headers["Retry-After"]) > 0
    assert {answer.status for answer in await asyncio.gather(*served)} == {401}
    assert (await log_in(api, traveller.user["email"])).status == 200


async def test_in_production_fifty_may_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a setting says otherwise; and one core at least is left to everybody else."""
    monkeypatch.setattr(settings(), "app_env", "production")

    assert settings().passwords_waiting == 50
    assert passwords._WORKERS >= 1
