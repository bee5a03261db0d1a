"""After an old copy of the database was restored, whoever had been erased is erased again."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from app.privacy import console
from tests.bookings.paid import held
from tests.support.client import PASSWORD, Client
from tests.support.fleet import Fleet


async def run(again: Path | None = None) -> int:
    return await console.run(argparse.Namespace(again=again))


async def test_a_restored_copy_is_erased_from_the_list(
    api: Client, traveller: Client, fleet: Fleet, sql: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the copy is of a time when something was open; accounts that are younger than it are passed over."""
    user_id = traveller.user["id"]
    assert (await traveller.post("/auth/erasure", {"password": PASSWORD})).status == 204
    await run()
    line = next(line for line in capsys.readouterr().out.splitlines() if user_id in line)
    # As the copy had them.
    await sql(
        "UPDATE users SET erased_at = NULL, email = 'back@example.com', full_name = 'Ada' WHERE id = CAST(:id AS uuid)",
        id=user_id,
    )
    await sql("DELETE FROM erasures WHERE user_id = CAST(:id AS uuid)", id=user_id)
    # Somebody who holds what is the copy's; the account's own sessions have ended.
    pnr = (await held(await api.signed_up(), fleet))["pnr"]
    await sql("UPDATE bookings SET user_id = CAST(:id AS uuid) WHERE pnr = :pnr", id=user_id, pnr=pnr)
    file = tmp_path / "erasures"
    file.write_text(f"{line}\n00000000-0000-0000-0000-000000000000 2026-01-01T00:00:00Z\n")

    assert await run(file) == 0

    assert "1 of 2 accounts are erased" in capsys.readouterr().out
    [account] = await sql("SELECT email FROM users WHERE id = CAST(:id AS uuid)", id=user_id)
    assert account["email"] == f"erased-{user_id}@erased.invalid"
    [contact] = await sql("SELECT contact FROM bookings WHERE pnr = :pnr", pnr=pnr)
    assert contact["contact"] == {}
    assert await sql("SELECT 1 AS one FROM erasures WHERE user_id = CAST(:id AS uuid)", id=user_id)


async def test_a_file_that_is_something_else_erases_nobody(
    traveller: Client, sql: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even those whom its first lines name."""
    file = tmp_path / "erasures"
    file.write_text(f"{traveller.user['id']} 2026-01-01T00:00:00Z\nada@example.com\n")

    assert await run(file) == 1
    assert await run(tmp_path / "nowhere") == 1

    assert "is not what this command printed" in capsys.readouterr().err
    assert (await traveller.get("/auth/me")).status == 200
