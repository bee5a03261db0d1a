"""What follows which event: a mail, a push, an alert; how long it is worth telling, and what of it may wake people."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from app.core.db import Row
from app.flights.status import DELAYED_MINUTES

Category = Literal["bookings", "flight_alerts", "account"]

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
# These go to people rather than to a booking's contact.
_TO_PEOPLE = {
    "flight.delayed": "flight_delayed",
    "flight.gate_changed": "flight_gate_changed",
    "flight.cancelled": "flight_cancelled",
    "flight.diverted": "flight_diverted",
    "flight.departed": "flight_departed",
    "flight.landed": "flight_landed",
    "webhook.disabled": "webhook_disabled",
}
# These go to an account's owner and stay in the house; `account.login_code` is told as `account_login_code`. The first
# four bring what the owner sends back.
_CHALLENGES = (
    "account_verify_email",
    "account_reset_password",
    "account_change_email",
    "account_login_code",
)
ACCOUNT_KINDS = (
    *_CHALLENGES,
    "account_password_changed",
    "account_email_changed",
    "account_totp_on",
    "account_totp_off",
    "account_session_reused",
    "account_api_key_ending",
)
BOOKING_KINDS = (
    *_PLAIN.values(),
    "booking_changed",
    "answer_needed",
    "refund_succeeded",
    "late_payment_refunded",
)
KINDS = (*BOOKING_KINDS, *_TO_PEOPLE.values(), "flight_on_time", *ACCOUNT_KINDS)
# Each takes back what the other has said.
_OF_THE_TIME = ("flight_delayed", "flight_on_time")
# What these say is no longer so once the booking is in another state.
_ONLY_WHILE = {
    "booking_held": ("held",),
    "payment_failed": ("held",),
    "answer_needed": ("confirmed",),
}


@dataclass(frozen=True, slots=True)
class Manners:
    """How something is told: `news` is how long anybody wants to hear it.

    Within `urgent` hours before departure, and after it, quiet hours are no reason to wait; without a number they
    always are, unless it is told `at_once` because its reader has just done something.
    """

    news: timedelta
    urgent: float | None = None
    at_once: bool = False


# What is pushed, and what is mailed as an alert. A late gate is useless, and who lands at night is not to be woken.
MANNERS = {
    "flight_delayed": Manners(timedelta(hours=12), urgent=6),
    "flight_on_time": Manners(timedelta(hours=12), urgent=6),
    "flight_gate_changed": Manners(timedelta(hours=12), urgent=6),
    "flight_cancelled": Manners(timedelta(hours=24), urgent=12),
    "flight_diverted": Manners(timedelta(hours=12), urgent=12),
    "flight_departed": Manners(timedelta(hours=3)),
    "flight_landed": Manners(timedelta(hours=3)),
    "booking_confirmed": Manners(timedelta(hours=12), at_once=True),
    "booking_expired": Manners(timedelta(hours=12)),
    "payment_failed": Manners(timedelta(hours=12), at_once=True),
    "booking_changed": Manners(timedelta(days=2), urgent=12),
    "answer_needed": Manners(timedelta(days=2), urgent=12),
    "refund_succeeded": Manners(timedelta(days=2)),
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


def kind_for_people(event: Row) -> str | None:
    """The kind of message to people that an event asks for, whichever booking it is about, if any."""
    kind = _TO_PEOPLE.get(event["type"])
    late = event["data"].get("delay_minutes", DELAYED_MINUTES) >= DELAYED_MINUTES
    return kind if kind != "flight_delayed" or late else "flight_on_time"


def kind_for_owner(event: Row) -> str | None:
    """The kind of mail to an account's owner that an event asks for. An address that nobody has, has no owner."""
    kind = event["type"].replace(".", "_")
    return kind if kind in ACCOUNT_KINDS and event["data"]["user_id"] else None


def asks_for_answer(kind: str) -> bool:
    """Whether a mail brings a link or a code that is to be sent back."""
    return kind in _CHALLENGES


def category(kind: str) -> Category:
    if kind in BOOKING_KINDS:
        return "bookings"
    return "account" if kind in ("webhook_disabled", *ACCOUNT_KINDS) else "flight_alerts"


def still_true(kind: str, status: str) -> bool:
    return status in _ONLY_WHILE.get(kind, (status,))


def alert_still_true(kind: str, data: Row, flight: Row) -> bool:
    """Whether this is the last that was told of a flight, as its row keeps it; whatever came since makes it old."""
    told = flight["announced_status"] or "scheduled"
    match kind:
        case "flight_delayed" | "flight_on_time":
            return told == "scheduled" and bool(flight["announced_delay_minutes"] == data["delay_minutes"])
        case "flight_gate_changed":
            return told == "scheduled" and bool(flight["announced_gate"] == data["gate"])
    return kind == f"flight_{told}"


def wakes_from(kind: str, data: Row) -> datetime | None:
    """From when on quiet hours do not matter for this: so many hours before the flight in question leaves."""
    urgent = MANNERS[kind].urgent
    departs = data.get("scheduled_departure_at") or data.get("before", {}).get("departs_at")
    if urgent is None or departs is None:
        return None
    return datetime.fromisoformat(departs) - timedelta(hours=urgent)


def alike(kind: str) -> tuple[str, ...]:
    """The kinds of alerts that speak of the same as this one."""
    return _OF_THE_TIME if kind in _OF_THE_TIME else (kind,)


def says(kind: str, data: Row) -> tuple[object, ...]:
    """What an alert tells, so that the same can be known when it comes again."""
    return kind, data.get("delay_minutes"), data.get("gate")
