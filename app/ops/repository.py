"""Signs of life and measurements, written and read; PostgreSQL asked about itself."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from app.bookings.models import STATUSES
from app.core.db import Row, Session, rows
from app.ops.models import Heartbeat


async def note_progress(session: Session, name: str) -> None:
    statement = insert(Heartbeat).values(name=name, at=func.now())
    await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"at": func.now()}))


async def last_progress(session: Session) -> dict[str, datetime]:
    return {row["name"]: row["at"] for row in await rows(session, "SELECT name, at FROM heartbeats")}


async def keep(session: Session, kind: str, counted: dict[str, int]) -> None:
    """Put these measurements in the place of earlier ones of the same names."""
    await rows(
        session,
        """
        INSERT INTO measurements (kind, name, value)
        SELECT :kind, name, value
        FROM unnest(CAST(:names AS text[]), CAST(:values AS bigint[])) AS counted(name, value)
        ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, at = now()
        """,
        kind=kind,
        names=list(counted),
        values=list(counted.values()),
    )


async def measurements(session: Session) -> list[Row]:
    return await rows(
        session, "SELECT kind, name, value, CAST(extract(epoch FROM at) AS float8) AS at FROM measurements"
    )


async def be_brief(session: Session, milliseconds: int) -> None:
    """Let no statement of this transaction take longer."""
    await rows(
        session, "SELECT set_config('statement_timeout', CAST(:most AS text), true)", most=str(milliseconds)
    )


async def broken(session: Session, invariant: str, most: int) -> tuple[int, str]:
    """How many things break it, as far as they are counted, and one of them."""
    [found] = await rows(
        session,
        f"""
        SELECT count(*) AS things, coalesce(min(CAST(what AS text)), '') AS one
        FROM ({invariant} LIMIT :most) AS broken(what)
        """,
        most=most,
    )
    return int(found["things"]), str(found["one"])


async def fold_tally(session: Session, most: int) -> int:
    """Make few rows of so many changes of the tally, which sums up to the same for whoever reads it meanwhile."""
    [found] = await rows(
        session,
        """
        WITH gone AS (
            DELETE FROM booking_tally
            WHERE ctid = ANY(ARRAY(SELECT ctid FROM booking_tally LIMIT :most)) RETURNING status, change),
        kept AS (
            INSERT INTO booking_tally (status, change)
            SELECT status, sum(change) FROM gone GROUP BY status HAVING sum(change) <> 0)
        SELECT count(*) AS changes FROM gone
        """,
        most=most,
    )
    return int(found["changes"])


async def bookings_by_status(session: Session) -> dict[str, int]:
    """How many there are in each state; none of them is read."""
    found = await rows(
        session,
        "SELECT status, CAST(sum(change) AS bigint) AS bookings FROM booking_tally GROUP BY status",
    )
    return dict.fromkeys(STATUSES, 0) | {row["status"]: row["bookings"] for row in found}


async def seats_held(session: Session) -> int:
    """By the claims that hold them, which an index has together; each minute they are compared with the flights'."""
    [found] = await rows(
        session,
        """
        SELECT CAST(coalesce(sum(seats), 0) AS bigint) AS seats FROM seat_claims
        WHERE released_at IS NULL AND expires_at IS NOT NULL
        """,
    )
    return int(found["seats"])


async def postgres(session: Session) -> Row:
    """PostgreSQL's own counters and states, as far as an ordinary user may see them, in one look."""
    [found] = await rows(
        session,
        """
        SELECT s.xact_commit AS committed, s.xact_rollback AS rolled_back, s.deadlocks,
               s.blks_hit AS from_memory, s.blks_read AS from_disk, pg_database_size(s.datname) AS bytes,
               CAST(current_setting('max_connections') AS int) AS most,
               coalesce((SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) FROM pg_stat_activity
                         WHERE datname = s.datname AND pid <> pg_backend_pid()), 0) AS longest,
               (SELECT count(*) FROM pg_locks WHERE NOT granted) AS waiting
        FROM pg_stat_database s WHERE s.datname = current_database()
        """,
    )
    return found


async def connections(session: Session) -> dict[str, int]:
    """How many there are to our database in each state."""
    found = await rows(
        session,
        """
        SELECT coalesce(state, 'unknown') AS state, count(*) AS connections FROM pg_stat_activity
        WHERE datname = current_database() GROUP BY 1
        """,
    )
    return {row["state"]: row["connections"] for row in found}
