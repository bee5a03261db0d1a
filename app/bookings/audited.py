"""Which steps of a booking the audit log keeps as well: those that move money or change who flies where."""

from app.core import audit
from app.core.db import Row, Session

_STEPS = frozenset(
    {
        "payment.succeeded",
        "payment.failed",
        "payment.refunded",
        "booking.cancelled",
        "booking.changed",
        "booking.checked_in",
    }
)
# Ids, amounts and our own words; whatever else an event may come to say is not copied.
_FACTS = (
    "payment_id",
    "refund_id",
    "amount",
    "refund",
    "penalty",
    "due",
    "reason",
    "passengers",
    "slices",
    "flight_id",
)


async def note(session: Session, booking: Row, events: list[Row]) -> None:
    """In the transaction that takes the steps. What nobody who is signed in asks for, the product does by itself, be
    it because time has passed or because the card processor says so.
    """
    by, actor = audit.signed_in()
    for event in events:
        if event["type"] in _STEPS:
            data = event["data"] or {}
            await audit.record(
                session,
                event["type"],
                by=by,
                actor=actor,
                subject=f"booking:{booking['pnr']}",
                **{name: data[name] for name in _FACTS if name in data},
            )
