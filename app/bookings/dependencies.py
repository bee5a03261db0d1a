"""Who may read a booking, for routes that show one."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from app.auth import revoked, tokens
from app.auth.dependencies import Bearer, caller_of
from app.bookings import checking_in, guests, service
from app.core.db import Row, Session
from app.core.errors import Unauthorized

_Read = Callable[[Session, str], Awaitable[Row]]


async def _read(request: Request, credentials: Bearer) -> _Read:
    """Reads the owner's bookings with an access token, and the one of a guest's token with that."""
    return await _as_caller(request, credentials, service.read)


async def _board(request: Request, credentials: Bearer) -> _Read:
    return await _as_caller(request, credentials, checking_in.open_flights)


async def _as_caller(
    request: Request, credentials: Bearer, owner: Callable[[Session, uuid.UUID, str], Awaitable[Row]]
) -> _Read:
    """What the owner does; a guest only reads."""
    token = _token(credentials)
    guest = guests.guest(token)
    if guest is not None:
        return lambda session, pnr: guests.read(session, guest, pnr)
    user_id = (await caller_of(request, token)).user_id
    return lambda session, pnr: owner(session, user_id, pnr)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who watches a booking until their token ends, if it does; `find` gives its reference, or raises
    BookingNotFound. `barred` returns once the viewer's session or key is revoked; a guest's token cannot be.
    """

    name: str
    ends_at: int | None
    find: Callable[[Session, str], Awaitable[str]]
    barred: Callable[[], Awaitable[None]] | None = None


async def _viewer(request: Request, credentials: Bearer) -> Viewer:
    token = _token(credentials)
    guest = guests.guest(token)
    if guest is not None:

        async def guests_own(_: Session, pnr: str) -> str:
            return guests.own(guest, pnr)

        return Viewer(f"guest of {guest.pnr}", guest.expires_at, guests_own)
    caller = await caller_of(request, token)

    async def owned(session: Session, pnr: str) -> str:
        reference: str = (await service.find(session, caller.user_id, pnr))["pnr"]
        return reference

    ends_at = tokens.ends_at(token) if caller.scopes is None else None
    return Viewer(str(caller.user_id), ends_at, owned, partial(revoked.revocation, caller.session_id))


def _token(credentials: Bearer) -> str:
    if credentials is None:
        raise Unauthorized("Send `Authorization: Bearer <access token or guest token>`.")
    return credentials.credentials


# `await read(session, pnr)` is the booking. For routes that change nothing: a guest only reads.
BookingReader = Annotated[_Read, Depends(_read)]
# The same, after whoever can be is checked in where it is the owner who asks.
BoardingReader = Annotated[_Read, Depends(_board)]
BookingViewer = Annotated[Viewer, Depends(_viewer)]
