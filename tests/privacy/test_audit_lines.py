"""Each entry of the audit log is a line of the log as well, which is somewhere else before anybody can take it away."""

import uuid
from typing import Any

from app.core.logging import AUDIT
from tests.support import ecs
from tests.support.stack import run

_RECORDS = """
import asyncio, sys, uuid
from app.core import audit, db, logging

async def both():
    db.connect()
    actor, subject = uuid.UUID(sys.argv[1]), f"user:{sys.argv[2]}"
    async with db.transaction() as session:
        await audit.record(session, "user.role_changed", by="admin", actor=actor, subject=subject, role="admin")
        await audit.record(session, "booking.cancelled", by="guest", subject="booking:K7QX2M")
    try:
        async with db.transaction() as session:
            await audit.record(session, "user.suspended", by="admin", actor=actor, subject=subject)
            raise RuntimeError
    except RuntimeError:
        pass
    await db.disconnect()

logging.configure()
asyncio.run(both())
"""


async def test_what_is_committed_is_told_and_nothing_else(sql: Any) -> None:
    """By ids: of the entry, of who acted and of whom it was done to. LOG_LEVEL, here WARNING, has no say in it."""
    actor, somebody = str(uuid.uuid4()), str(uuid.uuid4())

    done = run("-c", _RECORDS, actor, somebody)

    told, cancelled = ecs.read(done.stdout)
    [kept] = await sql("SELECT id FROM audit_log WHERE actor = CAST(:actor AS uuid)", actor=actor)
    assert ecs.misfits(told) | ecs.misfits(cancelled) == set()
    assert {name: told[name] for name in told.keys() - ecs.ALWAYS} == {
        "event.action": "user.role_changed",
        "event.id": str(kept["id"]),
        "jetway.audit.by": "admin",
        "jetway.audit.actor": actor,
        "jetway.audit.subject": f"user:{somebody}",
    }
    assert told["event.dataset"] == AUDIT
    assert cancelled["jetway.audit.subject"].startswith("booking:")
    assert "K7QX2M" not in done.stdout
