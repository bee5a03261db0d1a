"""Double entry: every movement of money as lines that add up to nothing, debits positive.

processor        money that the card processor holds for us
fares, extras    what was sold; `taxes:XX` what was collected for others, by the tax's code
penalties        what a cancelled traveller leaves with us, and fees for changes
refunds_owed     what goes back and has not gone yet
unapplied        money that came for nothing we could give
processor_fees   what the processor keeps
"""

from collections import Counter
from collections.abc import Mapping

from app.core.db import Session
from app.payments import repository

PROCESSOR, FARES, EXTRAS, PENALTIES = "processor", "fares", "extras", "penalties"
REFUNDS_OWED, UNAPPLIED, PROCESSOR_FEES = "refunds_owed", "unapplied", "processor_fees"


def taxes(code: str) -> str:
    """The account of one tax."""
    return f"taxes:{code}"


class Unbalanced(ValueError):
    """Lines that do not add up to nothing: the transaction must not be committed."""


async def post(
    session: Session, booking_id: int, kind: str, reference: str, currency: str, lines: Mapping[str, int]
) -> None:
    """Write an entry once; whoever repeats a step writes it no second time. Raises Unbalanced."""
    moved = {account: amount for account, amount in lines.items() if amount}
    if sum(moved.values()):
        raise Unbalanced(f"{kind} {reference} is off by {sum(moved.values())}")
    if moved:
        await repository.post(session, booking_id, kind, reference, currency, moved)


def credited(parts: Mapping[str, int]) -> Counter[str]:
    """What was sold, as credits of its accounts."""
    return Counter({account: -amount for account, amount in parts.items()})
