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
    RefreshTokenReused,
    WeakPassword,
)
from app.auth.schemas import Login, Refresh, Signup, Tokens, UserOut
from app.core.errors import TooManyRequests
from app.core.web.dependencies import SessionDep
from app.core.web.problems import MalformedJson, problems

router = APIRouter(prefix="/auth", tags=["Accounts"])

_PRIVATE = {"Cache-Control": "no-store"}
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
                    "properties": {"username": {"type": "string"}, "password": {"type": "string"}},
                }
            },
        },
    }
}


@router.post("/signup", status_code=201, response_model=Tokens, responses=problems(EmailTaken, WeakPassword))
async def sign_up(data: Signup) -> JSONResponse:
    """Open an account. The answer signs you in."""
    return JSONResponse(await service.sign_up(data), 201, _PRIVATE)


@router.post(
    "/login",
    response_model=Tokens,
    responses=problems(InvalidCredentials, TooManyRequests),
    openapi_extra=_LOGIN_BODY,
)
async def log_in(request: Request) -> JSONResponse:
    """Sign in with JSON, or with the OAuth2 password form."""
    client = request.client.host if request.client else "unknown"
    return JSONResponse(await service.log_in(await _credentials(request), client), 200, _PRIVATE)


@router.post("/refresh", response_model=Tokens, responses=problems(InvalidToken, RefreshTokenReused))
async def refresh(data: Refresh) -> JSONResponse:
    """A new pair of tokens. The refresh token is spent; using it again ends the session."""
    return JSONResponse(await sessions.refresh(data.refresh_token), 200, _PRIVATE)


@router.post("/logout", status_code=204)
async def log_out(data: Refresh, session: SessionDep) -> Response:
    """End the session of this refresh token."""
    await sessions.log_out(session, data.refresh_token)
    return Response(status_code=204)


@router.get("/me", response_model=UserOut, responses=problems(*NOT_SIGNED_IN))
async def me(caller: CurrentUser, session: SessionDep) -> JSONResponse:
    """The account you are signed in with."""
    return JSONResponse(await service.me(session, caller.user_id), 200, _PRIVATE)


async def _credentials(request: Request) -> Login:
    if request.headers.get("content-type", "").startswith(_FORM):
        form = await request.form()
        content: Any = {"email": form.get("username"), "password": form.get("password")}
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
