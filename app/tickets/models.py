"""Tickets, their coupons, and where the numbers of both come from."""

from datetime import datetime

from sqlalchemy import (
    CHAR,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.tickets.coupons import COUPONS_A_TICKET, LIVE, STATUSES

KINDS = ("ticket", "emd")


class TicketSequence(Base):
    """The last serial that was given out under an accounting code. A row lock, so numbers are taken late."""

    __tablename__ = "ticket_sequences"
    __table_args__ = (
        CheckConstraint("accounting_code ~ '^[0-9]{3}$'", name="three_digits"),
        CheckConstraint("last_serial BETWEEN 0 AND 9999999999", name="ten_digits"),
    )

    accounting_code: Mapped[str] = mapped_column(CHAR(3), primary_key=True)
    last_serial: Mapped[int] = mapped_column(BigInteger)


class Ticket(Base):
    """A passenger's document. Rows are only added: a trigger refuses changes and removals.

    More than four segments need several tickets: `conjunction_of` is the first number of such a set, null in
    the first itself. `exchanged_for` is the ticket that this one was issued in exchange for.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("number ~ '^[0-9]{13}$'", name="thirteen_digits"),
        CheckConstraint(f"kind IN {KINDS}", name="known_kind"),
        CheckConstraint("conjunction_of < number", name="first_of_a_set_comes_first"),
        UniqueConstraint("booking_id", "position", "number", name="uq_tickets_of_passenger"),
        ForeignKeyConstraint(
            ["booking_id", "position"],
            ["booking_passengers.booking_id", "booking_passengers.position"],
            name="fk_tickets_passenger",
        ),
    )

    number: Mapped[str] = mapped_column(CHAR(13), primary_key=True)
    booking_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(String(8), server_default="ticket")
    conjunction_of: Mapped[str | None] = mapped_column(ForeignKey("tickets.number"))
    exchanged_for: Mapped[str | None] = mapped_column(ForeignKey("tickets.number"))
    ticket_name: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Coupon(Base):
    """One passenger's right to one flight. `coupons.Move` has what may become of it.

    A trigger refuses every other move, removals, and changes of anything but the status; another writes each
    status to `coupon_events`. A sequence number, once given, stays with the coupon, so a flight has each once.
    """

    __tablename__ = "coupons"
    __table_args__ = (
        CheckConstraint(f"number BETWEEN 1 AND {COUPONS_A_TICKET}", name="four_a_ticket"),
        CheckConstraint(f"status IN {STATUSES}", name="known_status"),
        CheckConstraint("check_in_sequence > 0", name="sequence_from_1"),
        CheckConstraint(
            "status NOT IN ('C', 'L') OR check_in_sequence IS NOT NULL", name="checked_in_with_a_sequence"
        ),
        UniqueConstraint("flight_id", "check_in_sequence", name="uq_coupons_sequence_of_flight"),
        Index(
            "uq_coupons_live",
            "booking_id",
            "position",
            "slice_index",
            "segment_index",
            unique=True,
            postgresql_where=text(f"status IN {LIVE}"),
        ),
        ForeignKeyConstraint(
            ["booking_id", "position", "ticket_number"],
            ["tickets.booking_id", "tickets.position", "tickets.number"],
            name="fk_coupons_ticket",
        ),
    )

    ticket_number: Mapped[str] = mapped_column(CHAR(13), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    booking_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(SmallInteger)
    slice_index: Mapped[int] = mapped_column(SmallInteger)
    segment_index: Mapped[int] = mapped_column(SmallInteger)
    # Its index is that of the sequence.
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"))
    status: Mapped[str] = mapped_column(CHAR(1), server_default="O")
    check_in_sequence: Mapped[int | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CouponEvent(Base):
    """One step of a coupon's history, written by a trigger; another refuses changes and removals.

    `before` is null where the coupon was issued.
    """

    __tablename__ = "coupon_events"
    __table_args__ = (
        ForeignKeyConstraint(
            ["ticket_number", "coupon_number"],
            ["coupons.ticket_number", "coupons.number"],
            name="fk_coupon_events_coupon",
        ),
        Index("ix_coupon_events_of_coupon", "ticket_number", "coupon_number", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    ticket_number: Mapped[str] = mapped_column(CHAR(13))
    coupon_number: Mapped[int] = mapped_column(SmallInteger)
    before: Mapped[str | None] = mapped_column(CHAR(1))
    after: Mapped[str] = mapped_column(CHAR(1))
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class CheckInCounter(Base):
    """The last check-in sequence number that was given out on a flight."""

    __tablename__ = "check_in_counters"
    __table_args__ = (CheckConstraint("last_sequence > 0", name="from_1"),)

    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), primary_key=True)
    last_sequence: Mapped[int]
