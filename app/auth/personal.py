"""What an account holds about its owner, and how that is forgotten."""

import uuid

from app.auth import keys, sessions
from app.core.db import Row, Session, rows


async def told(session: Session, user_id: uuid.UUID) -> Row:
    """The account and what signs in to it; hashes and seeds prove things to us and tell their owner nothing."""
    [account] = await rows(
        session,
        """
        SELECT id, email, full_name, role, email_verified, locale, password_changed_at,
               totp_confirmed_at IS NOT NULL AS second_factor, totp_confirmed_at AS second_factor_since,
               suspended_at, created_at
        FROM users WHERE id = :user_id
        """,
        user_id=user_id,
    )
    return {
        "account": account,
        "sessions": await rows(
            session,
            """
            SELECT id, user_agent, network, second_factor_at, created_at, last_used_at, expires_at, revoked_at,
                   revoked_reason
            FROM sessions WHERE user_id = :user_id ORDER BY created_at
            """,
            user_id=user_id,
        ),
        "api_keys": await rows(
            session,
            """
            SELECT id, name, mode, shown, scopes, created_at, last_used_at, expires_at, revoked_at
            FROM api_keys WHERE user_id = :user_id ORDER BY created_at
            """,
            user_id=user_id,
        ),
        "challenges": await rows(
            session,
            """
            SELECT purpose, email, created_at, expires_at, used_at
            FROM challenges WHERE user_id = :user_id ORDER BY created_at
            """,
            user_id=user_id,
        ),
        "recovery_codes": await rows(
            session,
            "SELECT count(*) AS left FROM recovery_codes WHERE user_id = :user_id AND used_at IS NULL",
            user_id=user_id,
        ),
    }


async def erase(session: Session, user_id: uuid.UUID) -> None:
    """End all sessions and keys, which every process is told by `revocations`, and leave an account without a face."""
    await sessions.end(session, user_id, "erased")
    await keys.end(session, user_id)
    for table in ("sessions", "api_keys", "challenges", "recovery_codes"):
        await rows(session, f"DELETE FROM {table} WHERE user_id = :user_id", user_id=user_id)
    await rows(
        session,
        """
        UPDATE users SET email = 'erased-' || id || '@erased.invalid', full_name = '', password_hash = '',
            role = 'user', email_verified = false, locale = 'en', totp_secret = NULL, totp_confirmed_at = NULL,
            totp_last_step = NULL, erased_at = coalesce(erased_at, now())
        WHERE id = :user_id
        """,
        user_id=user_id,
    )
