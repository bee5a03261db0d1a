"""What follows a commit cannot undo it."""

from typing import Any

import pytest

from app.core import db


async def test_a_follow_up_that_fails_does_not_fail_the_work(sql: Any) -> None:
    """The work is committed, the next follow-up is done, and the caller hears of neither failure."""
    done = []

    async def breaks() -> None:
        raise RuntimeError("a cache is gone")

    async def follows() -> None:
        done.append(await sql("SELECT name FROM heartbeats WHERE name = 'after-commit'"))

    async with db.transaction() as session:
        await db.rows(session, "INSERT INTO heartbeats (name, at) VALUES ('after-commit', now())")
        db.after_commit(session, breaks)
        db.after_commit(session, follows)

    assert done == [[{"name": "after-commit"}]]
    await sql("DELETE FROM heartbeats WHERE name = 'after-commit'")


async def test_nothing_follows_a_rollback(sql: Any) -> None:
    """A failed transaction has no consequences."""
    done = []

    async def follows() -> None:
        done.append(True)

    async def fails() -> None:
        async with db.transaction() as session:
            db.after_commit(session, follows)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fails()

    assert done == []
