"""Flights put straight into the database, on dates that no other test knows."""

from datetime import date, datetime, timedelta
from typing import Any

from app.timetable.day import EPOCH

CARRIER = "7K"


async def put(sql: Any, day: date, number: int, **more: Any) -> int:
    """A flight of two hours at nine, or whatever else is said of it; gives its id."""
    departs = datetime.combine(day, datetime.min.time(), EPOCH.tzinfo) + timedelta(hours=9)
    facts: dict[str, Any] = {
        "origin": "TOS",
        "destination": "BGO",
        "departs_at": departs,
        "arrives_at": departs + timedelta(hours=2),
        "departs_local": departs.replace(tzinfo=None),
        "arrives_local": departs.replace(tzinfo=None) + timedelta(hours=2),
        "status": "scheduled",
        "missed": 0,
        "departure_terminal": None,
        "arrival_terminal": None,
        "aircraft_type": None,
    }
    [made] = await sql(
        """
        INSERT INTO flights (carrier, number, departure_date, origin, destination, departs_local, arrives_local,
                             departs_at, arrives_at, status, missed, departure_terminal, arrival_terminal,
                             aircraft_type, codeshares, source, observed_at)
        VALUES (:carrier, :number, :day, :origin, :destination, :departs_local, :arrives_local, :departs_at,
                :arrives_at, :status, :missed, :departure_terminal, :arrival_terminal, :aircraft_type, '{}', 'test',
                now())
        RETURNING id
        """,
        carrier=CARRIER,
        number=str(number),
        day=day,
        **facts | more,
    )
    return int(made["id"])


async def clear(sql: Any, day: date) -> None:
    await sql(
        "DELETE FROM flights WHERE carrier = :carrier AND departure_date = :day", carrier=CARRIER, day=day
    )
