"""For operators: upload a schedule."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from app.auth.dependencies import NOT_AN_ADMIN, AdminUser
from app.core.errors import BadRequest
from app.core.web.problems import BodyTooLarge, UnsupportedMediaType, problems
from app.jobs.router import accepted
from app.jobs.schemas import JobAccepted
from app.schedules import upload
from app.schedules.errors import UnreadableSchedule

router = APIRouter(prefix="/admin/schedules", tags=["Operations"])

# The one route whose bodies may be larger than all others'.
PATH = "/admin/schedules/import"
MOST_BYTES = 64 * 1024 * 1024
_TYPES = ("text/csv", "text/plain", "application/octet-stream")
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _TYPES},
    }
}


class UnsupportedScheduleType(UnsupportedMediaType):
    title = "Send the file as text/csv, text/plain or application/octet-stream"


@router.post(
    "/import",
    status_code=202,
    response_model=JobAccepted,
    responses=problems(*NOT_AN_ADMIN, BodyTooLarge, UnsupportedScheduleType, UnreadableSchedule),
    openapi_extra=_BODY,
)
async def import_schedule(
    request: Request,
    admin: AdminUser,
    name: Annotated[
        Literal["ssim", "csv"] | None,
        Query(alias="format", description="Left out, it is seen from how the file begins."),
    ] = None,
    replace: Annotated[
        bool, Query(description="Withdraw what an earlier file listed and this one does not.")
    ] = False,
) -> JSONResponse:
    """Load a schedule, SSIM chapter 7 or CSV, sent as the body; `GET /admin/jobs/{id}` tells how it goes."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _TYPES:
        raise UnsupportedScheduleType
    return accepted(await upload.ask(_pieces(request), name, replace, admin.user_id))


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise BadRequest("The upload broke off.") from None
