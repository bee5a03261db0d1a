"""Jobs: asked for by operators, kept as rows, done by whichever worker takes them.

A message only rings the doorbell; it may come twice or never. To offer a kind of job:

    @jobs.kind("airports.sync")
    async def run(job: jobs.Running) -> Row: ...
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic

import structlog

from app.core import audit, cursors, db
from app.core.clock import rfc3339
from app.core.db import Row, Session
from app.core.logging import logger
from app.jobs import doorbell, repository
from app.jobs.errors import JobNotFound
from app.jobs.running import LEASE_SECONDS, JobFailed, JobLost, Running, SliceOver
from app.providers.base import LONGEST_WAIT_SECONDS, ProviderError

__all__ = [
    "JobFailed",
    "Running",
    "create",
    "kind",
    "last_result",
    "page",
    "purge",
    "read",
    "refusals",
    "run_due",
    "run_one",
]

log = logger("jetway.jobs")

Kind = Callable[[Running], Awaitable[Row]]

# A worker also has holds to let run out and its own life to prove, so a job may not keep it longer than this.
SLICE_SECONDS = 20.0
# A slice that takes this long hangs. Celery kills the process not much later.
_MOST_SECONDS = 60.0
_ATTEMPTS = 5
_PAUSE_SECONDS = 10.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR_FUTURE = 10**17

_kinds: dict[str, Kind] = {}


def kind(name: str) -> Callable[[Kind], Kind]:
    """Register the function that does jobs of this kind and returns their result."""

    def register(function: Kind) -> Kind:
        _kinds[name] = function
        return function

    return register


async def create(
    session: Session,
    kind: str,
    arguments: Row,
    requested_by: uuid.UUID | None,
    only_one: str | None = None,
    inputs: Iterable[bytes] = (),
) -> Row:
    """Ask for a job, or learn which one is under way: `only_one` names what may not run twice at a time."""
    while True:
        job = await repository.add(session, kind, arguments, requested_by, only_one)
        if job is not None:
            break
        live = await repository.live(session, only_one or "")
        if live is not None:
            return live
        # It ended between the two questions, so there is room now.
    for position, data in enumerate(inputs):
        await repository.add_input(session, job["id"], position, data)
    db.after_commit(session, lambda: doorbell.ring(job["id"]))
    by: audit.Actor = "admin" if requested_by else "operator"
    await audit.record(session, "job.asked", by=by, actor=requested_by, subject=f"job:{job['id']}", kind=kind)
    return job


async def read(session: Session, job_id: str) -> Row:
    """Raises JobNotFound."""
    return _view(await _found(session, job_id))


async def page(session: Session, cursor: str | None, limit: int) -> Row:
    """Jobs, newest first."""
    before = cursors.decode(cursor, _FAR_FUTURE)
    found = await repository.page(
        session, None if before is None else _EPOCH + timedelta(microseconds=before), limit + 1
    )
    last = found[limit - 1]["created_at"] if len(found) > limit else None
    return {
        "data": [_view(job) for job in found[:limit]],
        "next_cursor": cursors.encode((last - _EPOCH) // timedelta(microseconds=1)) if last else None,
    }


async def refusals(session: Session, job_id: str, cursor: str | None, limit: int) -> Row:
    """What the job did not use, by line. Raises JobNotFound."""
    job = await _found(session, job_id)
    after = cursors.decode(cursor, 2**31 - 1)
    found = await repository.refusals(session, job["id"], -1 if after is None else after, limit + 1)
    following = cursors.encode(found[limit - 1]["line"]) if len(found) > limit else None
    return {"data": found[:limit], "next_cursor": following}


async def last_result(session: Session, kind: str) -> Row | None:
    """The result of the last job of this kind that succeeded."""
    return await repository.last_result(session, kind)


async def purge(session: Session) -> None:
    """Drop what old jobs were made of; the jobs themselves stay to be read."""
    await repository.purge(session)


async def run_due(seconds: float = SLICE_SECONDS) -> None:
    """Do what is due, one job after the other, until nothing is or the time is up."""
    ends_at = monotonic() + seconds
    while await run_one(None, ends_at - monotonic()) and monotonic() < ends_at:
        pass


async def run_one(job_id: uuid.UUID | None = None, seconds: float = SLICE_SECONDS) -> bool:
    """Do a slice of this job, or of whichever has waited longest; false if there was none to be had."""
    async with db.transaction() as session:
        row = await repository.claim(session, list(_kinds), job_id, uuid.uuid4(), LEASE_SECONDS)
    if row is None:
        return False
    job = Running(row, monotonic() + seconds)
    with structlog.contextvars.bound_contextvars(job=str(job.id), kind=job.kind):
        try:
            await _do(job)
        except JobLost:
            log.warning("job lost to another worker")
    return True


async def _do(job: Running) -> None:
    """Every way in which a slice can end. Raises JobLost."""
    try:
        if job.attempts > _ATTEMPTS:
            raise JobFailed("gave_up")
        async with asyncio.timeout(_MOST_SECONDS):
            result = await _kinds[job.kind](job)
            if not job.finished:
                async with job.transaction() as session:
                    await job.finish(session, result)
    except JobLost:
        raise
    except SliceOver:
        await _put_back(job)
    except JobFailed as failure:
        await _fail(job, failure.code, failure.result)
    except ProviderError as error:
        await _wait(job, error.code, min(error.retry_after_seconds, LONGEST_WAIT_SECONDS))
    except Exception as error:
        log.exception("job broke off")
        if not repository.is_passing(error):
            await _fail(job, "internal_error")
        else:
            await _wait(job, "interrupted", _PAUSE_SECONDS * job.attempts)


async def _wait(job: Running, code: str, seconds: float) -> None:
    """Try again later, unless too many attempts in a row have come to nothing."""
    attempts = 0 if job.advanced else job.attempts
    if attempts >= _ATTEMPTS:
        await _fail(job, code)
    else:
        await _put_back(job, seconds, code, attempts)


async def _put_back(job: Running, seconds: float = 0, code: str | None = None, attempts: int = 0) -> None:
    """To the queue, with all that was saved; a job that only had its share goes on as soon as there is room."""
    log.info("job goes on later", reason=code, seconds=seconds, done=job.done)
    async with job.transaction() as session:
        await repository.put_back(session, job.id, seconds, code, attempts)
        if not seconds:
            db.after_commit(session, lambda: doorbell.ring(job.id))


async def _fail(job: Running, code: str, result: Row | None = None) -> None:
    log.warning("job failed", code=code)
    async with job.transaction() as session:
        await repository.end(session, job.id, "failed", result, code)


async def _found(session: Session, job_id: str) -> Row:
    try:
        job = await repository.one(session, uuid.UUID(job_id))
    except ValueError:
        job = None
    if job is None:
        raise JobNotFound("There is no such job.")
    return job


def _view(job: Row) -> Row:
    waits = job["status"] == "queued" and job["error"] is not None
    return {
        "id": str(job["id"]),
        "kind": job["kind"],
        "status": job["status"],
        "progress": {"done": job["done"], "total": job["total"]},
        "result": job["result"],
        "error": job["error"],
        "created_at": rfc3339(job["created_at"]),
        "started_at": _when(job["started_at"]),
        "finished_at": _when(job["finished_at"]),
        "next_attempt_at": _when(job["not_before"]) if waits else None,
    }


def _when(instant: datetime | None) -> str | None:
    return rfc3339(instant) if instant else None
