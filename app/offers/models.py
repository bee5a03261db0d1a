"""Seats: what an aircraft has, what is taken on a flight, and by which claim."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class AircraftCabin(Base):
    """Seats for sale in a cabin of an aircraft type. Operators edit it; `*` stands for unknown types."""

    __tablename__ = "aircraft_cabins"
    __table_args__ = (CheckConstraint("seats > 0", name="has_seats"),)

    aircraft_type: Mapped[str] = mapped_column(String(4), primary_key=True)
    cabin: Mapped[str] = mapped_column(String(16), primary_key=True)
    seats: Mapped[int]


class Inventory(Base):
    """The seats of one cabin of one flight, counted. The row appears with the first claim.

    Nothing sells a seat but a conditional update of this row; the CHECK stands behind it.
    """

    __tablename__ = "inventory"
    __table_args__ = (
        CheckConstraint("held >= 0 AND sold >= 0 AND held + sold <= capacity", name="never_oversold"),
    )

    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), primary_key=True)
    cabin: Mapped[str] = mapped_column(String(16), primary_key=True)
    capacity: Mapped[int]
    held: Mapped[int] = mapped_column(server_default="0")
    sold: Mapped[int] = mapped_column(server_default="0")


class SeatClaim(Base):
    """Seats that somebody holds until `expires_at`, or has bought where that is null."""

    __tablename__ = "seat_claims"
    __table_args__ = (
        CheckConstraint("seats > 0", name="has_seats"),
        Index(
            "ix_seat_claims_expiring",
            "flight_id",
            "cabin",
            "expires_at",
            postgresql_where=text("released_at IS NULL AND expires_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), index=True)
    cabin: Mapped[str] = mapped_column(String(16))
    seats: Mapped[int]
    expires_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
