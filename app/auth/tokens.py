"""Signed tokens: short-lived, of one kind each, checked by one signature and no query (RFC 9068, RFC 8725)."""

import hmac
import re
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
_MEMBERS = {"alg", "typ", "kid"}
_CLAIMS = ("iss", "aud", "sub", "jti", "iat", "nbf", "exp")
# How far the clocks of our machines may be apart.
LEEWAY_SECONDS = 5
# The signature's last character holds two bits that nobody reads: only the spelling that we write is taken.
_SPELLED = re.compile(r"[A-Za-z0-9_-]{1,500}\.[A-Za-z0-9_-]{1,2000}\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a token is for: one of another kind is refused, however good its signature is."""

    typ: str
    audience: str


ACCESS = Kind("at+jwt", "jetway-api")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: a user, by a session or by an API key.

    `session_id` is what a revocation names: the session or the key. `scopes` are a key's; a session has none and
    may do everything that its user may.
    """

    user_id: uuid.UUID
    session_id: uuid.UUID
    scopes: frozenset[str] | None = None


def sign(kind: Kind, subject: str, seconds: int, **more: str) -> str:
    """A token for so many seconds. It holds ids at most: roles and data of people change, and it does not."""
    now = int(time())
    claims = {"iss": _ISSUER, "aud": kind.audience, "sub": subject, **more, "jti": uuid.uuid4().hex}
    keys = _keys(tuple(settings().jwt_secrets))
    key_id = next(reversed(keys))
    return jwt.encode(
        claims | {"iat": now, "nbf": now, "exp": now + seconds},
        keys[key_id],
        _ALGORITHM,
        headers={"typ": kind.typ, "kid": key_id},
    )


def verify(kind: Kind, token: str) -> dict[str, Any]:
    """The claims of a good token. Raises InvalidToken, TokenExpired."""
    claims = _signed(kind, token, tuple(settings().jwt_secrets))
    _require_time(claims["exp"] + LEEWAY_SECONDS)
    return claims


def kind_of(token: str) -> str | None:
    """The `typ` that a token claims to have, which proves nothing."""
    if not _SPELLED.fullmatch(token):
        return None
    try:
        typ = jwt.get_unverified_header(token).get("typ")
    except jwt.InvalidTokenError:
        return None
    return typ if isinstance(typ, str) else None


def issue(user_id: uuid.UUID, session_id: uuid.UUID) -> str:
    """An access token."""
    return sign(ACCESS, str(user_id), settings().access_token_seconds, sid=str(session_id))


def read(token: str) -> Caller:
    """Whose access token this is. Whether it was revoked is asked elsewhere. Raises InvalidToken, TokenExpired."""
    caller, ends_at = _access(token, tuple(settings().jwt_secrets))
    _require_time(ends_at)
    return caller


def ends_at(token: str) -> int:
    """When an access token stops being honoured, in seconds since 1970. Raises InvalidToken."""
    return _access(token, tuple(settings().jwt_secrets))[1]


def key_id(secret: str) -> str:
    """What a key is called in tokens; it follows from the key and tells nothing of it."""
    return hmac.digest(secret.encode(), b"jetway token key id", "sha256")[:6].hex()


@lru_cache(maxsize=8192)
def _access(token: str, secrets: tuple[str, ...]) -> tuple[Caller, int]:
    """A signature once found good stays good while the keys are the same, so only the clock is asked again."""
    claims = _signed(ACCESS, token, secrets)
    try:
        caller = Caller(uuid.UUID(claims["sub"]), uuid.UUID(claims["sid"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidToken from None
    return caller, claims["exp"] + LEEWAY_SECONDS


def _signed(kind: Kind, token: str, secrets: tuple[str, ...]) -> dict[str, Any]:
    """The claims, if one of our keys has signed them for this use, whether or not they have expired."""
    if not _SPELLED.fullmatch(token):
        raise InvalidToken
    try:
        header = jwt.get_unverified_header(token)
        if header.keys() != _MEMBERS or header["typ"] != kind.typ:
            raise InvalidToken
        claims: dict[str, Any] = jwt.decode(
            token,
            _keys(secrets)[header["kid"]],
            [_ALGORITHM],
            audience=kind.audience,
            issuer=_ISSUER,
            leeway=LEEWAY_SECONDS,
            options={"require": list(_CLAIMS), "verify_exp": False},
        )
    except (jwt.InvalidTokenError, ValueError, KeyError, TypeError):
        raise InvalidToken from None
    if type(claims["exp"]) is not int:
        raise InvalidToken
    return claims


def _require_time(ends_at: int) -> None:
    if ends_at <= time():
        raise TokenExpired


@lru_cache(maxsize=4)
def _keys(secrets: tuple[str, ...]) -> dict[str, str]:
    """Each key under its id, oldest first; one that is named twice stands where it was named last."""
    keys: dict[str, str] = {}
    for secret in secrets:
        keys.pop(key_id(secret), None)
        keys[key_id(secret)] = secret
    return keys
