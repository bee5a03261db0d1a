"""A job in the hands of the worker that does it.

A worker may be killed at any moment and another may have taken over, so everything that is written goes through
the job's lease: it is written while the lease stands, or not at all.
"""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

from app.core import db
from app.core.db import Row, Session
from app.jobs import repository

LEASE_SECONDS = 60


class JobLost(Exception):
    """Another worker has the job now: whatever this one still does must not count."""


class SliceOver(Exception):
    """The job has had its share of the worker for now; what it has done is kept."""


class JobFailed(Exception):
    """The job cannot be done. `code` is ours and is shown; `result` may say more, never in a vendor's words."""

    def __init__(self, code: str, result: Row | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.result = result


class Running:
    """What the function behind a kind of job is given.

    It works in steps that end with `save`, and starts at `cursor`, which is what the last step saved. `save`
    ends the function when its time is up; another worker, or this one, then goes on from there.
    """

    def __init__(self, row: Row, ends_at: float) -> None:
        self.id: uuid.UUID = row["id"]
        self.kind: str = row["kind"]
        self.arguments: Row = row["arguments"]
        self.cursor: Row | None = row["cursor"]
        self.done: int = row["done"]
        self.total: int | None = row["total"]
        self.attempts: int = row["attempts"]
        self.advanced = False
        self.finished = False
        self._token: uuid.UUID = row["lease_token"]
        self._ends_at = ends_at

    async def save(
        self,
        *,
        cursor: Row | None = None,
        done: int | None = None,
        total: int | None = None,
        items: dict[str, Row] | None = None,
        refusals: Sequence[Row] = (),
    ) -> None:
        """Keep a step: its items, its refusals (`line`, `code`, `message`) and how far it went, or nothing of it.

        What is None stays as it was. Raises JobLost and SliceOver.
        """
        cursor = self.cursor if cursor is None else cursor
        done = self.done if done is None else done
        total = self.total if total is None else total
        async with self.transaction() as session:
            if items:
                await repository.stage(session, self.id, items)
            await self.refuse(session, refusals)
            await repository.advance(session, self.id, cursor, done, total, LEASE_SECONDS)
        self.advanced = self.advanced or cursor != self.cursor
        self.cursor, self.done, self.total = cursor, done, total
        if monotonic() >= self._ends_at:
            raise SliceOver

    async def staged(self) -> dict[str, Row]:
        """Every item saved so far, by its key."""
        async with db.transaction() as session:
            return await repository.staged(session, self.id)

    async def each_staged(self) -> AsyncIterator[Row]:
        """The items one after the other, by key, where all of them at once would fill the memory."""
        key = ""
        while True:
            async with db.transaction() as session:
                found = await repository.staged_after(session, self.id, key)
            if found is None:
                return
            key = found["key"]
            yield found["data"]

    async def input(self, start: int = 0) -> AsyncIterator[bytes]:
        """The chunks of the job's input, from position `start` on; no connection is held in between."""
        position = start
        while True:
            async with db.transaction() as session:
                data = await repository.input_at(session, self.id, position)
            if data is None:
                return
            yield data
            position += 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """A transaction that is committed only if the job is still ours: nobody can take it in the meantime.

        Raises JobLost.
        """
        async with db.transaction() as session:
            if not await repository.hold(session, self.id, self._token):
                raise JobLost
            yield session

    async def refuse(self, session: Session, refusals: Sequence[Row]) -> None:
        """Name what is not used, in a transaction of `transaction`."""
        if refusals:
            await repository.refuse(session, self.id, refusals)

    async def finish(self, session: Session, result: Row) -> Row:
        """Succeed in a transaction of `transaction`, together with what the job puts in force."""
        await repository.end(session, self.id, "succeeded", result, None)
        self.finished = True
        return result
