"""What this process asks its database in the meantime."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.core import db

# Tasks that look every few seconds whether what is in memory is still good, whatever a test does.
_BY_THEMSELVES = "_keep_looking"


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement, but for what is asked in any case once in a while."""
    asked: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        task = asyncio.current_task()
        if task is None or getattr(task.get_coro(), "__name__", "") != _BY_THEMSELVES:
            asked.append(statement)

    engine = db.engine().sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", note)
