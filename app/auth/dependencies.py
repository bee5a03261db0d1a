"""Who is calling, for routes that need to know."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.auth import tokens
from app.auth.errors import InvalidToken, TokenExpired
from app.auth.tokens import Caller
from app.core.errors import Unauthorized

NOT_SIGNED_IN = (Unauthorized, InvalidToken, TokenExpired)

_bearer = HTTPBearer(auto_error=False, description="The `access_token` of signup, login or refresh.")


async def _caller(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    if credentials is None:
        raise Unauthorized("Send `Authorization: Bearer <access token>`.")
    return tokens.read(credentials.credentials)


CurrentUser = Annotated[Caller, Depends(_caller)]
