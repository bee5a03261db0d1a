"""The phones that pushes go to, and what somebody wants to hear."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.core.errors import CardNumberRefused
from app.core.web.dependencies import SessionDep
from app.core.web.problems import problems
from app.notifications import devices, letters, preferences
from app.notifications.errors import (
    DeviceNotFound,
    NotificationRequired,
    TooManyDevices,
    UnsubscribeLinkInvalid,
)
from app.notifications.schemas import DeviceIn, DeviceList, DeviceOut, PreferencesIn, PreferencesOut

router = APIRouter(tags=["Notifications"])

_KNOWN_ALREADY: dict[int | str, dict[str, Any]] = {
    200: {"model": DeviceOut, "description": "The device was known, and is up to date now."}
}

Token = Annotated[str, Query(max_length=200, description="From a mail.")]


@router.post(
    "/devices",
    status_code=201,
    response_model=DeviceOut,
    responses=_KNOWN_ALREADY | problems(*NOT_SIGNED_IN, TooManyDevices, CardNumberRefused),
)
async def register_device(data: DeviceIn, caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """Have pushes sent to this installation of the app. Send it at each start: tokens and time zones change."""
    device, is_new = await devices.register(session, caller.user_id, data)
    return JSONResponse(device, 201 if is_new else 200)


@router.get("/devices", response_model=DeviceList, responses=problems(*NOT_SIGNED_IN))
async def list_devices(caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """Your devices, the one that was seen last first."""
    return JSONResponse(await devices.listed(session, caller.user_id))


@router.delete("/devices/{device_id}", status_code=204, responses=problems(*NOT_SIGNED_IN, DeviceNotFound))
async def remove_device(
    caller: CurrentUser, session: SessionDep, device_id: Annotated[str, Path(max_length=40)]
) -> Response:
    """Send nothing more to a device, as when somebody signs out there."""
    await devices.remove(session, caller.user_id, device_id)
    return Response(status_code=204)


@router.get("/notifications/preferences", response_model=PreferencesOut, responses=problems(*NOT_SIGNED_IN))
async def read_preferences(caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """What you hear, on which way, and when not."""
    return JSONResponse(await preferences.read(session, caller.user_id))


@router.patch(
    "/notifications/preferences",
    response_model=PreferencesOut,
    responses=problems(*NOT_SIGNED_IN, NotificationRequired),
)
async def change_preferences(data: PreferencesIn, caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """Change some of it. Alerts that come in quiet hours wait, unless the flight is near."""
    return JSONResponse(await preferences.change(session, caller.user_id, data))


@router.get(
    "/notifications/unsubscribe", response_class=HTMLResponse, responses=problems(UnsubscribeLinkInvalid)
)
async def ask_to_unsubscribe(session: SessionDep, token: Token) -> HTMLResponse:
    """Where the link in an alert's mail leads: a page that asks."""
    language = await preferences.language(session, token)
    return HTMLResponse(letters.unsubscribe_page(language, done=False))


@router.post(
    "/notifications/unsubscribe", response_class=HTMLResponse, responses=problems(UnsubscribeLinkInvalid)
)
async def unsubscribe(session: SessionDep, token: Token) -> HTMLResponse:
    """No more flight alerts by mail, for whoever has the link (RFC 8058)."""
    language = await preferences.unsubscribe(session, token)
    return HTMLResponse(letters.unsubscribe_page(language, done=True))
