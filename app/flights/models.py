"""Dated flights, and for each airport and day when its departures were last fetched."""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    Identity,
    Index,
    String,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Flight(Base):
    """One operating flight on one day.

    Timetables are defined in local time, so the clock reading is kept beside the instant that follows from
    it today: when a government moves its clocks, instants are recomputed.
    """

    __tablename__ = "flights"
    __table_args__ = (
        UniqueConstraint("carrier", "number", "departure_date", "origin", name="uq_flights_identity"),
        Index("ix_flights_market", "origin", "destination", "departure_date"),
        CheckConstraint("arrives_at > departs_at", name="arrives_after_departure"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    carrier: Mapped[str] = mapped_column(String(2))
    number: Mapped[str] = mapped_column(String(5))
    departure_date: Mapped[date]
    origin: Mapped[str] = mapped_column(String(3))
    destination: Mapped[str] = mapped_column(String(3))
    departs_local: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    arrives_local: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    departs_at: Mapped[datetime]
    arrives_at: Mapped[datetime]
    status: Mapped[str]
    departure_terminal: Mapped[str | None]
    departure_gate: Mapped[str | None]
    departure_estimated_at: Mapped[datetime | None]
    departure_actual_at: Mapped[datetime | None]
    departure_delay_minutes: Mapped[int | None]
    arrival_terminal: Mapped[str | None]
    arrival_gate: Mapped[str | None]
    arrival_estimated_at: Mapped[datetime | None]
    arrival_actual_at: Mapped[datetime | None]
    arrival_delay_minutes: Mapped[int | None]
    baggage_belt: Mapped[str | None]
    aircraft_type: Mapped[str | None] = mapped_column(String(4))
    aircraft_registration: Mapped[str | None]
    aircraft_icao24: Mapped[str | None] = mapped_column(String(6))
    codeshares: Mapped[list[str]] = mapped_column(ARRAY(String))
    source: Mapped[str]
    observed_at: Mapped[datetime]


class ScheduleBoard(Base):
    """What is known of one airport's departures on one local date.

    A process that wants to fetch takes the lease first, so that all processes together call the provider
    once; a lease outlives a killed process by seconds only.
    """

    __tablename__ = "schedule_boards"

    airport: Mapped[str] = mapped_column(String(3), primary_key=True)
    local_date: Mapped[date] = mapped_column(primary_key=True)
    fetched_at: Mapped[datetime | None]
    fresh_until: Mapped[datetime | None]
    flights: Mapped[int] = mapped_column(default=0, server_default="0")
    failed_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    retry_at: Mapped[datetime | None]
    lease_token: Mapped[uuid.UUID | None]
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
