"""Dated flights, and for each airport and day when its departures were last fetched."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base


class Flight(Base):
    """One operating flight on one day.

    Timetables are defined in local time, so the clock reading is kept beside the instant that follows from
    it today: when a government moves its clocks, instants are recomputed.

    `schedule_source` says whose schedule it is: `import` (an operator's file), `projection` (the pattern of
    other weeks), or a provider's name. `missed` counts the complete boards in a row that did not list it.
    The `announced_*` columns are what was last told to the world, `pending` what awaits a second look.
    """

    __tablename__ = "flights"
    __table_args__ = (
        UniqueConstraint("carrier", "number", "departure_date", "origin", name="uq_flights_identity"),
        Index("ix_flights_board", "origin", "departure_date", "destination"),
        Index("ix_flights_departure_date", "departure_date"),
        Index(
            "ix_flights_aircraft",
            "aircraft_icao24",
            "departure_date",
            postgresql_where=text("aircraft_icao24 IS NOT NULL"),
        ),
        Index("ix_flights_codeshares", "codeshares", postgresql_using="gin"),
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
    schedule_source: Mapped[str] = mapped_column(server_default="aviationstack")
    missed: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    announced_status: Mapped[str | None]
    announced_delay_minutes: Mapped[int] = mapped_column(server_default="0")
    announced_gate: Mapped[str | None]
    pending: Mapped[list[str]] = mapped_column(ARRAY(String), server_default="{}")
    event_sequence: Mapped[int] = mapped_column(server_default="0")
    next_look_at: Mapped[datetime | None]


class ScheduleBoard(Base):
    """What is known of one airport's departures on one local date.

    A process that wants to fetch takes the lease first, so that all processes together call the provider
    once; a lease outlives a killed process by seconds only. `next_offset` is where a fetch of many pages
    goes on after an interruption; `wanted_at` is when a search last needed the board.
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
    wanted_at: Mapped[datetime | None]
    next_offset: Mapped[int] = mapped_column(server_default="0")
    pass_started_at: Mapped[datetime | None]
    source: Mapped[str | None]


class FlightChange(Base):
    """A change of a flight's schedule, kept until the bookings that it touches have been told.

    `before` and `after` hold the instants and places that differ; `materiality` is its class.
    """

    __tablename__ = "flight_changes"
    __table_args__ = (Index("ix_flight_changes_waiting", "id", postgresql_where=text("applied_at IS NULL")),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), index=True)
    materiality: Mapped[str] = mapped_column(String(16))
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    applied_at: Mapped[datetime | None]


class FlightFollow(Base):
    """Somebody who wants to hear of a flight, whether they are booked on it or not."""

    __tablename__ = "flight_follows"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    flight_id: Mapped[int] = mapped_column(ForeignKey("flights.id"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ZoneRules(Base):
    """What a time zone's rules were when instants were last computed from them."""

    __tablename__ = "zone_rules"

    time_zone: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    checked_at: Mapped[datetime] = mapped_column(server_default=func.now())
