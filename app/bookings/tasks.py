"""What the workers do for bookings."""

from app.bookings import service
from app.core import db
from app.core.background import task


@task("bookings.expire_due_holds")
async def expire_due_holds() -> None:
    """Let due holds run out, batch by batch, each in a transaction of its own."""
    while True:
        async with db.transaction() as session:
            if not await service.expire_due(session):
                return
