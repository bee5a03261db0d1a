"""Every question to the table of rules."""

import orjson

from app.core.db import Row, Session, rows

_PUBLISHING = 7_010  # Advisory lock, with the kind: who publishes a kind waits for whoever publishes it.
# An account's address is looked up where it is read, so that none is kept where nothing can be changed.
_ABOUT = """
    kind, version, checksum, note, published_at,
    coalesce((SELECT email FROM users WHERE id::text = published_by), published_by) AS published_by
"""


async def lock(session: Session, kind: str) -> None:
    """Until the end of the transaction nobody else publishes rules of this kind."""
    await rows(
        session,
        "SELECT pg_advisory_xact_lock(CAST(:publishing AS int), hashtext(:kind))",
        publishing=_PUBLISHING,
        kind=kind,
    )


async def newest_version(session: Session, kind: str) -> int | None:
    [found] = await rows(
        session, "SELECT max(version) AS version FROM rule_books WHERE kind = :kind", kind=kind
    )
    version: int | None = found["version"]
    return version


async def newest(session: Session, kind: str) -> list[Row]:
    """The version in force with its tables, if there is one."""
    return await rows(
        session,
        f"SELECT {_ABOUT}, tables FROM rule_books WHERE kind = :kind ORDER BY version DESC LIMIT 1",
        kind=kind,
    )


async def about_newest(session: Session) -> list[Row]:
    """The version in force of each kind, without its tables."""
    return await rows(
        session, f"SELECT DISTINCT ON (kind) {_ABOUT} FROM rule_books ORDER BY kind, version DESC"
    )


async def one(session: Session, kind: str, version: int | None) -> Row | None:
    """This version with its tables; None stands for the one in force."""
    found = await rows(
        session,
        f"""
        SELECT {_ABOUT}, tables FROM rule_books
        WHERE kind = :kind AND (CAST(:version AS int) IS NULL OR version = :version)
        ORDER BY version DESC LIMIT 1
        """,
        kind=kind,
        version=version,
    )
    return found[0] if found else None


async def history(session: Session, kind: str, before: int | None, limit: int) -> list[Row]:
    """Versions without their tables, newest first."""
    return await rows(
        session,
        f"""
        SELECT {_ABOUT} FROM rule_books
        WHERE kind = :kind AND (CAST(:before AS int) IS NULL OR version < :before)
        ORDER BY version DESC LIMIT :limit
        """,
        kind=kind,
        before=before,
        limit=limit,
    )


async def was_published_by(session: Session, kind: str, by: str, checksum: str) -> bool:
    """Whether these tables were ever published in this name."""
    return bool(
        await rows(
            session,
            "SELECT 1 AS one FROM rule_books WHERE kind = :kind AND published_by = :by AND checksum = :checksum",
            kind=kind,
            by=by,
            checksum=checksum,
        )
    )


async def add(session: Session, book: Row) -> Row:
    """The row as it is stored, without its tables."""
    [stored] = await rows(
        session,
        f"""
        INSERT INTO rule_books (kind, version, tables, checksum, published_by, note)
        VALUES (:kind, :version, CAST(:tables AS jsonb), :checksum, :published_by, :note)
        RETURNING {_ABOUT}
        """,
        **book | {"tables": orjson.dumps(book["tables"]).decode()},
    )
    return stored
