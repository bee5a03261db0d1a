"""Who wants to be told, what they are told, and how each attempt to tell them went.

What grows with time is partitioned by the month of the event, so that a month that nobody needs any more goes as a
whole, and an event is found in one partition of each table.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

STATUSES = ("active", "paused", "disabled", "deleted")
STATES = ("pending", "sending", "delivered", "exhausted", "cancelled")


class WebhookSubscription(Base):
    """An address that somebody wants told of what happens to their bookings and flights.

    `bookings` narrows it to some of them. `secrets` holds `{"sealed", "retires_at"}`, the newest first. The time
    since which every attempt has failed is `failing_since`. A deleted one stays for the sake of what it was sent.
    """

    __tablename__ = "webhook_subscriptions"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="known_status"),
        CheckConstraint(
            "(status = 'disabled') = (disabled_reason IS NOT NULL)", name="disabled_for_a_reason"
        ),
        CheckConstraint("cardinality(events) > 0", name="listens_to_something"),
        CheckConstraint(
            "(status = 'deleted') = (jsonb_array_length(secrets) = 0)", name="secret_while_it_lives"
        ),
        Index("ix_webhook_subscriptions_of_user", "user_id", postgresql_where=text("status <> 'deleted'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(String))
    bookings: Mapped[list[str] | None] = mapped_column(ARRAY(String))
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(String(8), server_default="active")
    disabled_reason: Mapped[str | None] = mapped_column(String(16))
    secrets: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    failing_since: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class WebhookMessage(Base):
    """The bytes that tell of an event, kept because they must be the same at every attempt to every receiver.

    `traceparent` is what attempts follow from, if that is traced.
    """

    __tablename__ = "webhook_messages"
    __table_args__ = {"postgresql_partition_by": "RANGE (event_at)"}  # noqa: RUF012  SQLAlchemy wants a plain dict.

    event_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_at: Mapped[datetime] = mapped_column(primary_key=True)
    type: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    traceparent: Mapped[str | None] = mapped_column(String(55))


class WebhookDelivery(Base):
    """One event on its way to one subscription.

    `attempts` counts what the schedule has used up, `tries` every attempt there was, those asked for by hand too.
    While it is being sent it is leased: only who holds the token may write how it went.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "subscription_id", "event_at"),
        CheckConstraint(f"state IN {STATES}", name="known_state"),
        CheckConstraint("(state = 'sending') = (lease_token IS NOT NULL)", name="leased_while_sending"),
        CheckConstraint("state <> 'delivered' OR delivered_at IS NOT NULL", name="delivered_at_a_time"),
        CheckConstraint("attempts BETWEEN 0 AND tries", name="attempts_are_tries"),
        Index(
            "ix_webhook_deliveries_due",
            "subscription_id",
            "next_attempt_at",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_webhook_deliveries_leased", "lease_until", postgresql_where=text("state = 'sending'")),
        Index("ix_webhook_deliveries_listed", "subscription_id", text("event_at DESC"), text("id DESC")),
        {"postgresql_partition_by": "RANGE (event_at)"},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    event_at: Mapped[datetime] = mapped_column(primary_key=True)
    event_id: Mapped[uuid.UUID]
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("webhook_subscriptions.id"))
    type: Mapped[str]
    state: Mapped[str] = mapped_column(String(9), server_default="pending")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    tries: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    last_status: Mapped[int | None] = mapped_column(SmallInteger)
    last_error: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    delivered_at: Mapped[datetime | None]


class WebhookAttempt(Base):
    """How one attempt went: what was sent where and when, and the beginning of what came back."""

    __tablename__ = "webhook_attempts"
    __table_args__ = (
        CheckConstraint("status IS NOT NULL OR error IS NOT NULL", name="answer_or_error"),
        # Rows come in the order of time, so that some bytes for every megabyte tell where the newest are.
        Index(
            "ix_webhook_attempts_sent_at",
            "sent_at",
            postgresql_using="brin",
            postgresql_with={"autosummarize": True},
        ),
        {"postgresql_partition_by": "RANGE (event_at)"},
    )

    delivery_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    event_at: Mapped[datetime] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str | None]
    sent_at: Mapped[datetime]
    signature: Mapped[str | None]
    milliseconds: Mapped[int | None]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    error: Mapped[str | None] = mapped_column(String(16))
    excerpt: Mapped[bytes | None] = mapped_column(LargeBinary)
