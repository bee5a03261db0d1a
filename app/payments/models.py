"""Payments, refunds, the ledger, what the card processor told us, and what the daily comparison found."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

PURPOSES = ("purchase", "change", "extras")
STATUSES = ("processing", "requires_action", "authorised", "captured", "failed", "cancelled")
# One at a time: a booking is never charged by two payments that do not know of each other.
_OPEN = "status IN ('processing', 'requires_action', 'authorised')"


class Payment(Base):
    """One attempt to pay. `intent` is the processor's name for it; no card number is ever here.

    `processing` says that the processor may or may not have acted; it is asked again at `next_look_at`.
    `subject_id` is the change or the order of extras that is paid for.
    """

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="known_status"),
        CheckConstraint(f"purpose IN {PURPOSES}", name="known_purpose"),
        CheckConstraint("amount_minor > 0", name="of_something"),
        CheckConstraint(
            "refunded_minor >= 0 AND refunded_minor <= CASE status WHEN 'captured' THEN amount_minor ELSE 0 END",
            name="refunds_within_capture",
        ),
        CheckConstraint("(status = 'captured') = (captured_at IS NOT NULL)", name="captured_at_some_time"),
        Index("uq_payments_open", "booking_id", unique=True, postgresql_where=text(_OPEN)),
        Index(
            "uq_payments_purchase",
            "booking_id",
            unique=True,
            postgresql_where=text("purpose = 'purchase' AND status = 'captured'"),
        ),
        Index("ix_payments_unpaid", "created_at", postgresql_where=text("status <> 'captured'")),
        Index("ix_payments_due", "next_look_at", postgresql_where=text("next_look_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(16), server_default="processing")
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    refunded_minor: Mapped[int] = mapped_column(BigInteger, server_default="0")
    payment_method: Mapped[str]
    intent: Mapped[str | None] = mapped_column(unique=True)
    brand: Mapped[str | None]
    last4: Mapped[str | None] = mapped_column(String(4))
    failure: Mapped[str | None]
    looks: Mapped[int] = mapped_column(server_default="0")
    next_look_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    captured_at: Mapped[datetime | None] = mapped_column(index=True)


class Refund(Base):
    """Money that is owed back against one payment; `due_on` is the last day that the law allows."""

    __tablename__ = "refunds"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'succeeded', 'failed')", name="known_status"),
        CheckConstraint("amount_minor > 0", name="of_something"),
        Index("ix_refunds_due", "next_try_at", postgresql_where=text("next_try_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), index=True)
    payment_id: Mapped[int] = mapped_column(ForeignKey("payments.id"), index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(String(16), server_default="pending")
    reference: Mapped[str | None] = mapped_column(unique=True)
    failure: Mapped[str | None]
    due_on: Mapped[date]
    due_rule: Mapped[str | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    next_try_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    succeeded_at: Mapped[datetime | None]


class LedgerEntry(Base):
    """One movement of money; its lines add up to nothing. `reference` makes it happen once."""

    __tablename__ = "ledger_entries"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), index=True)
    kind: Mapped[str]
    reference: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str] = mapped_column(String(3))
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class LedgerLine(Base):
    """Debits are positive. Rows are only ever added: a trigger refuses everything else."""

    __tablename__ = "ledger_lines"
    __table_args__ = (CheckConstraint("amount_minor <> 0", name="of_something"),)

    entry_id: Mapped[int] = mapped_column(ForeignKey("ledger_entries.id"), primary_key=True)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    account: Mapped[str] = mapped_column(index=True)
    amount_minor: Mapped[int] = mapped_column(BigInteger)


class ProcessorEvent(Base):
    """A message of the card processor, kept once; what it says is asked for, not believed."""

    __tablename__ = "processor_events"

    event_id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    object_id: Mapped[str]
    payment_id: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


class Reconciliation(Base):
    """A day of our books beside the processor's, with every difference."""

    __tablename__ = "reconciliations"

    day: Mapped[date] = mapped_column(primary_key=True)
    charges: Mapped[int]
    refunds: Mapped[int]
    differences: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    checked_at: Mapped[datetime] = mapped_column(server_default=func.now())
