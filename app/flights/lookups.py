"""Flights by what is heard of them: an address, a callsign, a number under which they are sold."""

from datetime import date, datetime, timedelta

from app.core.db import Row, Session, rows

_ABOUT = """
    SELECT id, carrier, number, departure_date, origin, destination, departs_at, arrives_at, status, missed,
           departure_estimated_at, departure_actual_at, arrival_estimated_at, arrival_actual_at, aircraft_icao24
    FROM flights
"""


async def heard(
    session: Session, icao24s: list[str], carriers: list[str], numbers: list[str], at: datetime
) -> list[Row]:
    """Flights that may be in the air at a moment, flown by one of these aircraft or under one of these numbers."""
    return await rows(
        session,
        f"""
        {_ABOUT}
        WHERE departs_at BETWEEN CAST(:at AS timestamptz) - interval '30 hours'
                             AND CAST(:at AS timestamptz) + interval '2 hours'
          AND id IN (
            SELECT id FROM flights
            WHERE aircraft_icao24 = ANY(CAST(:icao24s AS text[])) AND departure_date BETWEEN :first AND :last
            UNION
            SELECT f.id FROM unnest(CAST(:carriers AS text[]), CAST(:numbers AS text[])) AS called (carrier, number)
            JOIN flights f ON f.carrier = called.carrier AND f.number = called.number
                          AND f.departure_date BETWEEN :first AND :last)
        """,
        icao24s=icao24s,
        carriers=carriers,
        numbers=numbers,
        at=at,
        first=at.date() - timedelta(days=2),
        last=at.date() + timedelta(days=1),
    )


async def by_number(
    session: Session, carriers: list[str], numbers: list[str], first: date, last: date
) -> list[Row]:
    """The dated flights under one of these numbers, by local departure date."""
    return await rows(
        session,
        f"""
        {_ABOUT}
        WHERE carrier = ANY(CAST(:carriers AS text[])) AND number = ANY(CAST(:numbers AS text[]))
          AND departure_date BETWEEN :first AND :last
        """,
        carriers=carriers,
        numbers=numbers,
        first=first,
        last=last,
    )


async def sold_as(session: Session, flight_number: str, first: date, last: date) -> list[Row]:
    """The dated flights that a marketing carrier sells under this number."""
    return await rows(
        session,
        f"""
        {_ABOUT}
        WHERE codeshares @> ARRAY[CAST(:flight_number AS varchar)] AND departure_date BETWEEN :first AND :last
        """,
        flight_number=flight_number,
        first=first,
        last=last,
    )


async def by_aircraft(session: Session, icao24: str, first: date, last: date) -> list[Row]:
    """The dated flights of one aircraft."""
    return await rows(
        session,
        f"{_ABOUT} WHERE aircraft_icao24 = :icao24 AND departure_date BETWEEN :first AND :last",
        icao24=icao24,
        first=first,
        last=last,
    )
