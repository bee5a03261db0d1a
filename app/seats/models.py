"""Which passenger sits where on a flight."""

from datetime import datetime

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
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base

_KEPT = text("released_at IS NULL")


class SeatAssignment(Base):
    """A seat that a passenger of a claim has; `position` is the passenger's index in the booking.

    It counts while its claim does: when the claim is released or runs out, the seat is free, though `released_at`
    is only set by whoever takes it next. `infant_block` names the seats between two aisles, such as `12DEF`, where
    the passenger carries an infant: there is one spare oxygen mask in each.
    """

    __tablename__ = "seat_assignments"
    __table_args__ = (
        CheckConstraint("seat ~ '^[1-9][0-9]{0,2}[A-HJ-Z]$'", name="seat_shape"),
        CheckConstraint("position >= 0", name="position_not_negative"),
        Index("uq_seat_assignments_seat", "flight_id", "seat", unique=True, postgresql_where=_KEPT),
        Index("uq_seat_assignments_passenger", "claim_id", "position", unique=True, postgresql_where=_KEPT),
        Index(
            "uq_seat_assignments_infant",
            "flight_id",
            "infant_block",
            unique=True,
            postgresql_where=text("released_at IS NULL AND infant_block IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), index=True)
    seat: Mapped[str] = mapped_column(String(4))
    claim_id: Mapped[int] = mapped_column(ForeignKey("seat_claims.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    infant_block: Mapped[str | None] = mapped_column(String(8))
    assigned_at: Mapped[datetime] = mapped_column(server_default=func.now())
    released_at: Mapped[datetime | None]
