"""For people: what is known about them, and an end to it."""

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.auth.errors import NotConfirmed, Overloaded
from app.core.errors import TooManyRequests
from app.core.web.problems import problems
from app.privacy import service
from app.privacy.errors import OpenTrips
from app.privacy.schemas import ErasureIn, Export, ExportIn

router = APIRouter(prefix="/auth", tags=["Accounts"])

_REFUSED = (*NOT_SIGNED_IN, NotConfirmed, TooManyRequests, Overloaded)
_A_FILE = {"Content-Disposition": 'attachment; filename="personal-data.json"'}


@router.post("/export", response_model=Export, responses=problems(*_REFUSED))
async def export_data(data: ExportIn, caller: CurrentUser) -> Response:
    """Everything that is known about you, as one JSON document; twice a day."""
    everything = await service.export(caller.user_id, data.password)
    # The driver's ids are not the standard library's.
    body = orjson.dumps(everything, default=str, option=orjson.OPT_UTC_Z)
    return Response(body, 200, _A_FILE, "application/json")


@router.post("/erasure", status_code=204, responses=problems(*_REFUSED, OpenTrips))
async def erase_data(data: ErasureIn, caller: CurrentUser) -> Response:
    """Delete your account and whatever says who you are, in your bookings as well; nothing brings it back.

    What tax law wants kept stays without your name. While trips, holds, payments or refunds are open this is refused
    with the `trips`.
    """
    await service.erase(caller.user_id, data.password, data.code)
    return Response(status_code=204)
