"""What the workers do for mails and pushes."""

from app.airports import service as airports
from app.core import doorbell
from app.core.background import task
from app.notifications import service


@task("notifications.send_due")
async def send_due() -> None:
    """Mails that are new, that waited, or whose sender was killed."""
    await doorbell.heard(send_due.name)
    await airports.ready()
    await service.send_due()


@task("notifications.push_due")
async def push_due() -> None:
    """Pushes that are new, that waited, or whose sender was killed."""
    await doorbell.heard(push_due.name)
    await airports.ready()
    await service.push_due()
