"""Every question to users, sessions and tokens."""

import uuid

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.auth.models import User
from app.core.db import Row, Session, rows


async def user(session: Session, user_id: uuid.UUID) -> User | None:
    return await session.get(User, user_id)


async def user_by_email(session: Session, email: str) -> User | None:
    return await session.scalar(select(User).where(User.email == email))


async def locked_user(session: Session, user_id: uuid.UUID) -> User | None:
    return await session.scalar(select(User).where(User.id == user_id).with_for_update(key_share=True))


async def add_user(
    session: Session, email: str, full_name: str, password_hash: str, role: str = "user", locale: str = "en"
) -> User | None:
    """The new user, or None when the address is taken, also by a signup at this very moment."""
    statement = (
        insert(User)
        .values(
            id=uuid.uuid4(),
            email=email,
            full_name=full_name,
            password_hash=password_hash,
            role=role,
            locale=locale,
        )
        .on_conflict_do_nothing(index_elements=["email"])
        .returning(User)
    )
    return (await session.scalars(statement)).one_or_none()


async def add_session(
    session: Session,
    session_id: uuid.UUID,
    user_id: uuid.UUID,
    days: int,
    *,
    user_agent: str | None,
    network: str | None,
    second_factor: bool,
) -> None:
    await rows(
        session,
        """
        INSERT INTO sessions (id, user_id, user_agent, network, second_factor_at, expires_at)
        VALUES (:id, :user_id, :user_agent, :network, CASE WHEN CAST(:second_factor AS bool) THEN now() END,
                now() + make_interval(days => :days))
        """,
        id=session_id,
        user_id=user_id,
        user_agent=user_agent,
        network=network,
        second_factor=second_factor,
        days=days,
    )


async def add_token(session: Session, session_id: uuid.UUID, token_hash: bytes, days: int) -> None:
    await rows(
        session,
        """
        INSERT INTO refresh_tokens (session_id, token_hash, expires_at)
        VALUES (:session_id, :token_hash, now() + make_interval(days => :days))
        """,
        session_id=session_id,
        token_hash=token_hash,
        days=days,
    )


async def locked_token(session: Session, token_hash: bytes) -> Row | None:
    """The token with its session, both locked, so that two presentations of it are seen one after the other."""
    found = await rows(
        session,
        """
        SELECT t.id, t.session_id, s.user_id, t.rotated_at IS NOT NULL AS spent,
               coalesce(t.revoked_at, s.revoked_at) IS NOT NULL AS revoked,
               least(t.expires_at, s.expires_at) <= now() AS expired
        FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
        WHERE t.token_hash = :token_hash FOR UPDATE
        """,
        token_hash=token_hash,
    )
    return found[0] if found else None


async def spend(session: Session, token_id: int) -> None:
    await rows(session, "UPDATE refresh_tokens SET rotated_at = now() WHERE id = :id", id=token_id)


async def revoke_sessions(
    session: Session, user_id: uuid.UUID, reason: str, only: uuid.UUID | None = None
) -> list[uuid.UUID]:
    """End one of a user's sessions, or all of them; gives the ids of those that were alive."""
    found = await rows(
        session,
        """
        WITH ended AS (
            UPDATE sessions SET revoked_at = now(), revoked_reason = :reason
            WHERE user_id = :user_id AND revoked_at IS NULL AND coalesce(CAST(:only AS uuid), id) = id
            RETURNING id),
        told AS (INSERT INTO revocations (id) SELECT id FROM ended),
        spent AS (
            UPDATE refresh_tokens SET revoked_at = now()
            WHERE session_id IN (SELECT id FROM ended) AND revoked_at IS NULL)
        SELECT id FROM ended
        """,
        user_id=user_id,
        reason=reason,
        only=only,
    )
    return [row["id"] for row in found]


async def purge(session: Session) -> None:
    """Drop what nobody can use any more; refresh tokens go with their sessions."""
    await rows(session, "DELETE FROM sessions WHERE expires_at < now() - interval '7 days'")
    await rows(session, "DELETE FROM revocations WHERE at < now() - interval '2 days'")
