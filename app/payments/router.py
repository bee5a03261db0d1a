"""What the card processor tells us, and what operators see of the books."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.auth.dependencies import NOT_AN_ADMIN, AdminUser
from app.core import db, doorbell, replica
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.payments import messages, reconciliation
from app.payments.errors import SignatureInvalid
from app.payments.schemas import ReconciliationList

router = APIRouter()


@router.post(
    "/payments/stripe/events",
    status_code=204,
    response_class=Response,
    tags=["Payments"],
    responses=problems(SignatureInvalid),
)
async def hear(request: Request, session: SessionDep) -> Response:
    """Stripe's messages: verified by their signature, kept once, in any order.

    What they say is asked for, not believed.
    """
    news = await messages.hear(session, await request.body(), request.headers.get("stripe-signature", ""))
    if news:
        db.after_commit(session, lambda: doorbell.ring("bookings.settle_payments"))
    return Response(status_code=204)


@router.get(
    "/admin/reconciliations",
    tags=["Operations"],
    response_model=ReconciliationList,
    responses=problems(*NOT_AN_ADMIN),
)
async def list_reconciliations(_: AdminUser, limit: Limit = 20, cursor: Cursor = None) -> JSONResponse:
    """Each day of our books beside the card processor's, the latest first."""
    return JSONResponse(await replica.read(reconciliation.page, cursor, limit))
