"""Bookings of the signed-in user."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse, Response

from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.bookings import service
from app.bookings.dependencies import BookingReader
from app.bookings.errors import (
    BookingNotFound,
    DuplicatePassenger,
    InfantWithoutAdult,
    InvalidName,
    PassengersMismatch,
    PaymentNotOffered,
)
from app.bookings.schemas import BookingIn, BookingList, BookingOut, Status
from app.core.web.dependencies import SessionDep
from app.core.web.idempotency import IdempotencyInProgress, IdempotencyKeyReused, OnceDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.offers.errors import FlightNotOnSale, OfferExpired, OfferNotFound, PriceChanged, SoldOut

router = APIRouter(prefix="/bookings", tags=["Bookings"])

_PRIVATE = {"Cache-Control": "no-store"}


@router.post(
    "",
    status_code=201,
    response_model=BookingOut,
    responses=problems(
        *NOT_SIGNED_IN,
        OfferNotFound,
        OfferExpired,
        SoldOut,
        PriceChanged,
        FlightNotOnSale,
        IdempotencyInProgress,
        PassengersMismatch,
        InfantWithoutAdult,
        DuplicatePassenger,
        InvalidName,
        PaymentNotOffered,
        IdempotencyKeyReused,
    ),
)
async def create_booking(
    data: BookingIn, caller: CurrentUser, session: SessionDep, once: OnceDep
) -> Response:
    """Hold the seats of an offer until `hold_expires_at`."""
    return await once(session, caller.user_id, 201, lambda: service.create(session, caller.user_id, data))


@router.get("", response_model=BookingList, responses=problems(*NOT_SIGNED_IN))
async def list_bookings(
    caller: CurrentUser,
    session: SessionDep,
    status: Annotated[Status | None, Query(description="Only bookings in this state.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JSONResponse:
    """Your bookings, newest first."""
    return JSONResponse(await service.page(session, caller.user_id, status, cursor, limit), 200, _PRIVATE)


@router.get("/{pnr}", response_model=BookingOut, responses=problems(*NOT_SIGNED_IN, BookingNotFound))
async def read_booking(
    read: BookingReader,
    session: SessionDep,
    pnr: Annotated[str, Path(max_length=20, examples=["K7QX2M"])],
) -> JSONResponse:
    """One of your bookings, or the one that a guest token is for."""
    return JSONResponse(await read(session, pnr), 200, _PRIVATE)
