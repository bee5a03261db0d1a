"""Following a flight: whoever wants to hear of it, booked or not."""

import uuid
from datetime import datetime

from app.auth import service as accounts
from app.core import clock, cursors
from app.core.db import Row, Session
from app.flights import followed, watch
from app.flights.errors import FlightOver, TooManyFollowed
from app.flights.service import find, view

MOST = 50
_OVER = ("landed", "cancelled")


async def follow(session: Session, user_id: uuid.UUID, flight_id: str) -> tuple[Row, bool]:
    """The flight as it is followed from now on, and whether that is new.

    The account is locked, so that of two requests at once the second counts the first one's.
    Raises FlightNotFound, FlightOver, TooManyFollowed.
    """
    flight = await find(session, flight_id)
    await accounts.lock(session, user_id)
    since, begun = await followed.since(session, user_id, flight["id"]), False
    if since is None:
        if flight["status"] in _OVER or clock.now() > flight["arrives_at"] + watch.AFTER:
            raise FlightOver
        if await followed.ahead(session, user_id) >= MOST:
            raise TooManyFollowed(
                f"You follow {MOST} flights that are still to come; leave one of them first."
            )
        since, begun = await followed.follow(session, user_id, flight["id"])
    return _shown(flight | {"followed_at": since}), begun


async def unfollow(session: Session, user_id: uuid.UUID, flight_id: str) -> None:
    """Whether it was followed or not. Raises FlightNotFound."""
    await followed.unfollow(session, user_id, (await find(session, flight_id))["id"])


async def listed(session: Session, user_id: uuid.UUID, size: int, cursor: str | None) -> Row:
    """What somebody follows, the latest first."""
    found = await followed.of_user(session, user_id, _place(cursor), size + 1)
    last = found[size - 1] if len(found) > size else None
    following = cursors.pack([last["followed_at"].isoformat(), last["id"]]) if last else None
    return {"data": [_shown(flight) for flight in found[:size]], "next_cursor": following}


def _shown(flight: Row) -> Row:
    return view(flight) | {"followed_at": clock.rfc3339(flight["followed_at"])}


def _place(cursor: str | None) -> tuple[datetime, int] | None:
    if cursor is None:
        return None
    try:
        at, flight_id = cursors.unpack(cursor)
        place = datetime.fromisoformat(at), flight_id
    except (TypeError, ValueError):
        raise cursors.invalid() from None
    if type(flight_id) is not int or not 0 < flight_id < 2**63 or place[0].tzinfo is None:
        raise cursors.invalid()
    return place
