"""Bookings without an account."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from app.bookings import guests
from app.bookings.errors import BookingNotFound, GuestLinkNotFound
from app.bookings.schemas import GuestLookup, GuestToken
from app.bookings.shapes import GuestBooking, GuestLinkAsked, MaskedBooking
from app.core.errors import CardNumberRefused, TooManyRequests
from app.core.origin import customer
from app.core.web.dependencies import SessionDep
from app.core.web.problems import problems

router = APIRouter(prefix="/bookings", tags=["Bookings"])

_ASKED = {
    "message": "If the reference and the name belong together, a link is on its way to the booking's address."
}


@router.post(
    "/lookup",
    response_model=MaskedBooking,
    responses=problems(BookingNotFound, TooManyRequests, CardNumberRefused),
)
async def look_up_booking(data: GuestLookup, request: Request) -> JSONResponse:
    """Where a booking goes and when, for who knows its reference and a traveller's family name.

    Five failures in 15 minutes close this to an address, ten in an hour to a reference, and twenty in five minutes
    to everybody; a link can be asked for all the while.
    """
    return JSONResponse(await guests.lookup(data, _address(request)))


@router.post("/lookup/link", status_code=202, response_model=GuestLinkAsked)
async def request_guest_link(data: GuestLookup, request: Request, session: SessionDep) -> JSONResponse:
    """Have a link mailed to the booking's address. The answer is the same whether or not there is such a booking.

    A booking gets at most three links in 15 minutes, and an address can ask for ten; what is beyond is left undone.
    """
    await guests.request_link(session, data, _address(request))
    return JSONResponse(_ASKED, 202)


@router.post("/guest", response_model=GuestBooking, responses=problems(GuestLinkNotFound))
async def open_guest_link(data: GuestToken, session: SessionDep) -> JSONResponse:
    """Exchange the token of a mailed link, once, for the booking and a token that reads it for half an hour."""
    return JSONResponse(await guests.open_link(session, data.token))


def _address(request: Request) -> str:
    return customer(request.client.host if request.client else "")
