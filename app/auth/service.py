"""Accounts: sign up, log in, who somebody is."""

import uuid

from app.auth import passwords, repository, sessions
from app.auth.errors import EmailTaken, InvalidCredentials, InvalidToken
from app.auth.models import User
from app.auth.schemas import Login, Signup
from app.core import attempts, db, origin
from app.core.db import Row, Session

_FAILURES = attempts.Policy("login", 10, 15 * 60)


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
        return await sessions.opened(session, user)


async def log_in(data: Login, client: str) -> Row:
    """A new session. Raises InvalidCredentials, TooManyRequests.

    An unknown address is answered like a wrong password and takes as long. The hash is computed outside any
    transaction, so that a flood of logins holds no connections.
    """
    caller = f"{data.email} {origin.network(client)}"
    async with db.transaction() as session:
        user = await repository.user_by_email(session, data.email)
    await attempts.spend(_FAILURES, caller)
    right = await passwords.fits(data.password, user.password_hash if user else None)
    if user is None or not right:
        raise InvalidCredentials
    async with db.transaction() as session:
        await attempts.forget(session, _FAILURES, caller)
        return await sessions.opened(session, user)


async def me(session: Session, user_id: uuid.UUID) -> Row:
    """Raises InvalidToken when the account is gone."""
    return sessions.view(await _user(session, user_id))


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
    await attempts.purge(session)


async def _user(session: Session, user_id: uuid.UUID) -> User:
    user = await repository.user(session, user_id)
    if user is None:
        raise InvalidToken
    return user
