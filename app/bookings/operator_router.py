"""What operators do with bookings that are not theirs."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from app.auth.dependencies import NOT_AN_ADMIN, AdminUser
from app.bookings import cancelling, refunding
from app.bookings.errors import (
    BookingClosed,
    BookingNotFound,
    HoldExpired,
    NothingToCancel,
)
from app.bookings.schemas import OperatorCancellationIn
from app.bookings.shapes import OperatorCancellationOut
from app.core.web.idempotency import IdempotencyInProgress, IdempotencyKeyReused, OnceDep
from app.core.web.problems import problems
from app.payments.errors import PaymentInProgress
from app.tickets.errors import CouponNotAllowed

router = APIRouter(prefix="/admin/bookings", tags=["Operations"])


@router.post(
    "/{pnr}/cancel",
    response_model=OperatorCancellationOut,
    responses=problems(
        *NOT_AN_ADMIN,
        *(BookingNotFound, NothingToCancel, BookingClosed, HoldExpired, PaymentInProgress, CouponNotAllowed),
        *(IdempotencyInProgress, IdempotencyKeyReused),
    ),
)
async def cancel_for_traveller(
    admin: AdminUser,
    once: OnceDep,
    pnr: Annotated[str, Path(max_length=20, examples=["K7QX2M"])],
    data: OperatorCancellationIn,
) -> Response:
    """Cancel all that is left of somebody's booking, at once. They are told, and refunded by the rules of their fare.

    Who did it and why is in the audit log.
    """
    return await once.in_one(
        admin.user_id,
        200,
        lambda session: cancelling.by_operator(session, admin.user_id, pnr, data.why),
        refunding.ring,
    )
