"""Who may read a booking, for routes that show one."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends

from app.auth import tokens
from app.auth.dependencies import Bearer
from app.bookings import guests, service
from app.core.db import Row, Session
from app.core.errors import Unauthorized

_Read = Callable[[Session, str], Awaitable[Row]]


async def _read(credentials: Bearer) -> _Read:
    """Reads the owner's bookings with an access token, and the one of a guest's token with that."""
    if credentials is None:
        raise Unauthorized("Send `Authorization: Bearer <access token or guest token>`.")
    token = credentials.credentials
    guest = guests.guest(token)
    if guest is not None:
        return lambda session, pnr: guests.read(session, guest, pnr)
    user_id = tokens.read(token).user_id
    return lambda session, pnr: service.read(session, user_id, pnr)


# `await read(session, pnr)` is the booking. For routes that change nothing: a guest only reads.
BookingReader = Annotated[_Read, Depends(_read)]
