"""Bookings, who travels, on what, and everything that happened to them."""

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

STATUSES = ("held", "confirmed", "cancelled", "expired", "completed")


class Booking(Base):
    """A booking and its state. The price, conditions and baggage are those of the day it was made.

    `sequence` counts its events; the timeline and the outbox carry the same numbers.
    """

    __tablename__ = "bookings"
    __table_args__ = (
        CheckConstraint(f"status IN {STATUSES}", name="known_status"),
        CheckConstraint("status <> 'held' OR hold_expires_at IS NOT NULL", name="holds_expire"),
        CheckConstraint("total_minor >= 0", name="price_not_negative"),
        CheckConstraint("pnr ~ '^[BCDFGHJKMNPQRSTVWXYZ2-9]{6}$'", name="pnr_alphabet"),
        Index("ix_bookings_of_user", "user_id", text("id DESC")),
        Index("ix_bookings_due", "hold_expires_at", postgresql_where=text("status = 'held'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    pnr: Mapped[str] = mapped_column(String(6), unique=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str] = mapped_column(String(16))
    total_minor: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    cabin: Mapped[str] = mapped_column(String(16))
    fare_brand: Mapped[str]
    price: Mapped[dict[str, Any]] = mapped_column(JSONB)
    conditions: Mapped[dict[str, Any]] = mapped_column(JSONB)
    baggage: Mapped[dict[str, Any]] = mapped_column(JSONB)
    contact: Mapped[dict[str, Any]] = mapped_column(JSONB)
    hold_expires_at: Mapped[datetime | None]
    sequence: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BookingPassenger(Base):
    """One traveller; `infant_of` is the position of the adult who carries the infant."""

    __tablename__ = "booking_passengers"

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    type: Mapped[str] = mapped_column(String(8))
    title: Mapped[str | None]
    given_name: Mapped[str]
    family_name: Mapped[str]
    born_on: Mapped[date]
    gender: Mapped[str | None]
    infant_of: Mapped[int | None] = mapped_column(SmallInteger)


class BookingSegment(Base):
    """One flight of a booking and the claim on its seats."""

    __tablename__ = "booking_segments"

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    slice_index: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    segment_index: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), index=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("seat_claims.id"), unique=True)
    booking_class: Mapped[str | None] = mapped_column(String(1))


class BookingEvent(Base):
    """One step of a booking's history; rows are only ever added."""

    __tablename__ = "booking_timeline"

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    status: Mapped[str] = mapped_column(String(16))
    data: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
