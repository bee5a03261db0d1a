"""A schedule that was uploaded: kept in pieces with a job, which a worker does."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from tempfile import SpooledTemporaryFile
from typing import BinaryIO

from app.airports import service as airports
from app.core import db
from app.core.db import Row, Session
from app.jobs import service as jobs
from app.schedules import service
from app.schedules.errors import UnreadableSchedule
from app.schedules.legs import Refusal

KIND = "schedules.import"
# What is put into one row, and what is read of a file at a time.
PIECE = 256 * 1024
# A file that is not larger is not put on disk while it comes in.
_IN_MEMORY = 1024 * 1024


async def ask(pieces: AsyncIterator[bytes], name: str | None, replace: bool, requested_by: uuid.UUID) -> Row:
    """The job that loads a file. Raises UnreadableSchedule for one that does not begin as it should.

    The file is put aside until it has come, so that a slow sender holds no connection.
    """
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        async for piece in pieces:
            file.write(piece)
        size = file.tell()
        file.seek(0)
        arguments = {
            "format": service.recognised(name, file.read(PIECE)),
            "replace": replace,
            "bytes": size,
        }
        file.seek(0)
        async with db.transaction() as session:
            return await jobs.create(session, KIND, arguments, requested_by, inputs=_pieces(file))


def _pieces(file: SpooledTemporaryFile[bytes] | BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


class _Steps:
    """Each batch is a step of the job, done while the job is this worker's."""

    def __init__(self, job: jobs.Running) -> None:
        self._job = job

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        return self._job.transaction()

    async def save(self, at: Row, offset: int, refusals: list[Refusal], listed: dict[str, str]) -> None:
        await self._job.save(
            cursor=at,
            done=max(offset, self._job.done),
            total=self._job.arguments["bytes"],
            items={f"{at['line']:010}": listed} if listed else None,
            refusals=[asdict(refusal) for refusal in refusals],
        )


@jobs.kind(KIND)
async def run(job: jobs.Running) -> Row:
    """Load what is left of the job's file."""
    await airports.ready()
    loading = service.Loading(
        job.arguments["format"],
        job.input,
        _Steps(job),
        replace=job.arguments["replace"],
        at=job.cursor,
    )
    async for listed in job.each_staged():
        loading.recall(listed)
    try:
        report = await loading.run()
    except UnreadableSchedule:
        raise jobs.JobFailed("unreadable_schedule") from None
    if not service.anything_read(report):
        raise jobs.JobFailed("nothing_readable", report)
    return report
