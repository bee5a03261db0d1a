"""Bookings of the signed-in user: hold, pay, read, cancel, change, add, check in."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse, Response

from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.bookings import (
    airline_changes,
    answers,
    cancelling,
    changing,
    checking_in,
    extras,
    paying,
    refunding,
    service,
)
from app.bookings.dependencies import BookingReader
from app.bookings.errors import (
    AirlineChangeNotFound,
    BookingClosed,
    BookingNotFound,
    ChangeNotAllowed,
    DocumentExpires,
    DuplicatePassenger,
    DuplicateTrip,
    HoldExpired,
    InfantTurnsTwo,
    InfantWithoutAdult,
    InvalidName,
    InvalidService,
    NothingToCancel,
    NotInBooking,
    OptionNotOffered,
    PassengersMismatch,
    PaymentRequired,
    QuoteExpired,
    QuoteNotFound,
    QuoteSuperseded,
    TooManyHolds,
    TooManyInfants,
    TooManyPassengers,
    UnaccompaniedMinor,
)
from app.bookings.schemas import (
    BookingIn,
    CancellationIn,
    ChangeIn,
    CheckInIn,
    ExtrasIn,
    PayIn,
    PaymentIn,
    RebookIn,
    Status,
)
from app.bookings.shapes import BookingList, BookingOut, CancellationQuoteOut, ChangeQuoteOut, Timeline
from app.core.errors import CardNumberRefused
from app.core.web.dependencies import SessionDep
from app.core.web.idempotency import IdempotencyInProgress, IdempotencyKeyReused, OnceDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.extras.errors import BagNotAllowed, ExtrasNotSold
from app.offers.errors import FlightNotOnSale, OfferExpired, OfferNotFound, PriceChanged, SoldOut
from app.payments.errors import (
    AlreadyPaid,
    PaymentDeclined,
    PaymentInProgress,
    PaymentNotFound,
    PaymentNotOffered,
    TooManyAttempts,
    TooManyFailedPayments,
)
from app.payments.schemas import PaymentOut
from app.seats.errors import SeatNotAllowed, SeatNotFound, SeatTaken
from app.tickets.errors import CheckInClosed, CheckInNotOpen, CouponNotAllowed

router = APIRouter(prefix="/bookings", tags=["Bookings"])

_ONCE = (IdempotencyInProgress, IdempotencyKeyReused)
_OFFER = (OfferNotFound, OfferExpired, SoldOut, PriceChanged, FlightNotOnSale)
_PAID = (
    CardNumberRefused,
    PaymentDeclined,
    PaymentInProgress,
    PaymentNotOffered,
    HoldExpired,
    TooManyAttempts,
    TooManyFailedPayments,
)
_MINE = (*NOT_SIGNED_IN, BookingNotFound)


def _unless_known(model: Any) -> dict[int | str, dict[str, Any]]:
    """202, where a payment's outcome is not known yet."""
    return {202: {"model": model, "description": "The payment's outcome is not known yet"}}


Pnr = Annotated[str, Path(max_length=20, examples=["K7QX2M"])]
Id = Annotated[str, Path(max_length=60)]


@router.post(
    "",
    status_code=201,
    response_model=BookingOut,
    responses=_unless_known(BookingOut)
    | problems(
        *NOT_SIGNED_IN,
        *_OFFER,
        *_ONCE,
        *_PAID,
        DuplicateTrip,
        TooManyHolds,
        PassengersMismatch,
        TooManyPassengers,
        TooManyInfants,
        InfantWithoutAdult,
        InfantTurnsTwo,
        UnaccompaniedMinor,
        DuplicatePassenger,
        InvalidName,
        DocumentExpires,
        InvalidService,
    ),
)
async def create_booking(data: BookingIn, caller: CurrentUser, once: OnceDep) -> Response:
    """Hold the seats of an offer until `hold_expires_at`, and pay for them at once where `payment` is given.

    Where the card is declined the hold stays: the problem has its `pnr`, and another card can be tried.
    """
    if data.payment is None:
        return await answers.held(once, caller.user_id, data)
    return await once.in_steps(
        caller.user_id,
        lambda session: paying.begin_with_booking(session, caller.user_id, data),
        lambda payment, steps: answers.settled(payment, steps, answers.the_booking),
    )


@router.get("", response_model=BookingList, responses=problems(*NOT_SIGNED_IN))
async def list_bookings(
    caller: CurrentUser,
    session: SessionDep,
    status: Annotated[Status | None, Query(description="Only bookings in this state.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JSONResponse:
    """Your bookings, newest first."""
    return JSONResponse(await service.page(session, caller.user_id, status, cursor, limit))


@router.get("/{pnr}", response_model=BookingOut, responses=problems(*NOT_SIGNED_IN, BookingNotFound))
async def read_booking(
    read: BookingReader,
    session: SessionDep,
    pnr: Annotated[str, Path(max_length=20, examples=["K7QX2M"])],
) -> JSONResponse:
    """One of your bookings, or the one that a guest token is for."""
    return JSONResponse(await read(session, pnr))


@router.get("/{pnr}/timeline", response_model=Timeline, responses=problems(*_MINE))
async def read_timeline(caller: CurrentUser, session: SessionDep, pnr: Pnr) -> JSONResponse:
    """Everything that happened to a booking, in order."""
    return JSONResponse(await service.timeline(session, caller.user_id, pnr))


@router.post(
    "/{pnr}/payments",
    status_code=201,
    response_model=PaymentOut,
    responses=_unless_known(PaymentOut)
    | problems(*_MINE, *_ONCE, *_PAID, AlreadyPaid, BookingClosed, PriceChanged),
)
async def pay_booking(data: PaymentIn, caller: CurrentUser, once: OnceDep, pnr: Pnr) -> Response:
    """Pay for a held booking with a payment method of the card processor; it is confirmed, with ticket numbers.

    `requires_action`: the traveller must prove who they are; go on with `next_action`, then ask
    `…/payments/{id}/resume`. 202: nobody knows yet; ask again with the same key, or look at the booking.
    """
    await paying.renew_price(caller.user_id, pnr)
    return await once.in_steps(
        caller.user_id,
        lambda session: paying.begin(session, caller.user_id, pnr, data.payment_method),
        lambda payment, steps: answers.settled(payment, steps, answers.the_payment),
    )


@router.post(
    "/{pnr}/payments/{payment_id}/resume",
    response_model=PaymentOut,
    responses=_unless_known(PaymentOut) | problems(*_MINE, PaymentNotFound, PaymentDeclined, HoldExpired),
)
async def resume_payment(caller: CurrentUser, once: OnceDep, pnr: Pnr, payment_id: Id) -> Response:
    """Look at a payment now, as after 3-D Secure, and go on with it."""
    number = await paying.find(caller.user_id, pnr, payment_id)
    return await answers.settled(str(number), once.steps(), answers.the_payment, 200)


@router.post(
    "/{pnr}/cancellations",
    status_code=201,
    response_model=CancellationQuoteOut,
    responses=problems(*_MINE, *_ONCE, NothingToCancel, BookingClosed, HoldExpired, PaymentInProgress),
)
async def quote_cancellation(
    caller: CurrentUser, once: OnceDep, pnr: Pnr, data: CancellationIn | None = None
) -> Response:
    """What cancelling would give back, line by line; nothing is cancelled yet.

    Only the newest quote can be confirmed.
    """
    wanted = data or CancellationIn()
    return await once.in_one(caller.user_id, 201, lambda s: cancelling.quote(s, caller.user_id, pnr, wanted))


@router.post(
    "/{pnr}/cancellations/{quote_id}/confirm",
    response_model=BookingOut,
    responses=problems(
        *_MINE,
        *_ONCE,
        QuoteNotFound,
        QuoteExpired,
        QuoteSuperseded,
        BookingClosed,
        PaymentInProgress,
        CouponNotAllowed,
    ),
)
async def confirm_cancellation(caller: CurrentUser, once: OnceDep, pnr: Pnr, quote_id: Id) -> Response:
    """Cancel what was quoted: the seats are free at once, and the refund is under way."""
    return await once.in_one(
        caller.user_id, 200, lambda s: cancelling.confirm(s, caller.user_id, pnr, quote_id), refunding.ring
    )


@router.post(
    "/{pnr}/changes",
    status_code=201,
    response_model=ChangeQuoteOut,
    responses=problems(
        *_MINE, *_ONCE, *_OFFER, ChangeNotAllowed, PassengersMismatch, BookingClosed, PaymentInProgress
    ),
)
async def quote_change(data: ChangeIn, caller: CurrentUser, once: OnceDep, pnr: Pnr) -> Response:
    """What it costs to fly an offer's flights instead; nothing is changed yet."""
    return await once.in_one(caller.user_id, 201, lambda s: changing.quote(s, caller.user_id, pnr, data))


@router.post(
    "/{pnr}/changes/{quote_id}/confirm",
    response_model=BookingOut,
    responses=_unless_known(BookingOut)
    | problems(
        *_MINE,
        *_ONCE,
        *_OFFER,
        *_PAID,
        QuoteNotFound,
        QuoteExpired,
        QuoteSuperseded,
        BookingClosed,
        PaymentRequired,
        CouponNotAllowed,
        DuplicateTrip,
    ),
)
async def confirm_change(
    caller: CurrentUser, once: OnceDep, pnr: Pnr, quote_id: Id, data: PayIn | None = None
) -> Response:
    """Make a quoted change, paying for it where something is due.

    The old seats are kept until the new ones are paid for.
    """
    method = data.payment.payment_method if data and data.payment else None
    if not await changing.is_due(caller.user_id, pnr, quote_id):
        return await once.in_one(
            caller.user_id,
            200,
            lambda s: changing.confirm_free(s, caller.user_id, pnr, quote_id),
            refunding.ring,
        )
    return await once.in_steps(
        caller.user_id,
        lambda session: changing.begin(session, caller.user_id, pnr, quote_id, method),
        lambda payment, steps: answers.settled(payment, steps, answers.the_booking, 200),
    )


@router.post(
    "/{pnr}/extras",
    response_model=BookingOut,
    responses=_unless_known(BookingOut)
    | problems(
        *_MINE,
        *_ONCE,
        *_PAID,
        BookingClosed,
        NotInBooking,
        PaymentRequired,
        SeatTaken,
        SeatNotFound,
        SeatNotAllowed,
        BagNotAllowed,
        ExtrasNotSold,
        FlightNotOnSale,
    ),
)
async def add_extras(data: ExtrasIn, caller: CurrentUser, once: OnceDep, pnr: Pnr) -> Response:
    """Choose seats and add bags.

    In a hold they are paid for with the booking; in a booking that is paid, what costs something needs a `payment`.
    """
    if data.payment is None:
        return await once.in_one(caller.user_id, 200, lambda s: extras.add_free(s, caller.user_id, pnr, data))
    return await once.in_steps(
        caller.user_id,
        lambda session: extras.begin(session, caller.user_id, pnr, data),
        lambda payment, steps: answers.settled(payment, steps, answers.the_booking, 200),
    )


@router.post(
    "/{pnr}/check-in",
    response_model=BookingOut,
    responses=problems(
        *_MINE,
        *_ONCE,
        BookingClosed,
        NotInBooking,
        CheckInNotOpen,
        CheckInClosed,
        CouponNotAllowed,
        SeatNotAllowed,
    ),
)
async def check_in(data: CheckInIn, caller: CurrentUser, once: OnceDep, pnr: Pnr) -> Response:
    """Check passengers in on a flight, from 24 hours until an hour before departure; who has no seat is given one."""
    return await once.in_one(
        caller.user_id,
        200,
        lambda s: checking_in.check_in(s, caller.user_id, pnr, data.flight_id, data.passengers),
    )


_ANSWERED = (*_MINE, *_ONCE, AirlineChangeNotFound, OptionNotOffered, PaymentInProgress)


@router.post(
    "/{pnr}/airline-changes/{change_id}/accept", response_model=BookingOut, responses=problems(*_ANSWERED)
)
async def accept_airline_change(caller: CurrentUser, once: OnceDep, pnr: Pnr, change_id: Id) -> Response:
    """Keep the flight as the airline has changed it."""
    return await once.in_one(
        caller.user_id, 200, lambda s: airline_changes.accept(s, caller.user_id, pnr, change_id)
    )


@router.post(
    "/{pnr}/airline-changes/{change_id}/refund", response_model=BookingOut, responses=problems(*_ANSWERED)
)
async def refund_airline_change(caller: CurrentUser, once: OnceDep, pnr: Pnr, change_id: Id) -> Response:
    """Give the changed slice up, and those after it, for all that was paid for them."""
    return await once.in_one(
        caller.user_id,
        200,
        lambda s: airline_changes.refund(s, caller.user_id, pnr, change_id),
        refunding.ring,
    )


@router.post(
    "/{pnr}/airline-changes/{change_id}/rebook",
    response_model=BookingOut,
    responses=problems(
        *_ANSWERED, *_OFFER, ChangeNotAllowed, PassengersMismatch, CouponNotAllowed, DuplicateTrip
    ),
)
async def rebook_airline_change(
    data: RebookIn, caller: CurrentUser, once: OnceDep, pnr: Pnr, change_id: Id
) -> Response:
    """Fly another offer's flights on the same way instead, within three days, for nothing."""
    return await once.in_one(
        caller.user_id,
        200,
        lambda s: airline_changes.rebook(s, caller.user_id, pnr, change_id, data.offer_id),
        refunding.ring,
    )
