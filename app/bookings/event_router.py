"""What happens to a booking, told as it happens."""

from time import time
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query
from starlette.responses import Response

from app.auth.dependencies import NOT_SIGNED_IN
from app.bookings import events
from app.bookings.dependencies import BookingViewer
from app.bookings.errors import BookingNotFound, TooManyEventStreams, UnknownEvent
from app.core.web.dependencies import SessionDep
from app.core.web.problems import problems

router = APIRouter(prefix="/bookings", tags=["Bookings"])

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events, until the stream ends",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": "id: K7QX2M.3.ZZ101-20261222-JFK.0\nevent: payment.succeeded\n"
                'data: {"id":"evt_0197…","type":"payment.succeeded","created_at":"2026-12-01T08:00:00Z",'
                '"sequence":3,"data":{"pnr":"K7QX2M"}}\n\n',
            }
        },
    }
}


@router.get(
    "/{pnr}/events",
    status_code=200,
    response_class=events.BookingStream,
    responses=_EVENTS | problems(*NOT_SIGNED_IN, BookingNotFound, UnknownEvent, TooManyEventStreams),
)
async def follow_booking(
    viewer: BookingViewer,
    session: SessionDep,
    pnr: Annotated[str, Path(max_length=20, examples=["K7QX2M"])],
    last_event_id: Annotated[
        str | None, Query(max_length=4000, description="For clients that cannot set the header.")
    ] = None,
    last_event_id_header: Annotated[str | None, Header(alias="Last-Event-ID", max_length=4000)] = None,
) -> Response:
    """What happens to a booking and to its flights, as server-sent events, within a second.

    Each has the type of a webhook's event and its body. Without an id the stream begins with a `snapshot`: read the
    booking when it comes, and nothing is missed. With the id of the last event that was received it begins with
    everything since. It ends with the token or the session, or after an hour; clients connect again by themselves.
    A guest token will do as well.
    """
    reference = await viewer.find(session, pnr)
    beginning = await events.begin(session, reference, last_event_id_header or last_event_id)
    seconds = viewer.ends_at - time() if viewer.ends_at is not None else None
    return events.BookingStream(beginning, viewer.name, seconds, viewer.barred)
