"""Who is calling, for routes that need to know."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.auth import keys, repository, revoked, scopes, tokens
from app.auth.errors import (
    AdminsOnly,
    InsufficientScope,
    InvalidToken,
    SecondFactorRequired,
    TokenExpired,
    WrongKeyMode,
)
from app.auth.tokens import Caller
from app.core import audit, db, origin, work
from app.core.config import settings
from app.core.db import Row
from app.core.errors import Forbidden, Unauthorized

NOT_SIGNED_IN = (Unauthorized, InvalidToken, TokenExpired, WrongKeyMode, InsufficientScope)
NOT_AN_ADMIN = (*NOT_SIGNED_IN, AdminsOnly, SecondFactorRequired)

_bearer = HTTPBearer(
    auto_error=False, description="The `access_token` of signup, login or refresh, or an API key."
)

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def caller_of(request: Request, token: str) -> Caller:
    """Who sends this access token or API key, if it is still honoured and may be used here.

    Raises InvalidToken, TokenExpired, WrongKeyMode, InsufficientScope.
    """
    is_key = token.startswith(keys.PREFIX)
    caller = await keys.read(token) if is_key else tokens.read(token)
    await revoked.require_good(caller.session_id, writing=request.method not in revoked.SAFE_METHODS)
    if caller.scopes is None:
        origin.caller.set(("user", caller.user_id))
        work.signed_in(str(caller.user_id))
    else:
        origin.caller.set(("api_key", caller.session_id))
        work.signed_in(str(caller.user_id), str(caller.session_id))
        scopes.require(caller.scopes, request.method, request.scope["route"].path)
    return caller


async def require_admin(caller: Caller) -> None:
    """The role is asked of the database, so that one that was taken away is gone at once.

    Who is refused is noted. Raises InvalidToken, AdminsOnly, SecondFactorRequired.
    """
    async with db.transaction() as session:
        standing = await repository.admin_standing(session, caller.user_id, caller.session_id)
        if standing is None:
            raise InvalidToken
        refusal = _refusal(standing)
        if refusal is not None:
            await audit.record(session, "admin.refused", by="user", actor=caller.user_id, code=refusal.code)
    if refusal is not None:
        raise refusal


def _refusal(standing: Row) -> Forbidden | None:
    if not standing["is_admin"]:
        return AdminsOnly()
    if settings().app_env == "production" and not standing["second_factor"]:
        return SecondFactorRequired("Set up a second factor, and sign in again with a code.")
    return None


async def _caller(request: Request, credentials: Bearer) -> Caller:
    if credentials is None:
        raise Unauthorized("Send `Authorization: Bearer <access token>`.")
    return await caller_of(request, credentials.credentials)


CurrentUser = Annotated[Caller, Depends(_caller)]


async def _admin(caller: CurrentUser) -> Caller:
    await require_admin(caller)
    origin.caller.set(("admin", caller.user_id))
    return caller


AdminUser = Annotated[Caller, Depends(_admin)]
