"""Mails that are to be sent or have been."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

STATES = ("queued", "sending", "sent", "failed")


class Email(Base):
    """One mail to one address because of one event; what it says is written when it is sent.

    `created_at` is when that became true which it tells of. `message_id` never changes, so that a mail which is
    sent again because nobody knows whether it arrived can be told from a second one. `last_error` is a word of
    ours, because a server's words may name the recipient.
    """

    __tablename__ = "emails"
    __table_args__ = (
        UniqueConstraint("event_id", "kind", "recipient"),
        CheckConstraint(f"state IN {STATES}", name="known_state"),
        CheckConstraint("(state = 'sending') = (lease_token IS NOT NULL)", name="leased_while_sending"),
        CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent_at_a_time"),
        Index("ix_emails_due", "next_attempt_at", postgresql_where=text("state IN ('queued', 'sending')")),
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
