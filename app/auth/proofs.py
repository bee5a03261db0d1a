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
    Only wrong ones count: an app may ask for several things at once. Of many wrong ones at once no more are answered
    than the limit allows, and a right one among them opens nothing.
    """
    tries = (_TRIES, str(user_id))
    with passwords.place():
        async with db.transaction() as session:
            await attempts.check(session, *tries)
            user = await repository.user(session, user_id)
        if user is None:
            raise InvalidToken
        right = await passwords.fits(password, user.password_hash)
        async with db.transaction() as session:
            # Whoever tries in the same moment is answered before or after: so many failures are, and no more.
            await attempts.check(session, *tries, in_turn=True)
            await (attempts.forget if right else attempts.note)(session, *tries)
        if not right:
            raise NotConfirmed
        return user


async def still(session: Session, proven: User) -> User:
    """The account for this transaction alone, its password still the one that was said. Raises NotConfirmed."""
    user = await repository.locked_user(session, proven.id)
    if user is None or user.password_hash != proven.password_hash:
        raise NotConfirmed
    return user
