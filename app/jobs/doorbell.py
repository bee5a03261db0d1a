"""Telling a worker that there is something to do, if the broker can be reached: the sweep finds it anyway."""

import asyncio
import uuid

from celery.exceptions import OperationalError

from app.core.background import celery
from app.core.config import settings
from app.core.logging import logger

log = logger("jetway.jobs")

TASK = "jobs.run"
_PATIENCE_SECONDS = 1.0


async def ring(job_id: uuid.UUID) -> None:
    """Call once the job is committed. Nobody waits long for a broker that does not answer."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await asyncio.to_thread(_send, str(job_id))
    except (OSError, OperationalError) as error:
        log.warning("doorbell not rung", job=str(job_id), reason=type(error).__name__)


def _send(job_id: str) -> None:
    with celery.connection_for_write(settings().redis_url) as connection:
        celery.send_task(TASK, (job_id,), connection=connection, retry=False)
