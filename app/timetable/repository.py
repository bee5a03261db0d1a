"""Every question to the flights of a date and to what has changed them."""

from datetime import date

from app.core.db import Session, patience, raised_as_by_sqlalchemy, rows

# Nobody's request runs so long; a day is read in a fraction of it even on a busy machine.
_BUILD_SECONDS = 60

# A text as so many bytes of UTF-8, with zeros behind: every row has one width, so that it can be read in place.
_FIXED = "substring(convert_to(coalesce({}, ''), 'UTF8') || CAST('\\x' || repeat('00', {}) AS bytea) FROM 1 FOR {})"

WIDTHS = {
    "carrier": 8,
    "origin": 12,
    "destination": 12,
    "departure_terminal": 24,
    "arrival_terminal": 24,
    "aircraft_type": 16,
}
"""How many bytes the codes of a flight take: four for each character that is read of them."""


async def versions(session: Session, days: list[date]) -> dict[date, str]:
    """What tells that a date's flights are others; dates of which nothing was ever known are left out.

    Numbers are drawn in one order and committed in another, so the last of them alone would hide a slow writer.
    A database that was made anew counts from one again, so it is named too.
    """
    found = await rows(
        session,
        """
        SELECT day, concat(
            count(*), ':', max(id), ':', (SELECT system_identifier FROM pg_control_system()), '.',
            CAST('timetable_changes'::regclass AS oid)) AS version
        FROM timetable_changes WHERE day = ANY(CAST(:days AS date[])) GROUP BY day
        """,
        days=days,
    )
    return {row["day"]: row["version"] for row in found}


async def begin_reading(session: Session) -> None:
    """Let all that follows in this transaction see the database as it is at one moment."""
    await rows(session, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    await rows(session, f"SET LOCAL statement_timeout = '{_BUILD_SECONDS}s'")


async def flights(session: Session, day: date) -> bytearray:
    """The flights in the timetable of a date, as PostgreSQL's binary copy sends them, all rows of one width."""
    codes = ", ".join(_FIXED.format(name, width, width) for name, width in WIDTHS.items())
    read = bytearray()

    async def keep(part: bytes) -> None:
        read.extend(part)

    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert driver is not None  # noqa: S101
    with raised_as_by_sqlalchemy(driver):
        await driver.copy_from_query(
            f"""
            SELECT id, departs_at, arrives_at, departs_local, arrives_local, {codes}
            FROM flights WHERE departure_date = $1 AND status = 'scheduled' AND missed < 2
            """,
            day,
            output=keep,
            format="binary",
            timeout=patience(_BUILD_SECONDS),
        )
    return read


async def compact(session: Session, before: date) -> None:
    """Forget what happened to dates before one, and make one row of the many of a date; its version changes once.

    Versions must never repeat, so it is done while nobody writes; where somebody does, it is left to the next
    time. Whoever wants to write meanwhile waits for a moment.
    """
    await rows(session, "DELETE FROM timetable_changes WHERE day < CAST(:before AS date)", before=before)
    await rows(
        session,
        """
        DO $$ BEGIN
            SET LOCAL lock_timeout = '100ms';
            LOCK TABLE timetable_changes IN SHARE ROW EXCLUSIVE MODE;
            WITH many AS (SELECT day FROM timetable_changes GROUP BY day HAVING count(*) > 500),
                 merged AS (DELETE FROM timetable_changes WHERE day IN (SELECT day FROM many))
            INSERT INTO timetable_changes (day) SELECT day FROM many;
        EXCEPTION WHEN lock_not_available THEN NULL;
        END $$
        """,
    )
