"""What Beat asks for: months of webhooks made ahead, and dropped when nobody may look at them any more."""

from datetime import timedelta

from app.core import clock, db, partitions
from app.core.background import task
from app.core.config import settings
from app.core.logging import logger
from app.webhooks.messages import TABLES

log = logger("jetway.webhooks")


@task("webhooks.keep_months")
async def keep_months() -> None:
    """This month and the next are there; those that ended longer ago than deliveries are kept are dropped."""
    month = partitions.month_of(clock.now())
    async with db.transaction() as session:
        for wanted in (month, partitions.month_after(month)):
            await partitions.make(session, TABLES, wanted)
        kept_from = clock.now() - timedelta(days=settings().webhook_retention_days)
        dropped = await partitions.drop_before(session, TABLES, kept_from)
    if dropped:
        log.info("months of webhooks dropped", partitions=dropped)
