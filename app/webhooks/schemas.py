"""What crosses the wire about webhooks."""

from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from app.core.shapes import Instant, Strict
from app.core.text import line, without_card_number

# What is told of, and to whom: bookings and payments to their account, flights to who is booked on or follows them,
# `webhook.disabled` to the other subscriptions of its owner.
EventName = Literal[
    "booking.held",
    "booking.confirmed",
    "booking.cancelled",
    "booking.expired",
    "booking.changed",
    "booking.completed",
    "payment.succeeded",
    "payment.failed",
    "payment.refunded",
    "flight.delayed",
    "flight.cancelled",
    "flight.gate_changed",
    "flight.departed",
    "flight.landed",
    "flight.diverted",
    "webhook.disabled",
    "webhook.test",
]
EVENTS: frozenset[str] = frozenset(get_args(EventName))
TEST = "webhook.test"

State = Literal["pending", "sending", "delivered", "exhausted", "cancelled"]
Ended = Literal["delivered", "exhausted", "cancelled"]


def _each_once(events: list[str]) -> list[str]:
    return ["*"] if "*" in events else list(dict.fromkeys(events))


Url = Annotated[str, Field(min_length=1, max_length=2048, examples=["https://example.com/hooks/jetway"])]
Events = Annotated[
    list[Literal["*", EventName]],
    Field(
        min_length=1, max_length=40, description='`["*"]` is every event, also those that are yet to come.'
    ),
    AfterValidator(_each_once),
]
Bookings = Annotated[
    list[Annotated[str, StringConstraints(to_upper=True, pattern="^[A-Za-z0-9]{6}$")]],
    Field(
        min_length=1,
        max_length=100,
        description="Only events of these bookings of yours, and of their flights.",
    ),
]
Description = Annotated[str, Field(max_length=200), AfterValidator(line), AfterValidator(without_card_number)]


class SubscriptionIn(Strict):
    url: Url
    events: Events = Field(examples=[["booking.confirmed", "flight.delayed"]])
    bookings: Bookings | None = Field(default=None, examples=[None])
    description: Description | None = None


class SubscriptionPatch(Strict):
    """What is not named stays. `active` also brings back one that was disabled."""

    url: Url | None = None
    events: Events | None = None
    bookings: Bookings | None = None
    description: Description | None = None
    status: Literal["active", "paused"] | None = None


class SubscriptionOut(BaseModel):
    id: str = Field(examples=["whs_7c0a4e5b1d6f4a2f9be4f7a1c2d3e4f5"])
    url: str
    events: list[str]
    bookings: list[str] | None
    description: str | None
    status: str = Field(description="`active`, `paused` (deliveries wait) or `disabled` (nothing is sent).")
    disabled_reason: str | None = Field(
        description="`gone`: it answered 410. `failing`: it failed for too long."
    )
    failing_since: str | None = Field(description="Since when no attempt has succeeded.")
    live_secrets: int = Field(description="How many signatures a delivery carries now.")
    created_at: str
    updated_at: str


class SubscriptionWithSecret(SubscriptionOut):
    secret: str = Field(
        description="Shown once.", examples=["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
    )


class SubscriptionList(BaseModel):
    data: list[SubscriptionOut]
    next_cursor: str | None


class TestIn(Strict):
    __test__ = False

    subscription_id: str = Field(max_length=60)


class ReplayIn(Strict):
    """Which deliveries begin anew, the oldest first."""

    since: Instant
    until: Instant | None = None
    states: list[Ended] = Field(default=["exhausted", "cancelled"], min_length=1, max_length=3)
    events: list[EventName] | None = Field(default=None, min_length=1, max_length=40)


class ReplayOut(BaseModel):
    replayed: int = Field(description="How many deliveries are due now.")
    complete: bool = Field(description="False where there are more than one call takes: call again.")


class EventOut(BaseModel):
    """What a delivery brings."""

    id: str = Field(examples=["evt_27bed20bdaf442a483eba7c1c4d280b2"])
    type: EventName
    created_at: str = Field(examples=["2026-11-26T14:55:57Z"])
    sequence: int = Field(description="Counts the events of a booking, or of a flight, from 1.", examples=[4])
    data: dict[str, Any] = Field(
        examples=[{"pnr": "K7QX2M", "status": "confirmed", "total": {"amount": "412.50", "currency": "EUR"}}]
    )


class DeliveryOut(BaseModel):
    id: str = Field(examples=["whd_1f0a4e5b1d6f4a2f9be4f7a1c2d3e4f5"])
    subscription_id: str
    event_id: str = Field(description="`webhook-id` of every attempt.")
    event_type: str
    state: State
    attempts: int = Field(description="Scheduled attempts that were made.")
    next_attempt_at: str | None
    last_status: int | None
    last_error: str | None
    created_at: str
    delivered_at: str | None


class AttemptOut(BaseModel):
    number: int
    url: str | None
    sent_at: str
    duration_ms: int | None
    request_headers: dict[str, str]
    status: int | None
    error: str | None = Field(
        description="`status`, `redirect`, `gone`, `timeout`, `connection`, `tls`, `dns`, `protocol`, `blocked` or "
        "`worker_lost`, of which nobody knows whether it arrived."
    )
    response_excerpt: str | None = Field(description="The first 1,024 bytes of the answer.")


class DeliveryDetails(DeliveryOut):
    request_body: str = Field(description="The bytes that are signed, the same at every attempt.")
    attempt_history: list[AttemptOut]


class DeliveryList(BaseModel):
    data: list[DeliveryOut]
    next_cursor: str | None


class TestVector(BaseModel):
    """A delivery with its secrets, to try a verifier on."""

    __test__ = False

    secrets: list[str]
    headers: dict[str, str]
    body: str
    expected: dict[str, Any]
