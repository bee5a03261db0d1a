"""Accounts and sessions: sign up, log in, refresh, log out."""

import hashlib
import secrets
import uuid
from datetime import timedelta

from app.auth import passwords, repository, tokens
from app.auth.errors import EmailTaken, InvalidCredentials, InvalidToken, RefreshTokenReused, TooManyLogins
from app.auth.models import User
from app.auth.schemas import Login, Signup
from app.core import db
from app.core.clock import rfc3339
from app.core.config import settings
from app.core.db import Row, Session

_FAILURES = 10
_FAILURE_WINDOW = timedelta(minutes=15)


async def sign_up(data: Signup) -> Row:
    """A new account and its first session. Raises WeakPassword, EmailTaken."""
    passwords.require_strong(data.password, about=(data.email, data.email.split("@")[0], data.full_name))
    password_hash = await passwords.hashed(data.password)
    async with db.transaction() as session:
        user = await repository.add_user(
            session, data.email, data.full_name, password_hash, locale=data.locale
        )
        if user is None:
            raise EmailTaken
        return await _opened(session, user)


async def log_in(data: Login, client: str) -> Row:
    """A new session. Raises InvalidCredentials, TooManyLogins.

    An unknown address is answered like a wrong password and takes as long. The hash is computed outside any
    transaction, so that a flood of logins holds no connections.
    """
    async with db.transaction() as session:
        user = await repository.user_by_email(session, data.email)
        failures = await repository.recent_failures(session, data.email, client, _FAILURE_WINDOW)
    if settings().rate_limit_enabled and failures >= _FAILURES:
        raise TooManyLogins(retry_after=int(_FAILURE_WINDOW.total_seconds()))
    right = await passwords.fits(data.password, user.password_hash if user else None)
    if user is None or not right:
        async with db.transaction() as session:
            await repository.add_failure(session, data.email, client)
        raise InvalidCredentials
    async with db.transaction() as session:
        if failures:
            await repository.forget_failures(session, data.email, client)
        return await _opened(session, user)


async def refresh(token: str) -> Row:
    """A new pair for a refresh token, which is spent. Raises InvalidToken, RefreshTokenReused.

    A spent token that comes back may be in a thief's hands, so its whole family ends, and that is kept
    although the request is refused.
    """
    async with db.transaction() as session:
        known = await repository.locked_token(session, _hash(token))
        if known is None or known["expired"]:
            raise InvalidToken("The refresh token is unknown or has expired.")
        reused = known["spent"] or known["revoked"]
        if reused:
            await repository.revoke_family(session, known["family_id"])
        else:
            user = await repository.user(session, known["user_id"])
            if user is None:
                raise InvalidToken
            await repository.spend(session, known["id"])
            pair = await _opened(session, user, known["family_id"])
    if reused:
        raise RefreshTokenReused
    return pair


async def log_out(session: Session, token: str) -> None:
    """End the token's session; an unknown token has none, which is as good."""
    known = await repository.locked_token(session, _hash(token))
    if known is not None:
        await repository.revoke_family(session, known["family_id"])


async def me(session: Session, user_id: uuid.UUID) -> Row:
    """Raises InvalidToken when the account is gone."""
    return view(await _user(session, user_id))


async def is_admin(session: Session, user_id: uuid.UUID) -> bool:
    return (await _user(session, user_id)).role == "admin"


async def lock(session: Session, user_id: uuid.UUID) -> User:
    """An account whose things this transaction alone counts and changes. Raises InvalidToken when it is gone."""
    user = await repository.locked_user(session, user_id)
    if user is None:
        raise InvalidToken
    return user


async def ensure_account(email: str, password: str, full_name: str, role: str = "user") -> bool:
    """Create an account that operators ask for; false if the address is taken."""
    password_hash = await passwords.hashed(password)
    async with db.transaction() as session:
        return await repository.add_user(session, email.lower(), full_name, password_hash, role) is not None


async def purge(session: Session) -> None:
    await repository.purge(session)


async def _user(session: Session, user_id: uuid.UUID) -> User:
    user = await repository.user(session, user_id)
    if user is None:
        raise InvalidToken
    return user


async def _opened(session: Session, user: User, family: uuid.UUID | None = None) -> Row:
    """A fresh pair of tokens; without a family it starts a session."""
    family = family or uuid.uuid4()
    refresh_token = "frt_" + secrets.token_urlsafe(32)
    await repository.add_token(session, family, user.id, _hash(refresh_token), settings().refresh_token_days)
    return {
        "user": view(user),
        "access_token": tokens.issue(user.id, family),
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
