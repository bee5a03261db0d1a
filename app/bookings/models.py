"""Bookings, who travels, on what, and everything that happened to them."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

STATUSES = ("held", "confirmed", "cancelled", "expired", "completed")


class Booking(Base):
    """A booking and its state. The price, conditions and baggage are those of the day it was made.

    `sequence` counts its events; the timeline and the outbox carry the same numbers. `revision` counts what changes
    who flies on what, so that a quote made before is known to be of the past. `terms` keeps what was agreed at
    purchase: the parts of the price, and until when it may be cancelled for nothing.
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
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    hold_expires_at: Mapped[datetime | None]
    hold_prolonged: Mapped[bool] = mapped_column(server_default="false")
    price_stands_until: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(server_default="0")
    sequence: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


# How many bookings there are in each state is the sum of its changes, and no row of it stands for a booking: a trigger
# adds what each transaction does to `bookings`, so that nobody waits for a counter and none can be wrong.
BOOKING_TALLY = Table(
    "booking_tally",
    Base.metadata,
    Column("status", String(16), nullable=False),
    Column("change", BigInteger, nullable=False),
)


class BookingPassenger(Base):
    """One traveller; `infant_of` is the position of the adult who carries the infant.

    The name on the ticket is that of the day it was booked. The number in `document` is sealed.
    """

    __tablename__ = "booking_passengers"
    __table_args__ = (
        CheckConstraint("ticket_name ~ '^[A-Z ]+/[A-Z ]+$'", name="ticket_name_letters"),
        CheckConstraint("length(ticket_name) <= 58", name="ticket_name_length"),
        Index("ix_booking_passengers_documents", "booking_id", postgresql_where=text("document IS NOT NULL")),
    )

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    type: Mapped[str] = mapped_column(String(8))
    title: Mapped[str | None]
    given_name: Mapped[str | None]
    family_name: Mapped[str]
    born_on: Mapped[date]
    gender: Mapped[str | None]
    infant_of: Mapped[int | None] = mapped_column(SmallInteger)
    ticket_name: Mapped[str]
    document: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    loyalty: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    cancelled_at: Mapped[datetime | None]


class BookingService(Base):
    """A special service that a traveller asked for on one flight."""

    __tablename__ = "booking_services"
    __table_args__ = (
        ForeignKeyConstraint(
            ["booking_id", "position"], ["booking_passengers.booking_id", "booking_passengers.position"]
        ),
        CheckConstraint("code ~ '^[A-Z]{4}$'", name="code_of_four_letters"),
    )

    booking_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    code: Mapped[str] = mapped_column(String(4), primary_key=True)
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), primary_key=True, index=True)
    text: Mapped[str | None]


class BookingTrip(Base):
    """Who is on which flight by which booking: an account books a traveller once on a flight.

    `traveller` is a digest of the account, the name on the ticket and the date of birth. The row of a booking
    that has ended stays, and gives way to the next one.
    """

    __tablename__ = "booking_trips"

    flight_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    traveller: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))


class BookingSegment(Base):
    """One flight of a booking and the claim on its seats.

    A change adds slices with new indexes and removes the old ones; until it is paid for, the new ones are pending.
    """

    __tablename__ = "booking_segments"
    __table_args__ = (CheckConstraint("state IN ('pending', 'active', 'removed')", name="known_state"),)

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    slice_index: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    segment_index: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), index=True)
    claim_id: Mapped[int] = mapped_column(ForeignKey("seat_claims.id"), unique=True)
    booking_class: Mapped[str | None] = mapped_column(String(1))
    state: Mapped[str] = mapped_column(String(8), server_default="active")
    removed_by: Mapped[str | None]


class BookingEvent(Base):
    """One step of a booking's history; rows are only ever added."""

    __tablename__ = "booking_timeline"

    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    status: Mapped[str] = mapped_column(String(16))
    data: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class CancellationQuote(Base):
    """What cancelling would give back, good until `expires_at`; only the newest of a booking can be confirmed."""

    __tablename__ = "cancellation_quotes"
    __table_args__ = (
        CheckConstraint("refund_minor >= 0 AND penalty_minor >= 0", name="nothing_negative"),
        Index("ix_cancellation_quotes_newest", "booking_id", text("id DESC")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    revision: Mapped[int]
    positions: Mapped[list[int]] = mapped_column(JSONB)
    slices: Mapped[list[int]] = mapped_column(JSONB)
    reason: Mapped[str]
    refund_minor: Mapped[int] = mapped_column(BigInteger)
    penalty_minor: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    accounts: Mapped[dict[str, int]] = mapped_column(JSONB)
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ChangeQuote(Base):
    """What changing slices would cost, or give back where `due_minor` is negative; the newest can be confirmed."""

    __tablename__ = "change_quotes"
    __table_args__ = (
        CheckConstraint("state IN ('quoted', 'paying', 'done', 'failed')", name="known_state"),
        Index("ix_change_quotes_newest", "booking_id", text("id DESC")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    revision: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), server_default="quoted")
    slices: Mapped[list[int]] = mapped_column(JSONB)
    new_slices: Mapped[list[int]] = mapped_column(JSONB, server_default="[]")
    offer: Mapped[str]
    reason: Mapped[str]
    fee_minor: Mapped[int] = mapped_column(BigInteger)
    difference_minor: Mapped[int] = mapped_column(BigInteger)
    due_minor: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    accounts: Mapped[dict[str, int]] = mapped_column(JSONB)
    parts: Mapped[list[Any]] = mapped_column(JSONB)
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AirlineChange(Base):
    """A change that the airline made and the traveller may answer until `deadline_at`."""

    __tablename__ = "airline_changes"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'accepted', 'rebooked', 'refunded', 'superseded')", name="known_state"
        ),
        Index(
            "uq_airline_changes_open",
            "booking_id",
            "flight_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index("ix_airline_changes_due", "deadline_at", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    public_id: Mapped[uuid.UUID] = mapped_column(server_default=func.gen_random_uuid(), unique=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), index=True)
    slice_index: Mapped[int] = mapped_column(SmallInteger)
    materiality: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    options: Mapped[list[str]] = mapped_column(JSONB)
    advice: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(String(16), server_default="open")
    deadline_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class BookingExtra(Base):
    """A seat or bags for one passenger, priced when ordered; pending until paid for."""

    __tablename__ = "booking_extras"
    __table_args__ = (
        CheckConstraint("kind IN ('seat', 'bag')", name="known_kind"),
        CheckConstraint("state IN ('pending', 'paid', 'cancelled')", name="known_state"),
        CheckConstraint("amount_minor >= 0 AND quantity > 0", name="nothing_negative"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"), index=True)
    order_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(8))
    position: Mapped[int] = mapped_column(SmallInteger)
    slice_index: Mapped[int] = mapped_column(SmallInteger)
    flight_id: Mapped[int | None] = mapped_column(ForeignKey("flights.id"), index=True)
    seat: Mapped[str | None] = mapped_column(String(4))
    quantity: Mapped[int] = mapped_column(SmallInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), server_default="pending")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class GuestLookup(Base):
    """A guest's attempt at a booking; one that has not matched, or not ended, counts as a failure."""

    __tablename__ = "guest_lookups"
    __table_args__ = (
        Index("ix_guest_lookups_address", "address", "at", postgresql_where=text("matched IS NOT TRUE")),
        Index("ix_guest_lookups_pnr", "pnr", "at", postgresql_where=text("matched IS NOT TRUE")),
        Index("ix_guest_lookups_recent", "at", postgresql_where=text("matched IS NOT TRUE")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    address: Mapped[str] = mapped_column(String(64))
    pnr: Mapped[str] = mapped_column(String(20))
    matched: Mapped[bool | None]
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class GuestLink(Base):
    """A link that was asked for, whether or not there was a booking to it."""

    __tablename__ = "guest_links"
    __table_args__ = (
        Index("ix_guest_links_address", "address", "created_at"),
        Index("ix_guest_links_booking", "booking_id", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    booking_id: Mapped[int | None] = mapped_column(ForeignKey("bookings.id"))
    address: Mapped[str] = mapped_column(String(64))
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
