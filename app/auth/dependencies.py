"""Who is calling, for routes that need to know."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.auth import service, tokens
from app.auth.errors import AdminsOnly, InvalidToken, TokenExpired
from app.auth.tokens import Caller
from app.core import db
from app.core.errors import Unauthorized

NOT_SIGNED_IN = (Unauthorized, InvalidToken, TokenExpired)
NOT_AN_ADMIN = (*NOT_SIGNED_IN, AdminsOnly)

_bearer = HTTPBearer(auto_error=False, description="The `access_token` of signup, login or refresh.")

Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _caller(credentials: Bearer) -> Caller:
    if credentials is None:
        raise Unauthorized("Send `Authorization: Bearer <access token>`.")
    return tokens.read(credentials.credentials)


CurrentUser = Annotated[Caller, Depends(_caller)]


async def _admin(caller: CurrentUser) -> Caller:
    """The role is asked of the database, so that one that was taken away is gone at once."""
    async with db.transaction() as session:
        if not await service.is_admin(session, caller.user_id):
            raise AdminsOnly
    return caller


AdminUser = Annotated[Caller, Depends(_admin)]
