"""What Beat asks for to keep the books right."""

from app.core.background import task
from app.payments import reconciliation, service


@task("payments.reconcile")
async def reconcile() -> None:
    """Compare each day that is over with the card processor's books."""
    if service.offered():
        await reconciliation.catch_up()
