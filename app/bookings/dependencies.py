"""Who may read a booking, for routes that show one."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from app.auth import tokens
from app.auth.dependencies import Bearer
from app.bookings import checking_in, guests, service
from app.core.db import Row, Session
from app.core.errors import Unauthorized

_Read = Callable[[Session, str], Awaitable[Row]]


async def _read(credentials: Bearer) -> _Read:
    """Reads the owner's bookings with an access token, and the one of a guest's token with that."""
    return _as_caller(credentials, service.read)


async def _board(credentials: Bearer) -> _Read:
    return _as_caller(credentials, checking_in.open_flights)


def _as_caller(credentials: Bearer, owner: Callable[[Session, uuid.UUID, str], Awaitable[Row]]) -> _Read:
    """What the owner does; a guest only reads."""
    token = _token(credentials)
    guest = guests.guest(token)
    if guest is not None:
        return lambda session, pnr: guests.read(session, guest, pnr)
    user_id = tokens.read(token).user_id
    return lambda session, pnr: owner(session, user_id, pnr)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who watches a booking until their token ends; `find` gives its reference, or raises BookingNotFound."""

    name: str
    expires_at: int
    find: Callable[[Session, str], Awaitable[str]]


async def _viewer(credentials: Bearer) -> Viewer:
    token = _token(credentials)
    guest = guests.guest(token)
    if guest is not None:

        async def guests_own(_: Session, pnr: str) -> str:
            return guests.own(guest, pnr)

        return Viewer(f"guest of {guest.pnr}", guest.expires_at, guests_own)
    user_id = tokens.read(token).user_id

    async def owned(session: Session, pnr: str) -> str:
        reference: str = (await service.find(session, user_id, pnr))["pnr"]
        return reference

    return Viewer(str(user_id), tokens.expires_at(token), owned)


def _token(credentials: Bearer) -> str:
    if credentials is None:
        raise Unauthorized("Send `Authorization: Bearer <access token or guest token>`.")
    return credentials.credentials


# `await read(session, pnr)` is the booking. For routes that change nothing: a guest only reads.
BookingReader = Annotated[_Read, Depends(_read)]
# The same, after whoever can be is checked in where it is the owner who asks.
BoardingReader = Annotated[_Read, Depends(_board)]
BookingViewer = Annotated[Viewer, Depends(_viewer)]
