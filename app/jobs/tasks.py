"""What the workers do for jobs."""

import uuid

from app.core.background import task
from app.jobs import doorbell, service


@task(doorbell.TASK)
async def run(job_id: str) -> None:
    """Somebody has asked for this job just now, or its turn is over and it goes on."""
    await service.run_one(uuid.UUID(job_id))


@task("jobs.sweep")
async def sweep() -> None:
    """Whatever is due: jobs whose doorbell nobody heard, that waited, or whose worker was killed."""
    await service.run_due()
