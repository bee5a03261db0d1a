"""Accounts: sign up, log in, who somebody is."""

import uuid

from app.auth import challenges, lookups, notices, passwords, repository, second_factor, sessions
from app.auth.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidToken,
    LoginCodeRequired,
    TotpRequired,
    WrongCode,
)
from app.auth.models import User
from app.auth.schemas import Login, Signup
from app.core import attempts, audit, db, origin
from app.core.config import settings
from app.core.db import Row, Session
from app.core.errors import AppError
from app.core.logging import logger
from app.core.metrics import LOGIN_ALARMS, LOGINS

log = logger("jetway.auth")

# Only failures count. The first is of an account from a network; what one account fails from anywhere locks nobody
# out, but has the right password prove itself by a mailed code.
_FAILURES = attempts.Policy("login", 5, 15 * 60)
_FAILURES_OF_ADDRESS = attempts.Policy("login_address", 20, 5 * 60)
_FAILURES_OF_ACCOUNT = attempts.Policy("login_account", 100, 60 * 60)
_ALARMING, _ALARMING_SECONDS = 500, 5 * 60
_SIGNUPS = attempts.Policy("signup", 5, 60 * 60)


async def sign_up(data: Signup) -> Row:
    """A new account and its first session. Raises WeakPassword, EmailTaken, TooManyRequests, Overloaded.

    The hash is computed whether or not the address is taken, so that the time tells nothing more than the answer.
    """
    passwords.require_strong(data.password, about=(data.email, data.full_name))
    if settings().by_address:
        await attempts.spend(_SIGNUPS, origin.customer(origin.address.get()))
    with passwords.place():
        password_hash = await passwords.hashed(data.password)
    async with db.transaction() as session:
        user = await repository.add_user(
            session, data.email, data.full_name, password_hash, locale=data.locale
        )
        if user is None:
            raise EmailTaken
        await challenges.begin(session, "verify_email", user.id)
        await notices.note(session, user.id, "account.created")
        return await sessions.opened(session, user)


async def log_in(data: Login) -> Row:
    """A new session.

    Raises InvalidCredentials, TotpRequired, LoginCodeRequired, WrongCode, TooManyRequests, Overloaded.
    An unknown address is answered like a wrong password, and costs the same. Hashes are computed outside any
    transaction, so that a flood of logins holds no connections.
    """
    with passwords.place():
        answer = await _decided(data)
    if isinstance(answer, AppError):
        raise answer
    return answer


async def _decided(data: Login) -> Row | AppError:
    """A session, or a refusal that is to be raised once what has been counted is durable."""
    async with db.transaction() as session:
        user = await repository.user_by_email(session, data.email)
        await _require_room(session, data.email)
    stored = user.password_hash if user else None
    right = await passwords.fits(data.password, stored)
    renewed = await passwords.hashed(data.password) if right and passwords.is_outdated(stored or "") else None
    async with db.transaction() as session:
        # Whoever tries in the same moment is answered before or after: so many failures are, and no more.
        await _require_room(session, data.email, in_turn=True)
        known = await _unchanged(session, user) if right else None
        if known is None:
            return await _failed(session, data.email, user)
        if renewed:
            await lookups.keep_hash(session, known.id, renewed)
        return await _proven(session, known, data)


async def _require_room(session: Session, email: str, *, in_turn: bool = False) -> None:
    """Raises TooManyRequests where too many logins of this account failed from here, or of any from this address."""
    address = origin.address.get()
    await attempts.check(session, _FAILURES, f"{email} {origin.network(address)}", in_turn=in_turn)
    if settings().by_address:
        await attempts.check(session, _FAILURES_OF_ADDRESS, origin.customer(address), in_turn=in_turn)


async def _unchanged(session: Session, user: User | None) -> User | None:
    """The account for this transaction alone, if it is open and its password is still the one that was right."""
    now = await repository.locked_user(session, user.id) if user else None
    if now is None or user is None or now.password_hash != user.password_hash:
        return None
    return now if now.suspended_at is None and now.erased_at is None else None


async def _failed(session: Session, email: str, user: User | None) -> AppError:
    """Count it, for an address that nobody has as well."""
    address = origin.address.get()
    await attempts.note(session, _FAILURES, f"{email} {origin.network(address)}")
    if settings().by_address:
        await attempts.note(session, _FAILURES_OF_ADDRESS, origin.customer(address))
    await attempts.note(session, _FAILURES_OF_ACCOUNT, email)
    await audit.record(
        session,
        "login.failed",
        by="user" if user else "nobody",
        actor=user.id if user else None,
        subject=f"user:{user.id}" if user else None,
    )
    LOGINS.labels("failed").inc()
    most = _ALARMING + 1
    if await attempts.count_of_all(session, _FAILURES_OF_ACCOUNT, _ALARMING_SECONDS, most) == most:
        LOGIN_ALARMS.inc()
        log.warning("many logins fail", more_than=_ALARMING, in_seconds=_ALARMING_SECONDS)
    return InvalidCredentials()


async def _proven(session: Session, user: User, data: Login) -> Row | AppError:
    """A session for who has said the right password, or what is asked for beside it."""
    refusal = await _wanted_beside(session, user, data)
    if refusal is not None:
        LOGINS.labels("wrong_code" if isinstance(refusal, WrongCode) else "code_required").inc()
        return refusal
    here = origin.network(origin.address.get())
    await attempts.forget(session, _FAILURES, f"{user.email} {here}")
    second = user.totp_confirmed_at is not None
    await notices.note(session, user.id, "login.succeeded", second_factor=second)
    LOGINS.labels("succeeded").inc()
    return await sessions.opened(session, user, second_factor=second)


async def _wanted_beside(session: Session, user: User, data: Login) -> AppError | None:
    code = data.code
    if user.totp_confirmed_at is not None:
        if code is None:
            return TotpRequired()
        return None if await second_factor.accepts(session, user, code) else WrongCode()
    if not await _is_attacked(session, user):
        return None
    if code is None or data.attempt is None:
        return LoginCodeRequired(attempt=str(await challenges.mail_code(session, user.id)))
    if await challenges.accepts_code(session, user.id, uuid.UUID(data.attempt), code):
        return None
    await notices.note(session, user.id, "second_factor.failed")
    return WrongCode()


async def _is_attacked(session: Session, user: User) -> bool:
    """Whether so many guess this password that one of them may have; never for a network the owner has been in.

    Without a mail server no code could come, and who guesses would have locked the owner out.
    """
    if not settings().smtp_url:
        return False
    made = await attempts.count(session, _FAILURES_OF_ACCOUNT, user.email)
    if made < _FAILURES_OF_ACCOUNT.quota:
        return False
    return not await lookups.knows_network(session, user.id, origin.network(origin.address.get()))


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
    """Create an account that operators ask for, who vouch for its address; false if the address is taken."""
    with passwords.place():
        password_hash = await passwords.hashed(password)
    async with db.transaction() as session:
        user = await repository.add_user(session, email.lower(), full_name, password_hash, role)
        if user is not None:
            user.email_verified = True
    return user is not None


async def purge(session: Session) -> None:
    await repository.purge(session)
    await lookups.purge_challenges(session)
    await attempts.purge(session)


async def _user(session: Session, user_id: uuid.UUID) -> User:
    user = await repository.user(session, user_id)
    if user is None:
        raise InvalidToken
    return user
