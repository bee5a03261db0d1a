"""Which mail follows which event, and how long it is worth sending."""

from app.core.db import Row

# A change this large leaves the choice to the traveller (14 CFR 260.2; a flight that is not flown always does).
_CHOICES = ("significant", "cancelled", "withdrawn")
_PLAIN = {
    "booking.held": "booking_held",
    "booking.confirmed": "booking_confirmed",
    "booking.expired": "booking_expired",
    "booking.cancelled": "booking_cancelled",
    "payment.failed": "payment_failed",
    "guest.link_requested": "guest_link",
}
# The events that mails can follow.
TELLING = frozenset((*_PLAIN, "booking.changed", "payment.refunded"))
KINDS = (
    *_PLAIN.values(),
    "booking_changed",
    "answer_needed",
    "refund_succeeded",
    "late_payment_refunded",
)
# What these say is no longer so once the booking is in another state.
_ONLY_WHILE = {
    "booking_held": ("held",),
    "payment_failed": ("held",),
    "answer_needed": ("confirmed",),
}


def kind_of(event: Row, status: str) -> str | None:
    """The kind of mail that an event asks for, by the state its booking is in; None for most events."""
    match event["type"]:
        case "booking.changed" if "flight_id" in event["data"]:
            choice = event["data"].get("materiality") in _CHOICES and status == "confirmed"
            return "answer_needed" if choice else "booking_changed"
        case "payment.refunded":
            return "late_payment_refunded" if status == "expired" else "refund_succeeded"
        case plain:
            return _PLAIN.get(plain)


def still_true(kind: str, status: str) -> bool:
    return status in _ONLY_WHILE.get(kind, (status,))
