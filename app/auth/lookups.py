"""Every question to passwords, mailed challenges, and what stands beside a password."""

import uuid
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.core import tracing
from app.core.db import Row, Session, rows


async def knows_network(session: Session, user_id: uuid.UUID, network: str) -> bool:
    """Whether this account has had a session from there."""
    found = await rows(
        session,
        "SELECT id FROM sessions WHERE user_id = :user_id AND network = :network LIMIT 1",
        user_id=user_id,
        network=network,
    )
    return bool(found)


async def mark_second_factor(session: Session, session_id: uuid.UUID) -> None:
    await rows(session, "UPDATE sessions SET second_factor_at = now() WHERE id = :id", id=session_id)


async def keep_hash(session: Session, user_id: uuid.UUID, password_hash: str) -> None:
    """Another hash of the same password: nothing that hangs on the password becomes void."""
    await rows(
        session,
        "UPDATE users SET password_hash = :password_hash WHERE id = :id",
        password_hash=password_hash,
        id=user_id,
    )


async def change_password(session: Session, user_id: uuid.UUID, password_hash: str) -> None:
    await rows(
        session,
        "UPDATE users SET password_hash = :password_hash, password_changed_at = now() WHERE id = :id",
        password_hash=password_hash,
        id=user_id,
    )


async def move_address(session: Session, user_id: uuid.UUID, email: str) -> bool:
    """Give an account another address, which is verified; whether nobody else has it."""
    try:
        async with session.begin_nested():
            await rows(
                session,
                "UPDATE users SET email = :email, email_verified = true WHERE id = :id",
                email=email,
                id=user_id,
            )
    except IntegrityError:
        return False
    return True


async def add_challenge(session: Session, **challenge: Any) -> None:
    """Keep a challenge, and the event that has it mailed.

    One without a user is written alike, so that nobody learns from the time whether there is such an account.
    """
    await rows(
        session,
        """
        WITH asked AS (
            INSERT INTO challenges (id, user_id, purpose, email, nonce, token_hash, password_changed_at, expires_at)
            SELECT CAST(:challenge_id AS uuid), u.id, CAST(:purpose AS text), coalesce(CAST(:email AS text), u.email),
                   CAST(:nonce AS bytea), CAST(:token_hash AS bytea), u.password_changed_at,
                   now() + make_interval(mins => :minutes)
            FROM (VALUES (CAST(:user_id AS uuid))) wanted (id) LEFT JOIN users u ON u.id = wanted.id
            RETURNING id, user_id)
        INSERT INTO outbox (type, subject, sequence, data, traceparent)
        SELECT 'account.' || :purpose, 'account-challenge:' || id, 1,
               jsonb_build_object('user_id', user_id, 'challenge_id', id), :traceparent FROM asked
        """,
        traceparent=tracing.traceparent(),
        **challenge,
    )


# What can be sent back: in time, once, and only while the password is the same and the account is open.
_LIVE = """
    c.used_at IS NULL AND c.expires_at > now() AND u.id = c.user_id AND u.password_changed_at = c.password_changed_at
    AND u.suspended_at IS NULL AND u.erased_at IS NULL
"""


async def challenge(session: Session, challenge_id: uuid.UUID) -> Row | None:
    found = await rows(
        session,
        f"""
        SELECT c.purpose, c.nonce, c.token_hash, c.expires_at FROM challenges c, users u
        WHERE c.id = :id AND {_LIVE}
        """,
        id=challenge_id,
    )
    return found[0] if found else None


async def challenged(session: Session, purpose: str, token_hash: bytes) -> uuid.UUID | None:
    """Whose challenge this is, which is left as it is."""
    found = await rows(
        session,
        f"SELECT c.user_id FROM challenges c, users u WHERE token_hash = :hash AND purpose = :purpose AND {_LIVE}",
        hash=token_hash,
        purpose=purpose,
    )
    return found[0]["user_id"] if found else None


async def spend_challenge(session: Session, purpose: str, token_hash: bytes) -> Row | None:
    """The `id`, `user_id` and `email` of a challenge, which cannot be answered any more from here on."""
    found = await rows(
        session,
        f"""
        UPDATE challenges c SET used_at = now() FROM users u
        WHERE token_hash = :hash AND purpose = :purpose AND {_LIVE}
        RETURNING c.id, c.user_id, c.email
        """,
        hash=token_hash,
        purpose=purpose,
    )
    return found[0] if found else None


async def live_code(session: Session, user_id: uuid.UUID, challenge_id: uuid.UUID) -> Row | None:
    """What a login code follows from that can still be sent back."""
    found = await rows(
        session,
        f"""
        SELECT c.id, c.nonce, c.token_hash FROM challenges c, users u
        WHERE c.id = :challenge_id AND c.user_id = :user_id AND c.purpose = 'login_code' AND {_LIVE}
        """,
        user_id=user_id,
        challenge_id=challenge_id,
    )
    return found[0] if found else None


async def void_challenges(session: Session, user_id: uuid.UUID) -> None:
    await rows(
        session,
        "UPDATE challenges SET used_at = now() WHERE user_id = :user_id AND used_at IS NULL",
        user_id=user_id,
    )


async def readdress(session: Session, challenge_id: uuid.UUID, email: str) -> None:
    """Have what is mailed because of a challenge go to another address."""
    await rows(session, "UPDATE challenges SET email = :email WHERE id = :id", email=email, id=challenge_id)


async def purge_challenges(session: Session) -> None:
    await rows(session, "DELETE FROM challenges WHERE expires_at < now() - interval '1 day'")


async def enrol(session: Session, user_id: uuid.UUID, secret: str) -> None:
    """A new authenticator's secret, sealed, which counts once it is confirmed."""
    await rows(
        session,
        "UPDATE users SET totp_secret = :secret, totp_confirmed_at = NULL, totp_last_step = NULL WHERE id = :id",
        secret=secret,
        id=user_id,
    )


async def confirm_totp(session: Session, user_id: uuid.UUID) -> None:
    await rows(session, "UPDATE users SET totp_confirmed_at = now() WHERE id = :id", id=user_id)


async def drop_totp(session: Session, user_id: uuid.UUID) -> None:
    await rows(
        session,
        "UPDATE users SET totp_secret = NULL, totp_confirmed_at = NULL, totp_last_step = NULL WHERE id = :id",
        id=user_id,
    )
    await replace_recovery_codes(session, user_id, [])


async def spend_step(session: Session, user_id: uuid.UUID, step: int) -> bool:
    """Whether the code of this half minute had not been used, nor one of a later; it is now."""
    spent = await rows(
        session,
        """
        UPDATE users SET totp_last_step = :step
        WHERE id = :id AND coalesce(totp_last_step, -1) < :step RETURNING id
        """,
        step=step,
        id=user_id,
    )
    return bool(spent)


async def replace_recovery_codes(session: Session, user_id: uuid.UUID, hashes: list[bytes]) -> None:
    await rows(session, "DELETE FROM recovery_codes WHERE user_id = :user_id", user_id=user_id)
    await rows(
        session,
        """
        INSERT INTO recovery_codes (user_id, code_hash)
        SELECT CAST(:user_id AS uuid), unnest(CAST(:hashes AS bytea[]))
        """,
        user_id=user_id,
        hashes=hashes,
    )


async def spend_recovery_code(session: Session, user_id: uuid.UUID, code_hash: bytes) -> bool:
    spent = await rows(
        session,
        """
        UPDATE recovery_codes SET used_at = now()
        WHERE user_id = :user_id AND code_hash = :hash AND used_at IS NULL RETURNING user_id
        """,
        user_id=user_id,
        hash=code_hash,
    )
    return bool(spent)


async def secrets_not_sealed_by(session: Session, newest: str, most: int) -> list[Row]:
    """Accounts whose secret does not begin with the newest key's id; a row somebody else has is left to them."""
    return await rows(
        session,
        """
        SELECT id, totp_secret AS secret FROM users
        WHERE totp_secret IS NOT NULL AND NOT starts_with(totp_secret, :newest)
        ORDER BY id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
        """,
        newest=newest,
        most=most,
    )


async def reseal_secrets(session: Session, ids: list[uuid.UUID], sealed: list[str]) -> None:
    await rows(
        session,
        """
        UPDATE users u SET totp_secret = s.secret
        FROM unnest(CAST(:ids AS uuid[]), CAST(:sealed AS text[])) AS s (id, secret) WHERE s.id = u.id
        """,
        ids=ids,
        sealed=sealed,
    )
