"""Who did what to whom, kept where nobody can change it, in the transaction that did it.

A row is never changed and never deleted, which the database itself sees to; whole months are dropped when they
are old. It names people by their ids only, and addresses by their networks.

Each row is a line of the log as well, which leaves this machine with the others: who takes rows away here cannot
take away that they were there.
"""

import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

import orjson
from sqlalchemy import CheckConstraint, Index, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core import business, logging, origin, partitions
from app.core.db import Base, Row, Session, after_commit, rows

log = logging.logger(logging.AUDIT)

TABLE = "audit_log"
_REST, _ASIDE = "audit_log_rest", "audit_log_aside"
_MONTHS_AHEAD = 3

Actor = Literal["user", "admin", "api_key", "guest", "operator", "system", "nobody"]


class AuditEntry(Base):
    """`actor` is the user or key that acted; `subject` names what it was done to, as `user:6f…` or `booking:K7QX2M`."""

    __tablename__ = TABLE
    __table_args__ = (
        CheckConstraint(
            "actor_kind IN ('user', 'admin', 'api_key', 'guest', 'operator', 'system', 'nobody')",
            name="known_actor",
        ),
        Index("ix_audit_log_actor", "actor", "at"),
        Index("ix_audit_log_subject", "subject", "at"),
        Index("ix_audit_log_action", "action", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    at: Mapped[datetime] = mapped_column(primary_key=True, server_default=func.now())
    action: Mapped[str] = mapped_column(String(64))
    actor_kind: Mapped[str] = mapped_column(String(8))
    actor: Mapped[uuid.UUID | None]
    subject: Mapped[str | None] = mapped_column(String(100))
    network: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


async def record(
    session: Session,
    action: str,
    *,
    by: Actor,
    actor: uuid.UUID | None = None,
    subject: str | None = None,
    **data: Any,
) -> None:
    """Note an action such as `login.failed` or `rules.published` in the caller's transaction.

    Only ids, counts and our own words go into `data`: never names, addresses, secrets or what somebody typed.
    """
    address = origin.address.get()
    [kept] = await rows(
        session,
        """
        INSERT INTO audit_log (action, actor_kind, actor, subject, network, request_id, data)
        VALUES (:action, :by, :actor, :subject, :network, :request_id, CAST(:data AS jsonb))
        RETURNING id
        """,
        action=action,
        by=by,
        actor=actor,
        subject=subject,
        network=origin.network(address) if address else None,
        request_id=logging.request_id.get() or None,
        data=orjson.dumps(data).decode(),
    )
    after_commit(session, partial(_tell, action, kept["id"], by, actor, subject))


async def _tell(action: str, row: uuid.UUID, by: Actor, actor: uuid.UUID | None, subject: str | None) -> None:
    """The line of a row: its id leads there, to whatever else is known. Of a booking it has the number of its lines."""
    kind, _, reference = (subject or "").partition(":")
    about = {
        "event.dataset": logging.AUDIT,
        "event.action": action,
        "event.id": str(row),
        "jetway.audit.by": by,
        "jetway.audit.actor": actor and str(actor),
        "jetway.audit.subject": f"{kind}:{business.anonymous(reference)}" if kind == "booking" else subject,
    }
    log.info(action, **{name: told for name, told in about.items() if told is not None})


def signed_in() -> tuple[Actor, uuid.UUID | None]:
    """Who asks for what this request does, as `by` and `actor`; where nobody is signed in, the product itself does."""
    return origin.caller.get() or ("system", None)


async def page(
    session: Session,
    before: tuple[datetime, uuid.UUID] | None,
    size: int,
    *,
    action: str | None = None,
    actor: uuid.UUID | None = None,
    subject: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Row]:
    """What was done, newest first, from a place in that order on; each of the others narrows it."""
    at, last = before or (None, None)
    narrowed = {
        "(at, id) < (CAST(:at AS timestamptz), CAST(:last AS uuid))": at,
        "action = :action": action,
        "actor = CAST(:actor AS uuid)": actor,
        "subject = :subject": subject,
        "at >= CAST(:since AS timestamptz)": since,
        "at < CAST(:until AS timestamptz)": until,
    }
    conditions = [condition for condition, value in narrowed.items() if value is not None]
    return await rows(
        session,
        f"SELECT * FROM audit_log WHERE {' AND '.join(['true', *conditions])} ORDER BY at DESC, id DESC LIMIT :size",
        at=at,
        last=last,
        action=action,
        actor=actor,
        subject=subject,
        since=since,
        until=until,
        size=size,
    )


async def told(session: Session, user_id: uuid.UUID) -> Row:
    """What somebody did, and what was done to their account."""
    return {
        "audit": await rows(
            session,
            """
            SELECT at, action, actor_kind, actor, subject, network, data FROM audit_log
            WHERE actor = :user_id OR subject = 'user:' || CAST(CAST(:user_id AS uuid) AS text) ORDER BY at
            """,
            user_id=user_id,
        )
    }


async def keep_months(session: Session, now: datetime, days: int) -> list[str]:
    """Make this month and the three after it, and drop those that were over so many days ago; gives their names.

    What was written while its month was missing is brought over from the partition that takes everything.
    """
    astray = await rows(session, f"SELECT DISTINCT date_trunc('month', at, 'UTC') AS month FROM {_REST}")
    if astray:
        await _set_aside(session)
    month = partitions.month_of(now)
    for _ in range(_MONTHS_AHEAD + 1):
        await partitions.make(session, [TABLE], month)
        month = partitions.month_after(month)
    for one in astray:
        await partitions.make(session, [TABLE], one["month"])
    if astray:
        await rows(session, f"INSERT INTO {TABLE} SELECT * FROM {_ASIDE}")
        await rows(session, f"DROP TABLE {_ASIDE}")
    return await partitions.drop_before(session, [TABLE], now - timedelta(days=days))


async def _set_aside(session: Session) -> None:
    """No month can be made whose rows are in the partition that takes everything, and none of these can be deleted."""
    await rows(session, f"ALTER TABLE {TABLE} DETACH PARTITION {_REST}")
    await rows(session, f"ALTER TABLE {_REST} RENAME TO {_ASIDE}")
    await rows(session, f"CREATE TABLE {_REST} PARTITION OF {TABLE} DEFAULT")
