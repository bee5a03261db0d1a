"""What Beat asks for to keep the house in order."""

from app.auth import service as accounts
from app.bookings import guests
from app.core import db, idempotency
from app.core.background import task
from app.jobs import service as jobs
from app.notifications import service as notifications
from app.ops import service
from app.timetable import service as timetable


@task("ops.beat")
async def beat() -> None:
    """A message of Beat's, handled by a worker: proof that the worker makes progress."""
    await service.note_progress("worker")


@task("ops.purge")
async def purge() -> None:
    """Drop what nobody can use any more: old idempotency keys, dead tokens and links, failed logins and
    lookups, jobs' parts, old mails and pushes, and what once made the timetable's days old.
    """
    async with db.transaction() as session:
        await idempotency.purge(session)
        await accounts.purge(session)
        await guests.purge(session)
        await jobs.purge(session)
        await notifications.purge(session)
        await timetable.purge(session)
