"""Every question to jobs."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.db import Row, Session, rows

# Classes of SQLSTATE: connection, rollback, resources, locks and timeouts, an operator's doing.
_PASSING = ("08", "40", "53", "55", "57")


def is_passing(error: Exception) -> bool:
    """Whether the same work may well succeed a moment later: the database, not the job, is at fault."""
    if isinstance(error, OSError | PoolTimeout | InterfaceError | OperationalError):
        return True
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return (state or "").startswith(_PASSING)


async def add(
    session: Session, kind: str, arguments: Row, requested_by: uuid.UUID | None, only_one: str | None
) -> Row | None:
    """A new job, or None while there is a live one that may not have company."""
    added = await rows(
        session,
        """
        INSERT INTO jobs (kind, arguments, requested_by, only_one)
        VALUES (:kind, CAST(:arguments AS jsonb), :requested_by, :only_one)
        ON CONFLICT (only_one) WHERE status IN ('queued', 'running') DO NOTHING
        RETURNING *
        """,
        kind=kind,
        arguments=_json(arguments),
        requested_by=requested_by,
        only_one=only_one,
    )
    return added[0] if added else None


async def live(session: Session, only_one: str) -> Row | None:
    found = await rows(
        session,
        "SELECT * FROM jobs WHERE only_one = :only_one AND status IN ('queued', 'running')",
        only_one=only_one,
    )
    return found[0] if found else None


async def one(session: Session, job_id: uuid.UUID) -> Row | None:
    found = await rows(session, "SELECT * FROM jobs WHERE id = :id", id=job_id)
    return found[0] if found else None


async def page(session: Session, before: datetime | None, size: int) -> Sequence[Row]:
    """Newest first."""
    return await rows(
        session,
        f"""
        SELECT * FROM jobs {"WHERE created_at < :before" if before else ""}
        ORDER BY created_at DESC, id LIMIT :size
        """,
        size=size,
        **({"before": before} if before else {}),
    )


async def refusals(session: Session, job_id: uuid.UUID, after: int, size: int) -> Sequence[Row]:
    return await rows(
        session,
        """
        SELECT line, code, message FROM job_refusals
        WHERE job_id = :id AND line > :after ORDER BY line LIMIT :size
        """,
        id=job_id,
        after=after,
        size=size,
    )


async def last_result(session: Session, kind: str) -> Row | None:
    """What the last job of this kind came to that went well."""
    found = await rows(
        session,
        """
        SELECT result FROM jobs WHERE kind = :kind AND status = 'succeeded' ORDER BY finished_at DESC LIMIT 1
        """,
        kind=kind,
    )
    return found[0]["result"] if found else None


async def claim(
    session: Session, kinds: list[str], job_id: uuid.UUID | None, token: uuid.UUID, lease_seconds: int
) -> Row | None:
    """Take a job that is due, or one whose worker has not been heard of; a row somebody else has is theirs."""
    claimed = await rows(
        session,
        f"""
        UPDATE jobs SET status = 'running', attempts = attempts + 1, lease_token = :token,
                        lease_until = now() + make_interval(secs => :seconds),
                        started_at = coalesce(started_at, now()), error = NULL
        WHERE id = (
            SELECT id FROM jobs
            WHERE (status = 'queued' AND not_before <= now() OR status = 'running' AND lease_until <= now())
              AND kind = ANY(CAST(:kinds AS text[])) {"AND id = :id" if job_id else ""}
            ORDER BY not_before, created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,
        token=token,
        seconds=lease_seconds,
        kinds=kinds,
        **({"id": job_id} if job_id else {}),
    )
    return claimed[0] if claimed else None


async def hold(session: Session, job_id: uuid.UUID, token: uuid.UUID) -> bool:
    """Whether the job is still its worker's, and stays so until the end of this transaction."""
    return bool(
        await rows(
            session,
            "SELECT 1 FROM jobs WHERE id = :id AND status = 'running' AND lease_token = :token FOR UPDATE",
            id=job_id,
            token=token,
        )
    )


async def advance(
    session: Session, job_id: uuid.UUID, cursor: Row | None, done: int, total: int | None, lease_seconds: int
) -> None:
    """Keep how far the job is, and its lease."""
    await rows(
        session,
        """
        UPDATE jobs SET cursor = CAST(:cursor AS jsonb), done = :done, total = :total,
                        lease_until = now() + make_interval(secs => :seconds)
        WHERE id = :id
        """,
        id=job_id,
        cursor=None if cursor is None else _json(cursor),
        done=done,
        total=total,
        seconds=lease_seconds,
    )


async def stage(session: Session, job_id: uuid.UUID, items: dict[str, Row]) -> None:
    await rows(
        session,
        """
        INSERT INTO job_items (job_id, key, data)
        SELECT :id, key, value FROM jsonb_each(CAST(:items AS jsonb))
        ON CONFLICT (job_id, key) DO UPDATE SET data = excluded.data
        """,
        id=job_id,
        items=_json(items),
    )


async def refuse(session: Session, job_id: uuid.UUID, refused: Sequence[Row]) -> None:
    await rows(
        session,
        """
        INSERT INTO job_refusals (job_id, line, code, message)
        SELECT DISTINCT ON (line) CAST(:id AS uuid), line, code, message
        FROM jsonb_to_recordset(CAST(:refused AS jsonb)) AS r(line int, code text, message text)
        ON CONFLICT (job_id, line) DO UPDATE SET code = excluded.code, message = excluded.message
        """,
        id=job_id,
        refused=_json(refused),
    )


async def staged(session: Session, job_id: uuid.UUID) -> dict[str, Row]:
    found = await rows(session, "SELECT key, data FROM job_items WHERE job_id = :id ORDER BY key", id=job_id)
    return {row["key"]: row["data"] for row in found}


async def staged_after(session: Session, job_id: uuid.UUID, key: str) -> Row | None:
    """The item with the next key."""
    found = await rows(
        session,
        "SELECT key, data FROM job_items WHERE job_id = :id AND key > :key ORDER BY key LIMIT 1",
        id=job_id,
        key=key,
    )
    return found[0] if found else None


async def add_input(session: Session, job_id: uuid.UUID, position: int, data: bytes) -> None:
    await rows(
        session,
        "INSERT INTO job_inputs (job_id, position, data) VALUES (:id, :position, :data)",
        id=job_id,
        position=position,
        data=data,
    )


async def input_at(session: Session, job_id: uuid.UUID, position: int) -> bytes | None:
    found = await rows(
        session,
        "SELECT data FROM job_inputs WHERE job_id = :id AND position = :position",
        id=job_id,
        position=position,
    )
    return found[0]["data"] if found else None


async def end(
    session: Session, job_id: uuid.UUID, status: str, result: Row | None, error: str | None
) -> None:
    await rows(
        session,
        """
        UPDATE jobs SET status = :status, result = CAST(:result AS jsonb), error = :error, finished_at = now(),
                        lease_token = NULL, lease_until = NULL
        WHERE id = :id
        """,
        id=job_id,
        status=status,
        result=None if result is None else _json(result),
        error=error,
    )


async def put_back(
    session: Session, job_id: uuid.UUID, seconds: float, error: str | None, attempts: int
) -> None:
    """Let any worker go on with the job, in a while."""
    await rows(
        session,
        """
        UPDATE jobs SET status = 'queued', attempts = :attempts, error = :error, lease_token = NULL,
                        lease_until = NULL, not_before = now() + make_interval(secs => :seconds)
        WHERE id = :id
        """,
        id=job_id,
        attempts=attempts,
        error=error,
        seconds=seconds,
    )


async def purge(session: Session) -> None:
    """Drop what finished jobs were made of after a week, and the jobs with what they refused after three months."""
    await rows(session, "DELETE FROM jobs WHERE finished_at < now() - interval '90 days'")
    for table, days in (("job_items", 7), ("job_inputs", 7)):
        await rows(
            session,
            f"""
            DELETE FROM {table} USING jobs
            WHERE {table}.job_id = jobs.id AND jobs.finished_at < now() - make_interval(days => :days)
            """,
            days=days,
        )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
