"""Access tokens: short-lived, checked by one signature and no query (RFC 9068, RFC 8725)."""

import uuid
from dataclasses import dataclass
from functools import lru_cache
from time import time
from typing import Any

import jwt

from app.auth.errors import InvalidToken, TokenExpired
from app.core.config import settings

_ALGORITHM = "HS256"
_ISSUER = "jetway"
_AUDIENCE = "jetway-api"
_TYPE = "at+jwt"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, as the token says."""

    user_id: uuid.UUID
    session_id: uuid.UUID


def issue(user_id: uuid.UUID, session_id: uuid.UUID) -> str:
    now = int(time())
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": str(user_id),
        "sid": str(session_id),
        "iat": now,
        "exp": now + settings().access_token_seconds,
    }
    return jwt.encode(claims, settings().jwt_secret, _ALGORITHM, headers={"typ": _TYPE})


def read(token: str) -> Caller:
    """Raises InvalidToken or TokenExpired."""
    caller, expires_at = _verified(token)
    if expires_at <= time():
        raise TokenExpired
    return caller


def expires_at(token: str) -> int:
    """When an access token ends, in seconds since 1970. Raises InvalidToken."""
    return _verified(token)[1]


@lru_cache(maxsize=8192)
def _verified(token: str) -> tuple[Caller, int]:
    """A signature once found good stays good, so only the clock is asked again."""
    try:
        if jwt.get_unverified_header(token).get("typ") != _TYPE:
            raise InvalidToken
        claims: dict[str, Any] = jwt.decode(
            token,
            settings().jwt_secret,
            [_ALGORITHM],
            audience=_AUDIENCE,
            issuer=_ISSUER,
            options={"require": ["exp", "iat", "sub"], "verify_exp": False},
        )
        return Caller(uuid.UUID(claims["sub"]), uuid.UUID(claims["sid"])), int(claims["exp"])
    except (jwt.InvalidTokenError, ValueError, KeyError, TypeError):
        raise InvalidToken from None
