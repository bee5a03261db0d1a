"""Somebody who is signed in says their password once more, before what a thief of the session would like to do."""

import uuid

from app.auth import passwords, repository
from app.auth.errors import InvalidToken, NotConfirmed
from app.auth.models import User
from app.core import attempts, db
from app.core.db import Session

_TRIES = attempts.Policy("password_again", 5, 15 * 60)


async def password(user_id: uuid.UUID, password: str) -> User:
    """The account, as it was when its password was said.

    Raises NotConfirmed, TooManyRequests, InvalidToken, Overloaded.
    An attempt is counted before it is made, so that of many at once no more are answered than the limit allows.
    """
    with passwords.place():
        await attempts.spend(_TRIES, str(user_id))
        async with db.transaction() as session:
            user = await repository.user(session, user_id)
        if user is None:
            raise InvalidToken
        if not await passwords.fits(password, user.password_hash):
            raise NotConfirmed
        async with db.transaction() as session:
            await attempts.forget(session, _TRIES, str(user_id))
        return user


async def still(session: Session, proven: User) -> User:
    """The account for this transaction alone, its password still the one that was said. Raises NotConfirmed."""
    user = await repository.locked_user(session, proven.id)
    if user is None or user.password_hash != proven.password_hash:
        raise NotConfirmed
    return user
