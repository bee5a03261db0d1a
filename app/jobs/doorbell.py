"""Telling a worker that a job waits."""

import uuid

from app.core import doorbell

TASK = "jobs.run"


async def ring(job_id: uuid.UUID) -> None:
    """Call once the job is committed."""
    await doorbell.send(TASK, str(job_id))
