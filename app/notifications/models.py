"""Mails and pushes that are to be sent or have been, the phones that pushes go to, and what people want to hear."""

import uuid
from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

STATES = ("queued", "sending", "sent", "failed")
PLATFORMS = ("android", "ios", "web")


def _sent_by_lease(table: str) -> tuple[CheckConstraint | Index, ...]:
    """What holds of every table whose rows are sent."""
    return (
        CheckConstraint(f"state IN {STATES}", name="known_state"),
        CheckConstraint("(state = 'sending') = (lease_token IS NOT NULL)", name="leased_while_sending"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at_a_time"),
        Index(f"ix_{table}_due", "next_attempt_at", postgresql_where=text("state IN ('queued', 'sending')")),
    )


class Email(Base):
    """One mail to one address because of one event; what it says is written when it is sent.

    `created_at` is when that became true which it tells of. `message_id` never changes, so that a mail which is
    sent again because nobody knows whether it arrived can be told from a second one. `last_error` is a word of
    ours, because a server's words may name the recipient. `user_id` is whose preferences it follows; a mail to a
    booking's contact follows nobody's. `traceparent` is what its sending follows from, if that is traced.
    """

    __tablename__ = "emails"
    __table_args__ = (
        UniqueConstraint("event_id", "kind", "recipient"),
        *_sent_by_lease("emails"),
        Index("ix_emails_of_booking", text("(data ->> 'pnr')")),
        Index("ix_emails_of_user", "user_id", "kind", postgresql_where=text("user_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[uuid.UUID]
    kind: Mapped[str] = mapped_column(String(32))
    recipient: Mapped[str]
    locale: Mapped[str] = mapped_column(String(2))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    message_id: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str] = mapped_column(String(8), server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    traceparent: Mapped[str | None] = mapped_column(String(55))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))


class Device(Base):
    """A phone or a browser that shows pushes to an account.

    `token` is the push service's name for it, sealed, because whoever has it and our key can write to its screen;
    `token_hash` makes it one device, which is one account's.
    """

    __tablename__ = "devices"
    __table_args__ = (CheckConstraint(f"platform IN {PLATFORMS}", name="known_platform"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    token: Mapped[str]
    platform: Mapped[str] = mapped_column(String(7))
    name: Mapped[str | None]
    locale: Mapped[str | None] = mapped_column(String(35))
    time_zone: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Push(Base):
    """One push to one device because of one event, as `Email` is a mail. With its device it is gone."""

    __tablename__ = "pushes"
    __table_args__ = (
        UniqueConstraint("event_id", "device_id"),
        *_sent_by_lease("pushes"),
        Index("ix_pushes_of_device", "device_id", "kind"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    event_id: Mapped[uuid.UUID]
    device_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    message_id: Mapped[uuid.UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    state: Mapped[str] = mapped_column(String(8), server_default="queued")
    attempts: Mapped[int] = mapped_column(server_default="0")
    next_attempt_at: Mapped[datetime] = mapped_column(server_default=func.now())
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    traceparent: Mapped[str | None] = mapped_column(String(55))


class Preferences(Base):
    """What somebody wants to hear, and when not; an account without a row has said nothing.

    What is NULL follows from what else is known. Quiet hours are clock readings in the person's own zone.
    """

    __tablename__ = "notification_preferences"
    __table_args__ = (
        CheckConstraint("(quiet_from IS NULL) = (quiet_to IS NULL)", name="quiet_hours_begin_and_end"),
        CheckConstraint("quiet_from <> quiet_to", name="quiet_hours_are_not_always"),
    )

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    bookings_push: Mapped[bool | None]
    flight_alerts_push: Mapped[bool | None]
    flight_alerts_email: Mapped[bool | None]
    quiet_from: Mapped[time | None]
    quiet_to: Mapped[time | None]
    time_zone: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
