"""Answers kept under the caller's `Idempotency-Key`, in the transaction of the effect they report.

Twins queue on the unique index: the second waits until the first has committed, then reads its answer.
Only effects are kept; a refusal rolls back its key as well, so that it can be tried again.

An effect that asks others, such as a payment, is made in several transactions. The first keeps the key with the
effect's `subject` and a lock; the last keeps the answer, if the lock is still its own. Where the process dies in
between, the next repetition takes the lock over after a while and goes on with the subject.
"""

import uuid
from datetime import datetime, timedelta

import orjson
from sqlalchemy import BigInteger, Identity, LargeBinary, UniqueConstraint, delete, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, Row, Session, rows

KEPT = timedelta(hours=72)
# Longer than an effect in several steps takes: two calls to the card processor and what is around them.
_LOCKED_SECONDS = 60


class IdempotencyKey(Base):
    """The key, a fingerprint of the body it came with, and the answer."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("caller", "method", "path", "key", name="uq_idempotency_keys_scope"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    caller: Mapped[uuid.UUID]
    method: Mapped[str]
    path: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    subject: Mapped[str | None]
    lock: Mapped[uuid.UUID | None]
    locked_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


async def claim(
    session: Session, caller: uuid.UUID, method: str, path: str, key: str, fingerprint: bytes
) -> int | None:
    """Take the key for this transaction; None if it was used before. Waits for a twin under way."""
    claimed = await rows(
        session,
        """
        INSERT INTO idempotency_keys (caller, method, path, key, fingerprint)
        VALUES (:caller, :method, :path, :key, :fingerprint)
        ON CONFLICT (caller, method, path, key) DO NOTHING RETURNING id
        """,
        caller=caller,
        method=method,
        path=path,
        key=key,
        fingerprint=fingerprint,
    )
    return claimed[0]["id"] if claimed else None


async def used(session: Session, caller: uuid.UUID, method: str, path: str, key: str) -> Row | None:
    found = await rows(
        session,
        """
        SELECT id, fingerprint, status, body, subject FROM idempotency_keys
        WHERE caller = :caller AND method = :method AND path = :path AND key = :key
        """,
        caller=caller,
        method=method,
        path=path,
        key=key,
    )
    return found[0] if found else None


async def keep(session: Session, claimed: int, status: int, body: bytes) -> None:
    await rows(
        session,
        "UPDATE idempotency_keys SET status = :status, body = :body WHERE id = :id",
        id=claimed,
        status=status,
        body=body,
    )


async def begin(session: Session, claimed: int, subject: str, lock: uuid.UUID) -> None:
    """Keep a claimed key for the steps that follow; they are about `subject`, whoever makes them."""
    await rows(
        session,
        "UPDATE idempotency_keys SET subject = :subject, lock = :lock, locked_at = now() WHERE id = :id",
        id=claimed,
        subject=subject,
        lock=lock,
    )


async def take_over(session: Session, key_id: int, lock: uuid.UUID) -> bool:
    """Go on with steps that nobody makes any more; false while somebody may."""
    taken = await rows(
        session,
        """
        UPDATE idempotency_keys SET lock = :lock, locked_at = now()
        WHERE id = :id AND status IS NULL AND locked_at < now() - make_interval(secs => :seconds) RETURNING id
        """,
        id=key_id,
        lock=lock,
        seconds=_LOCKED_SECONDS,
    )
    return bool(taken)


async def finish(session: Session, key_id: int, lock: uuid.UUID, status: int, body: bytes) -> bool:
    """Keep the answer of the last step; false if somebody else has taken the steps over."""
    finished = await rows(
        session,
        """
        UPDATE idempotency_keys SET status = :status, body = :body
        WHERE id = :id AND lock = :lock AND status IS NULL RETURNING id
        """,
        id=key_id,
        lock=lock,
        status=status,
        body=body,
    )
    return bool(finished)


async def let_go(session: Session, key_id: int, lock: uuid.UUID) -> None:
    """Leave steps to whoever comes next."""
    await rows(
        session,
        "UPDATE idempotency_keys SET locked_at = 'epoch' WHERE id = :id AND lock = :lock AND status IS NULL",
        id=key_id,
        lock=lock,
    )


async def told(session: Session, caller: uuid.UUID) -> Row:
    """Which keys came from a caller. The answers are copies of what they are about."""
    return {
        "idempotency_keys": await rows(
            session,
            """
            SELECT method, path, key, status, created_at FROM idempotency_keys WHERE caller = :caller ORDER BY id
            """,
            caller=caller,
        )
    }


async def erase(session: Session, caller: uuid.UUID) -> None:
    await rows(session, "DELETE FROM idempotency_keys WHERE caller = :caller", caller=caller)


async def purge(session: Session) -> None:
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < func.now() - KEPT))


def canonical(body: bytes) -> bytes:
    """The body with its members in one order and without spaces; what is not JSON stands for itself."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except (ValueError, TypeError):  # TypeError: nested deeper than can be written.
        return body
