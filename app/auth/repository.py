"""Every question to users, sessions and tokens."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.auth.models import User
from app.core.db import Row, Session, rows

_HONOURED = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"


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


async def add_token(
    session: Session, session_id: uuid.UUID, token_hash: bytes, days: int, parent_id: int | None = None
) -> None:
    await rows(
        session,
        """
        INSERT INTO refresh_tokens (session_id, token_hash, parent_id, expires_at)
        VALUES (:session_id, :token_hash, :parent_id, now() + make_interval(days => :days))
        """,
        session_id=session_id,
        token_hash=token_hash,
        parent_id=parent_id,
        days=days,
    )


async def locked_token(session: Session, token_hash: bytes, grace_seconds: int) -> Row | None:
    """The token with its session, which is locked, so that two presentations are seen one after the other.

    `child_sealed` is there while the token may still be presented once more: within the grace, and as long as
    its child is the token that lives.
    """
    await rows(
        session,
        """
        SELECT id FROM sessions
        WHERE id = (SELECT session_id FROM refresh_tokens WHERE token_hash = :token_hash) FOR NO KEY UPDATE
        """,
        token_hash=token_hash,
    )
    # Asked after the lock, because only a new statement sees what the one before has committed.
    found = await rows(
        session,
        """
        SELECT t.id, t.session_id, t.parent_id, s.user_id, s.revoked_reason AS ended,
               t.rotated_at IS NOT NULL AS spent,
               s.expires_at <= now() OR (t.rotated_at IS NULL AND t.expires_at <= now()) AS expired,
               CASE WHEN t.rotated_at > clock_timestamp() - make_interval(secs => :grace) AND live.parent_id = t.id
                    THEN t.child_sealed END AS child_sealed
        FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
        LEFT JOIN refresh_tokens live
               ON live.session_id = s.id AND live.rotated_at IS NULL AND live.revoked_at IS NULL
        WHERE t.token_hash = :token_hash
        """,
        token_hash=token_hash,
        grace=grace_seconds,
    )
    return found[0] if found else None


async def spend(session: Session, token: Row, child_sealed: bytes | None) -> None:
    """Mark a live token spent, keep its child for who lost the answer, and forget the one that it was itself."""
    await rows(
        session,
        """
        WITH used AS (UPDATE sessions SET last_used_at = now() WHERE id = :session_id),
        forgotten AS (UPDATE refresh_tokens SET child_sealed = NULL WHERE id = CAST(:parent_id AS bigint))
        UPDATE refresh_tokens SET rotated_at = clock_timestamp(), child_sealed = :child_sealed WHERE id = :id
        """,
        id=token["id"],
        session_id=token["session_id"],
        parent_id=token["parent_id"],
        child_sealed=child_sealed,
    )


async def revoke_sessions(
    session: Session,
    user_id: uuid.UUID,
    reason: str,
    only: uuid.UUID | None = None,
    keep: uuid.UUID | None = None,
) -> list[uuid.UUID]:
    """End one of a user's sessions, all of them, or all but one; gives the ids of those that were alive."""
    found = await rows(
        session,
        """
        WITH ended AS (
            UPDATE sessions SET revoked_at = now(), revoked_reason = :reason
            WHERE user_id = :user_id AND revoked_at IS NULL AND coalesce(CAST(:only AS uuid), id) = id
              AND id IS DISTINCT FROM CAST(:keep AS uuid)
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
        keep=keep,
    )
    return [row["id"] for row in found]


async def purge(session: Session) -> None:
    """Drop what nobody can use any more; refresh tokens go with their sessions."""
    await rows(
        session,
        "UPDATE refresh_tokens SET child_sealed = NULL "
        "WHERE child_sealed IS NOT NULL AND rotated_at < now() - interval '1 minute'",
    )
    await rows(session, "DELETE FROM sessions WHERE expires_at < now() - interval '7 days'")
    await rows(session, "DELETE FROM revocations WHERE at < now() - interval '2 days'")


async def may_open(session: Session, user_id: uuid.UUID) -> bool:
    """Whether an account is open for sessions; a suspension at this very moment is waited for."""
    found = await rows(
        session,
        "SELECT 1 FROM users WHERE id = :id AND suspended_at IS NULL AND erased_at IS NULL FOR SHARE",
        id=user_id,
    )
    return bool(found)


async def live_sessions(
    session: Session, user_id: uuid.UUID, before: tuple[datetime, uuid.UUID] | None, size: int
) -> list[Row]:
    """The sessions that can still be refreshed, newest first; each ends with its refresh token or by itself."""
    at, last = before or (None, None)
    return await rows(
        session,
        """
        SELECT s.id, s.created_at, s.last_used_at, s.user_agent, s.network,
               least(s.expires_at, t.expires_at) AS expires_at
        FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id
        WHERE s.user_id = :user_id AND s.revoked_at IS NULL AND t.rotated_at IS NULL AND t.revoked_at IS NULL
          AND least(s.expires_at, t.expires_at) > now()
          AND (CAST(:at AS timestamptz) IS NULL
               OR (s.created_at, s.id) < (CAST(:at AS timestamptz), CAST(:last AS uuid)))
        ORDER BY s.created_at DESC, s.id DESC LIMIT :size
        """,
        user_id=user_id,
        at=at,
        last=last,
        size=size,
    )


async def revocations(
    session: Session, since: datetime | None, kept_seconds: int
) -> tuple[datetime, list[uuid.UUID]]:
    """The time, and what was revoked since; without a `since`, all that live tokens may name.

    A row tells when its transaction began, which may be a while before anybody could see it.
    """
    [found] = await rows(
        session,
        """
        SELECT now() AS now, array(
            SELECT id FROM revocations
            WHERE at > coalesce(CAST(:since AS timestamptz), now() - make_interval(secs => :kept))
                       - interval '30 seconds') AS ids
        """,
        since=since,
        kept=kept_seconds,
    )
    return found["now"], found["ids"]


async def add_key(session: Session, most: int, days: int | None, **key: Any) -> Row | None:
    """A new API key; None if its owner has as many as they may. One is added after the other."""
    await rows(session, "SELECT id FROM users WHERE id = :id FOR NO KEY UPDATE", id=key["user_id"])
    added = await rows(
        session,
        f"""
        INSERT INTO api_keys (id, user_id, name, mode, shown, key_hash, scopes, expires_at)
        SELECT gen_random_uuid(), CAST(:user_id AS uuid), CAST(:name AS text), CAST(:mode AS text),
               CAST(:shown AS text), CAST(:key_hash AS bytea), CAST(:scopes AS text[]),
               now() + make_interval(days => CAST(:days AS int))
        WHERE :most > (SELECT count(*) FROM api_keys WHERE user_id = :user_id AND {_HONOURED})
        RETURNING *
        """,
        most=most,
        days=days,
        **key,
    )
    return added[0] if added else None


async def keys_of(session: Session, user_id: uuid.UUID) -> list[Row]:
    """The keys that are honoured, newest first."""
    return await rows(
        session,
        f"SELECT * FROM api_keys WHERE user_id = :user_id AND {_HONOURED} ORDER BY created_at DESC, id DESC",
        user_id=user_id,
    )


async def keys_about_to_end(session: Session, within_days: int) -> list[Row]:
    """Those that were made for longer than twice that, and of which nobody was told yet; `once` names what is told."""
    return await rows(
        session,
        f"""
        SELECT k.id, k.user_id, told.once FROM api_keys k, LATERAL (SELECT 'api-key-ending:' || k.id AS once) AS told
        WHERE {_HONOURED} AND expires_at <= now() + CAST(:days AS int) * interval '1 day'
          AND created_at < expires_at - 2 * CAST(:days AS int) * interval '1 day'
          AND NOT EXISTS (SELECT FROM outbox WHERE subject = told.once)
        """,
        days=within_days,
    )


async def use_key(session: Session, key_hash: bytes) -> Row | None:
    """A key that is honoured, with the seconds it has left, None for ever; that it was used is noted each minute."""
    found = await rows(
        session,
        f"""
        WITH known AS (SELECT * FROM api_keys WHERE key_hash = :key_hash AND {_HONOURED}),
        noted AS (
            UPDATE api_keys SET last_used_at = now()
            WHERE id = (SELECT id FROM known WHERE last_used_at IS NULL OR last_used_at < now() - interval '1 minute'))
        SELECT id, user_id, scopes, extract(epoch FROM expires_at - now()) AS seconds_left FROM known
        """,
        key_hash=key_hash,
    )
    return found[0] if found else None


async def revoke_keys(session: Session, user_id: uuid.UUID, only: uuid.UUID | None = None) -> list[uuid.UUID]:
    """End one of a user's API keys, or all of them; gives the ids of those that were not revoked before."""
    found = await rows(
        session,
        """
        WITH ended AS (
            UPDATE api_keys SET revoked_at = now()
            WHERE user_id = :user_id AND revoked_at IS NULL AND coalesce(CAST(:only AS uuid), id) = id
            RETURNING id)
        INSERT INTO revocations (id) SELECT id FROM ended RETURNING id
        """,
        user_id=user_id,
        only=only,
    )
    return [row["id"] for row in found]


async def admin_standing(session: Session, user_id: uuid.UUID, session_id: uuid.UUID) -> Row | None:
    """What somebody's being an administrator rests on; None without such an account and session."""
    found = await rows(
        session,
        """
        SELECT u.role = 'admin' AND u.suspended_at IS NULL AS is_admin,
               s.second_factor_at IS NOT NULL AS second_factor
        FROM users u LEFT JOIN sessions s ON s.id = :session_id AND s.user_id = u.id
        WHERE u.id = :user_id
        """,
        user_id=user_id,
        session_id=session_id,
    )
    return found[0] if found else None


_ACCOUNT = """
    SELECT id, email, full_name, role, email_verified, locale, created_at, suspended_at,
           totp_confirmed_at IS NOT NULL AS totp_enabled
    FROM users
"""


async def accounts(
    session: Session, email: str | None, before: tuple[datetime, uuid.UUID] | None, size: int
) -> list[Row]:
    """Accounts that were not erased, or the one with this address, newest first."""
    at, last = before or (None, None)
    return await rows(
        session,
        f"""
        {_ACCOUNT}
        WHERE erased_at IS NULL AND email = coalesce(CAST(:email AS text), email)
          AND (CAST(:at AS timestamptz) IS NULL
               OR (created_at, id) < (CAST(:at AS timestamptz), CAST(:last AS uuid)))
        ORDER BY created_at DESC, id DESC LIMIT :size
        """,
        email=email,
        at=at,
        last=last,
        size=size,
    )


async def account(session: Session, user_id: uuid.UUID) -> Row | None:
    found = await rows(session, f"{_ACCOUNT} WHERE id = :id AND erased_at IS NULL", id=user_id)
    return found[0] if found else None


async def locked_accounts(session: Session, ids: list[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """Accounts that were not erased, by their ids, which this transaction alone changes."""
    found = await rows(
        session,
        f"{_ACCOUNT} WHERE id = ANY(CAST(:ids AS uuid[])) AND erased_at IS NULL ORDER BY id FOR NO KEY UPDATE",
        ids=ids,
    )
    return {row["id"]: row for row in found}


async def change_account(session: Session, user_id: uuid.UUID, role: str, suspended: bool) -> None:
    """A suspension keeps the moment it began."""
    await rows(
        session,
        """
        UPDATE users SET role = :role,
               suspended_at = CASE WHEN CAST(:suspended AS bool) THEN coalesce(suspended_at, now()) END
        WHERE id = :id
        """,
        id=user_id,
        role=role,
        suspended=suspended,
    )
