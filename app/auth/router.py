"""Sign up, log in, stay logged in, log out."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from app.auth import service, sessions
from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.auth.errors import (
    EmailTaken,
    InvalidCredentials,
    InvalidToken,
    LoginCodeRequired,
    Overloaded,
    RefreshTokenReused,
    TotpRequired,
    WeakPassword,
    WrongCode,
)
from app.auth.schemas import Login, Refresh, Signup, Tokens, UserOut
from app.core.errors import CardNumberRefused, TooManyRequests, Unprocessable
from app.core.web.dependencies import SessionDep
from app.core.web.problems import MalformedJson, problems

router = APIRouter(prefix="/auth", tags=["Accounts"])

_FORM = "application/x-www-form-urlencoded"
_LOGIN_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Login"}},
            _FORM: {
                "schema": {
                    "type": "object",
                    "required": ["username", "password"],
                    "properties": {
                        name: {"type": "string"} for name in ("username", "password", "code", "attempt")
                    },
                }
            },
        },
    }
}


@router.post(
    "/signup",
    status_code=201,
    response_model=Tokens,
    responses=problems(EmailTaken, WeakPassword, CardNumberRefused, TooManyRequests, Overloaded),
)
async def sign_up(data: Signup) -> JSONResponse:
    """Open an account. The answer signs you in; a link to verify your address is mailed."""
    return JSONResponse(await service.sign_up(data), 201)


@router.post(
    "/login",
    response_model=Tokens,
    responses=problems(
        InvalidCredentials,
        TotpRequired,
        LoginCodeRequired,
        WrongCode,
        TooManyRequests,
        Unprocessable,
        Overloaded,
    ),
    openapi_extra=_LOGIN_BODY,
)
async def log_in(request: Request) -> JSONResponse:
    """Sign in with JSON, or with the OAuth2 password form.

    Where a 401 asks for a code, send the same again with `code`: `totp_required` wants one of the authenticator or a
    recovery code; `login_code_required`, after many failures from elsewhere, the one that has just been mailed,
    with the `attempt` of that answer, to which alone it belongs.
    """
    return JSONResponse(await service.log_in(await _credentials(request)))


@router.post("/refresh", response_model=Tokens, responses=problems(InvalidToken, RefreshTokenReused))
async def refresh(data: Refresh) -> JSONResponse:
    """A new pair of tokens. The refresh token is spent; using it again ends the session."""
    return JSONResponse(await sessions.refresh(data.refresh_token))


@router.post("/logout", status_code=204)
async def log_out(data: Refresh, session: SessionDep) -> Response:
    """End the session of this refresh token."""
    await sessions.log_out(session, data.refresh_token)
    return Response(status_code=204)


@router.get("/me", response_model=UserOut, responses=problems(*NOT_SIGNED_IN))
async def me(caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """The account you are signed in with."""
    return JSONResponse(await service.me(session, caller.user_id))


async def _credentials(request: Request) -> Login:
    if request.headers.get("content-type", "").startswith(_FORM):
        form = await request.form()
        sent = {"email": "username", "password": "password", "code": "code", "attempt": "attempt"}
        content: Any = {name: form[field] for name, field in sent.items() if field in form}
    else:
        try:
            content = await request.json()
        except (ValueError, RecursionError):
            raise MalformedJson("The body could not be parsed as JSON.") from None
    try:
        return Login.model_validate(content)
    except ValidationError as error:
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        ) from None
