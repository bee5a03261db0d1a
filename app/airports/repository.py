"""Reading and filling the airports table."""

from collections.abc import Iterable

import orjson
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from app.airports.models import Airport
from app.core.db import Row, Session, rows

_SEEDING = 7_001  # Advisory lock: one process fills the empty table, the others wait for it.


async def every(session: Session) -> list[Row]:
    return await rows(session, "SELECT * FROM airports ORDER BY iata")


async def stamp(session: Session) -> Row:
    """Differs whenever a row was added, changed or removed, in whatever order transactions ended."""
    [found] = await rows(
        session, "SELECT count(*) AS rows, sum(extract(epoch FROM updated_at)) AS changes FROM airports"
    )
    return found


async def any_airport(session: Session) -> bool:
    return bool(await rows(session, "SELECT 1 AS one FROM airports LIMIT 1"))


async def regroup(session: Session, cities: dict[str, str]) -> None:
    """Give packaged airports the codes of their metropolitan areas: airport → city."""
    await rows(
        session,
        """
        UPDATE airports a SET city_code = c.city_code, updated_at = now()
        FROM unnest(CAST(:airports AS text[]), CAST(:cities AS text[])) c(iata, city_code)
        WHERE a.iata = c.iata AND a.source = 'packaged' AND a.city_code <> c.city_code
        """,
        airports=list(cities),
        cities=list(cities.values()),
    )


async def add_missing(session: Session, airports: Iterable[Row]) -> None:
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SEEDING})
    await session.execute(insert(Airport).on_conflict_do_nothing(), list(airports))


async def every_locked(session: Session) -> list[Row]:
    """Every row; until the end of the transaction others may read the table and not write it."""
    await rows(session, "LOCK TABLE airports IN SHARE ROW EXCLUSIVE MODE")
    return await rows(session, "SELECT * FROM airports ORDER BY iata")


async def put(session: Session, airports: list[Row]) -> None:
    """Add these airports, or make their rows so; other processes see by `updated_at` that they changed."""
    await rows(
        session,
        """
        INSERT INTO airports (iata, icao, name, city, country, latitude, longitude, elevation_m, time_zone,
                              city_code, source, updated_at)
        SELECT a.*, now() FROM jsonb_to_recordset(CAST(:airports AS jsonb)) AS a(
            iata text, icao text, name text, city text, country text, latitude double precision,
            longitude double precision, elevation_m int, time_zone text, city_code text, source text)
        ON CONFLICT (iata) DO UPDATE SET
            icao = excluded.icao, name = excluded.name, city = excluded.city, country = excluded.country,
            latitude = excluded.latitude, longitude = excluded.longitude, elevation_m = excluded.elevation_m,
            time_zone = excluded.time_zone, city_code = excluded.city_code, source = excluded.source,
            updated_at = excluded.updated_at
        """,
        airports=orjson.dumps(airports).decode(),
    )
