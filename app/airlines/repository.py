"""Every question to the airlines table."""

import orjson

from app.core.db import Row, Session, rows


async def every(session: Session) -> list[Row]:
    return await rows(session, "SELECT * FROM airlines ORDER BY iata")


async def stamp(session: Session) -> Row:
    """Differs whenever a row was added, changed or removed, in whatever order transactions ended."""
    [found] = await rows(
        session, "SELECT count(*) AS rows, sum(extract(epoch FROM updated_at)) AS changes FROM airlines"
    )
    return found


async def known(session: Session) -> set[str]:
    return {row["iata"] for row in await rows(session, "SELECT iata FROM airlines")}


async def add(session: Session, airlines: list[Row]) -> None:
    """Add those that nobody has added meanwhile."""
    await rows(
        session,
        """
        INSERT INTO airlines (iata, icao, name, callsign, country, active, accounting_code, source)
        SELECT a.* FROM jsonb_to_recordset(CAST(:airlines AS jsonb)) AS a(
            iata text, icao text, name text, callsign text, country text, active bool, accounting_code text,
            source text)
        ORDER BY iata
        ON CONFLICT (iata) DO NOTHING
        """,
        airlines=orjson.dumps(airlines).decode(),
    )


async def every_locked(session: Session) -> list[Row]:
    """Every row; until the end of the transaction others may read the table and not write it."""
    await rows(session, "LOCK TABLE airlines IN SHARE ROW EXCLUSIVE MODE")
    return await rows(session, "SELECT * FROM airlines ORDER BY iata")


async def put(session: Session, airlines: list[Row]) -> None:
    """Add these airlines, or make their rows so; other processes see by `updated_at` that they changed."""
    await rows(
        session,
        """
        INSERT INTO airlines (iata, icao, name, callsign, country, active, accounting_code, source, updated_at)
        SELECT a.*, now() FROM jsonb_to_recordset(CAST(:airlines AS jsonb)) AS a(
            iata text, icao text, name text, callsign text, country text, active bool, accounting_code text,
            source text)
        ON CONFLICT (iata) DO UPDATE SET
            icao = excluded.icao, name = excluded.name, callsign = excluded.callsign, country = excluded.country,
            active = excluded.active, accounting_code = excluded.accounting_code, source = excluded.source,
            updated_at = excluded.updated_at
        """,
        airlines=orjson.dumps(airlines).decode(),
    )
