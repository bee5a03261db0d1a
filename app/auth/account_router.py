"""An account's address, password and profile."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from app.auth import accounts, tokens
from app.auth.dependencies import NOT_SIGNED_IN, Bearer, CurrentUser
from app.auth.errors import EmailTaken, LinkNotValid, NotConfirmed, Overloaded, WeakPassword
from app.auth.schemas import (
    Accepted,
    EmailChange,
    ForgottenPassword,
    MailedToken,
    PasswordChange,
    PasswordReset,
    Profile,
    UserOut,
)
from app.core.errors import TooManyRequests, Unauthorized
from app.core.web.dependencies import SessionDep
from app.core.web.problems import problems

router = APIRouter(prefix="/auth", tags=["Accounts"])


def _session_here(credentials: Bearer) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The account and the session of who is signed in, where that matters and is not asked for."""
    try:
        caller = tokens.read(credentials.credentials) if credentials else None
    except Unauthorized:
        return None
    return (caller.user_id, caller.session_id) if caller else None


SessionHere = Annotated[tuple[uuid.UUID, uuid.UUID] | None, Depends(_session_here)]


@router.patch("/me", response_model=UserOut, responses=problems(*NOT_SIGNED_IN))
async def change_profile(data: Profile, caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """Change your name or the language of your mails. What is left out stays."""
    return JSONResponse(await accounts.change_profile(session, caller.user_id, data))


@router.post(
    "/verification",
    status_code=202,
    response_model=Accepted,
    responses=problems(*NOT_SIGNED_IN, TooManyRequests),
)
async def send_verification(caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """Have the link mailed again with which you show that your address is yours; five times a day at most."""
    await accounts.send_verification(session, caller.user_id)
    return _accepted("If the address is not verified, a link is on its way to it.")


@router.post("/verify", status_code=204, responses=problems(LinkNotValid))
async def verify_email(data: MailedToken, session: SessionDep) -> Response:
    """Show that your address is yours, with the token of the mailed link. It signs nobody in."""
    await accounts.verify(session, data.token)
    return Response(status_code=204)


@router.post(
    "/password/forgot", status_code=202, response_model=Accepted, responses=problems(TooManyRequests)
)
async def forgot_password(data: ForgottenPassword) -> JSONResponse:
    """Have a link mailed with which to choose a new password. The answer is the same for an unknown address.

    The link lives 30 minutes. An account gets at most five a day; what is beyond is left undone.
    """
    await accounts.forgot_password(data.email)
    return _accepted("If there is an account with this address, a link is on its way to it.")


@router.post("/password/reset", status_code=204, responses=problems(LinkNotValid, WeakPassword, Overloaded))
async def reset_password(data: PasswordReset) -> Response:
    """Choose a new password with the token of the mailed link. All sessions end; sign in with the new password.

    API keys go on working, but where nobody had verified the address, or with `revoke_api_keys`.
    """
    await accounts.reset_password(data.token, data.new_password, revoke_api_keys=data.revoke_api_keys)
    return Response(status_code=204)


@router.post(
    "/password/change",
    status_code=204,
    responses=problems(*NOT_SIGNED_IN, NotConfirmed, WeakPassword, TooManyRequests, Overloaded),
)
async def change_password(data: PasswordChange, caller: CurrentUser) -> Response:
    """Choose a new password. Your other sessions end; API keys do with `revoke_api_keys`."""
    await accounts.change_password(
        caller.user_id,
        caller.session_id,
        data.current_password,
        data.new_password,
        revoke_api_keys=data.revoke_api_keys,
    )
    return Response(status_code=204)


@router.post(
    "/email/change",
    status_code=202,
    response_model=Accepted,
    responses=problems(*NOT_SIGNED_IN, NotConfirmed, TooManyRequests, Overloaded),
)
async def ask_for_email(data: EmailChange, caller: CurrentUser) -> JSONResponse:
    """Have a link mailed to a new address; it becomes yours when the link is followed within an hour."""
    await accounts.ask_for_email(caller.user_id, data.new_email, data.current_password)
    return _accepted("If nobody has this address yet, a link is on its way to it.")


@router.post(
    "/email/confirm",
    status_code=204,
    responses=problems(LinkNotValid, EmailTaken),
    openapi_extra={"security": [{}]},
)
async def confirm_email(data: MailedToken, session: SessionDep, here: SessionHere) -> Response:
    """Make the new address yours, with the token of the mailed link. Sessions other than this one end."""
    await accounts.confirm_email(session, data.token, here)
    return Response(status_code=204)


def _accepted(message: str) -> JSONResponse:
    return JSONResponse({"message": message}, 202)
