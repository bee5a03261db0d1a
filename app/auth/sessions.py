"""Sessions: opened by a login, kept alive by refresh tokens that are spent one by one, ended by a logout."""

import hashlib
import secrets
import uuid

from app.auth import notices, repository, revoked, tokens
from app.auth.errors import InvalidCredentials, InvalidToken, RefreshTokenReused, SessionNotFound
from app.auth.models import User
from app.core import attempts, audit, crypto, cursors, db, origin
from app.core.clock import rfc3339
from app.core.config import settings
from app.core.db import Row, Session

_REFRESHES = attempts.Policy("refresh", 30, 60)
_REUSED = "reused"
_LONGEST_USER_AGENT = 200


async def opened(session: Session, user: User, *, second_factor: bool = False) -> Row:
    """A new session of this user, as its first pair of tokens.

    Raises InvalidCredentials for a suspended account, which nobody is told apart from a wrong password.
    """
    if not await repository.may_open(session, user.id):
        raise InvalidCredentials
    session_id = uuid.uuid4()
    await repository.add_session(
        session,
        session_id,
        user.id,
        settings().session_days,
        user_agent=_user_agent(),
        network=origin.network(origin.address.get()) or None,
        second_factor=second_factor,
    )
    refresh_token = _new_token()
    await repository.add_token(session, session_id, _hash(refresh_token), settings().refresh_token_days)
    return _pair(user, session_id, refresh_token)


async def refresh(token: str) -> Row:
    """A new pair for a refresh token, which is spent. Raises InvalidToken, RefreshTokenReused, TooManyRequests.

    An app that lost the answer, or has several tabs, gets the same new token again for some seconds. Any other spent
    token that comes back may be in a thief's hands, so its whole session ends, and that is kept although the
    request is refused.
    """
    async with db.transaction() as session:
        known = await repository.locked_token(session, _hash(token), settings().refresh_grace_seconds)
        if known is None or known["expired"]:
            raise InvalidToken("The refresh token is unknown or has expired.")
        if known["ended"] is not None:
            raise RefreshTokenReused if known["ended"] == _REUSED else InvalidToken("The session has ended.")
        user = await repository.user(session, known["user_id"])
        if user is None:
            raise InvalidToken
        if not known["spent"]:
            return _pair(user, known["session_id"], await _rotated(session, known, token))
        if known["child_sealed"] is not None:
            return _pair(user, known["session_id"], crypto.open_with(token, known["child_sealed"]))
        await _end_reused(session, known)
    raise RefreshTokenReused


async def log_out(session: Session, token: str) -> None:
    """End the token's session; an unknown token has none, which is as good."""
    known = await repository.locked_token(session, _hash(token), 0)
    if known is not None:
        await end(session, known["user_id"], "logout", only=known["session_id"])


async def end(
    session: Session,
    user_id: uuid.UUID,
    reason: str,
    *,
    only: uuid.UUID | None = None,
    keep: uuid.UUID | None = None,
) -> int:
    """End one of a user's sessions, all of them, or all but one; how many there were."""
    ended = await repository.revoke_sessions(session, user_id, reason, only, keep)
    revoked.after_commit(session, ended)
    return len(ended)


async def page(
    session: Session, user_id: uuid.UUID, current: uuid.UUID, cursor: str | None, size: int
) -> Row:
    """Where the user is signed in, newest first."""
    found = await repository.live_sessions(session, user_id, cursors.moment(cursor), size + 1)
    shown = [_view(one, current) for one in found[:size]]
    return cursors.page(shown, found, size, "created_at")


async def revoke(session: Session, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """Sign out somewhere else. Raises SessionNotFound, also for somebody else's."""
    if not await end(session, user_id, "revoked", only=session_id):
        raise SessionNotFound
    await audit.record(
        session,
        "session.revoked",
        by="user",
        actor=user_id,
        subject=f"user:{user_id}",
        session_id=str(session_id),
    )


async def revoke_all(session: Session, user_id: uuid.UUID, keep: uuid.UUID | None) -> None:
    """Sign out everywhere, or everywhere else."""
    ended = await end(session, user_id, "revoked", keep=keep)
    subject = f"user:{user_id}"
    await audit.record(session, "sessions.revoked", by="user", actor=user_id, subject=subject, sessions=ended)


async def _rotated(session: Session, known: Row, token: str) -> str:
    """The child of a live token. Only these count against the limit, so that many tabs are one attempt."""
    await attempts.spend_in(session, _REFRESHES, str(known["session_id"]))
    child = _new_token()
    await repository.spend(session, known, crypto.seal_with(token, child))
    days = settings().refresh_token_days
    await repository.add_token(session, known["session_id"], _hash(child), days, known["id"])
    return child


async def _end_reused(session: Session, known: Row) -> None:
    """Who presents the token may be the thief or the owner: both are signed out, and the owner is told."""
    await end(session, known["user_id"], _REUSED, only=known["session_id"])
    await audit.record(
        session,
        "session.reused",
        by="nobody",
        subject=f"user:{known['user_id']}",
        session_id=str(known["session_id"]),
    )
    await notices.tell(session, known["user_id"], "session_reused")


def _pair(user: User, session_id: uuid.UUID, refresh_token: str) -> Row:
    return {
        "user": view(user),
        "access_token": tokens.issue(user.id, session_id),
        "refresh_token": refresh_token,
        "token_type": "bearer",
        "expires_in": settings().access_token_seconds,
    }


def _new_token() -> str:
    return "frt_" + secrets.token_urlsafe(32)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _user_agent() -> str | None:
    """What can be shown to its owner of what a client says it is."""
    said = origin.user_agent.get().decode(errors="replace")
    return "".join(character for character in said if character.isprintable())[:_LONGEST_USER_AGENT] or None


def _view(found: Row, current: uuid.UUID) -> Row:
    return {
        "id": str(found["id"]),
        "created_at": rfc3339(found["created_at"]),
        "last_used_at": rfc3339(found["last_used_at"]),
        "expires_at": rfc3339(found["expires_at"]),
        "user_agent": found["user_agent"],
        "network": found["network"],
        "current": found["id"] == current,
    }


def view(user: User) -> Row:
    return {
        "id": str(user.id),
        "email": user.email,
        "full_name": user.full_name,
        "role": user.role,
        "email_verified": user.email_verified,
        "locale": user.locale,
        "totp_enabled": user.totp_confirmed_at is not None,
        "created_at": rfc3339(user.created_at),
    }
