"""Sessions: opened by a login, kept alive by refresh tokens that are spent one by one, ended by a logout."""

import hashlib
import secrets
import uuid

from app.auth import repository, tokens
from app.auth.errors import InvalidToken, RefreshTokenReused
from app.auth.models import User
from app.core import db, origin
from app.core.clock import rfc3339
from app.core.config import settings
from app.core.db import Row, Session


async def opened(
    session: Session, user: User, *, user_agent: str | None = None, second_factor: bool = False
) -> Row:
    """A new session of this user, as its first pair of tokens."""
    session_id = uuid.uuid4()
    await repository.add_session(
        session,
        session_id,
        user.id,
        settings().session_days,
        user_agent=user_agent,
        network=origin.network(origin.address.get()) or None,
        second_factor=second_factor,
    )
    return await _pair(session, user, session_id)


async def refresh(token: str) -> Row:
    """A new pair for a refresh token, which is spent. Raises InvalidToken, RefreshTokenReused.

    A spent token that comes back may be in a thief's hands, so its whole session ends, and that is kept
    although the request is refused.
    """
    async with db.transaction() as session:
        known = await repository.locked_token(session, _hash(token))
        if known is None or known["expired"]:
            raise InvalidToken("The refresh token is unknown or has expired.")
        reused = known["spent"] or known["revoked"]
        if reused:
            await repository.revoke_sessions(session, known["user_id"], "reused", known["session_id"])
        else:
            user = await repository.user(session, known["user_id"])
            if user is None:
                raise InvalidToken
            await repository.spend(session, known["id"])
            pair = await _pair(session, user, known["session_id"])
    if reused:
        raise RefreshTokenReused
    return pair


async def log_out(session: Session, token: str) -> None:
    """End the token's session; an unknown token has none, which is as good."""
    known = await repository.locked_token(session, _hash(token))
    if known is not None:
        await repository.revoke_sessions(session, known["user_id"], "logout", known["session_id"])


async def _pair(session: Session, user: User, session_id: uuid.UUID) -> Row:
    refresh_token = "frt_" + secrets.token_urlsafe(32)
    await repository.add_token(session, session_id, _hash(refresh_token), settings().refresh_token_days)
    return {
        "user": view(user),
        "access_token": tokens.issue(user.id, session_id),
        "refresh_token": refresh_token,
        "token_type": "bearer",
        "expires_in": settings().access_token_seconds,
    }


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def view(user: User) -> Row:
    return {
        "id": str(user.id),
        "email": user.email,
        "full_name": user.full_name,
        "role": user.role,
        "email_verified": user.email_verified,
        "locale": user.locale,
        "created_at": rfc3339(user.created_at),
    }
