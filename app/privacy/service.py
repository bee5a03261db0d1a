"""Give people what is known about them, and forget it.

Each feature says in its `personal.py` what it holds and how it forgets that; here is the list of them. An export is
answered at once and kept nowhere: no file with everything about somebody ever lies around.
"""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from app.auth import personal as auth
from app.auth import proofs, second_factor
from app.auth.errors import InvalidToken, NotConfirmed
from app.bookings import personal as bookings
from app.core import attempts, audit, clock, db, idempotency, outbox
from app.core.attempts import Policy
from app.core.db import Row, Session
from app.core.logging import logger
from app.flights import personal as flights
from app.notifications import personal as notifications
from app.payments import personal as payments
from app.privacy import repository
from app.privacy.errors import OpenTrips
from app.webhooks import personal as webhooks

log = logger("jetway.privacy")

# Who holds something about people, and tells it.
TOLD: tuple[Callable[[Session, uuid.UUID], Awaitable[Row]], ...] = (
    auth.told,
    bookings.told,
    flights.told,
    notifications.told,
    webhooks.told,
    idempotency.told,
    audit.told,
)
# Who forgets it, in the order in which things find what they belong to; the audit log names people by ids alone.
ERASED: tuple[Callable[[Session, uuid.UUID], Awaitable[None]], ...] = (
    webhooks.erase,
    notifications.erase,
    idempotency.erase,
    outbox.erase,
    payments.erase,
    bookings.erase,
    flights.erase,
    auth.erase,
)

_EXPORTS = Policy("export", 2, 24 * 3600)


async def export(user_id: uuid.UUID, password: str) -> Row:
    """Everything that is known about a person. Raises NotConfirmed, InvalidToken, TooManyRequests."""
    await proofs.password(user_id, password)
    async with db.transaction() as session:
        await attempts.spend_in(session, _EXPORTS, str(user_id))
        everything: Row = {"exported_at": clock.rfc3339(clock.now())}
        for told in TOLD:
            everything |= await told(session, user_id)
        await audit.record(session, "privacy.exported", by="user", actor=user_id, subject=f"user:{user_id}")
    return everything


async def erase(user_id: uuid.UUID, password: str, code: str | None) -> None:
    """Forget a person. Raises NotConfirmed, InvalidToken, TooManyRequests, OpenTrips.

    A wrong code is counted although the request is refused.
    """
    proven = await proofs.password(user_id, password)
    async with db.transaction() as session:
        account = await repository.lock(session, user_id)
        if account is None or account["erased_at"] is not None:
            raise InvalidToken  # Asked twice at once.
        user = await proofs.still(session, proven)
        right = user.totp_confirmed_at is None or await second_factor.accepts(session, user, code or "")
        if right:
            trips = await bookings.open_trips(session, user_id)
            if trips:
                raise OpenTrips("Cancel these or wait until they are over.", trips=trips)
            await forget(session, user_id, by="user")
    if not right:
        raise NotConfirmed


async def forget(session: Session, user_id: uuid.UUID, by: audit.Actor) -> None:
    """Erase an account's data, be it for the first time or again, and keep that it was done."""
    for erased in ERASED:
        await erased(session, user_id)
    await repository.note(session, user_id)
    actor = user_id if by == "user" else None
    await audit.record(session, "privacy.erased", by=by, actor=actor, subject=f"user:{user_id}")


async def forget_latecomers() -> None:
    """Erase again where a request that was under way during an erasure has left something behind."""
    async with db.transaction() as session:
        late = await repository.come_back(session)
    for user_id in late:
        async with db.transaction() as session:
            await repository.lock(session, user_id)
            await forget(session, user_id, by="system")
        log.warning("erased again", user=str(user_id))


async def erased(after: Any = None, most: int = 1000) -> list[Row]:
    """Who was erased and when, in that order."""
    async with db.transaction() as session:
        return await repository.every(session, after, most)


async def forget_again(user_id: uuid.UUID) -> bool:
    """Erase somebody anew after an old copy of the database was restored; false where there is no such account."""
    async with db.transaction() as session:
        if await repository.lock(session, user_id) is None:
            return False
        await forget(session, user_id, by="operator")
    return True
