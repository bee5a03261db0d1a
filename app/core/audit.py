"""Who did what to whom, kept where nobody can change it, in the transaction that did it.

A row is never changed and never deleted, which the database itself sees to; whole months are dropped when they
are old. It names people by their ids only, and addresses by their networks.
"""

import uuid
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import CheckConstraint, Index, String, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core import logging, origin
from app.core.db import Base, Session, rows

TABLE = "audit_log"

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
    await rows(
        session,
        """
        INSERT INTO audit_log (action, actor_kind, actor, subject, network, request_id, data)
        VALUES (:action, :by, :actor, :subject, :network, :request_id, CAST(:data AS jsonb))
        """,
        action=action,
        by=by,
        actor=actor,
        subject=subject,
        network=origin.network(address) if address else None,
        request_id=logging.request_id.get() or None,
        data=orjson.dumps(data).decode(),
    )
