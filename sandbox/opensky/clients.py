"""Who is calling: tokens for those who have a secret, and what becomes of the others."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from urllib.parse import parse_qs

import orjson

from sandbox.faults import Answer
from sandbox.opensky.credits import ANONYMOUS, CLIENTS
from sandbox.opensky.wire import Json, Refusal

PATH = "/auth/realms/opensky-network/protocol/openid-connect/token"
FORM = "application/x-www-form-urlencoded"
UNKNOWN = "unknown"
MOST_TOKENS = 10_000


class Clients:
    """The tokens that were given out."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, datetime]] = {}

    def reset(self) -> None:
        self._tokens.clear()

    def caller(self, authorization: str | None, now: datetime) -> str | None:
        """The client whose token it is, None when there is none, or a refusal."""
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        client, expires = self._tokens.get(token.strip(), (None, now))
        # Names and passwords have not been accepted for some time.
        if scheme.lower() != "bearer" or client is None or now >= expires:
            raise Refusal(401, "Unauthorized")
        return client

    def token(self, form: dict[str, str], seconds: int, now: datetime) -> Answer:
        """The answer of the token endpoint, which is another program than the vendor's own."""
        if "grant_type" not in form:
            return _no(400, "invalid_request", "Missing form parameter: grant_type")
        if form["grant_type"] != "client_credentials":
            return _no(400, "unsupported_grant_type", "Unsupported grant_type")
        if form.get("client_id") not in CLIENTS:
            return _no(401, "invalid_client", "Invalid client or Invalid client credentials")
        if form.get("client_secret") != form["client_id"]:
            return rejected()
        token = self._issue(form["client_id"], now + timedelta(seconds=seconds))
        return _answer(
            200,
            {
                "access_token": token,
                "expires_in": seconds,
                "refresh_expires_in": 0,
                "token_type": "Bearer",
                "not-before-policy": 0,
                "scope": "profile email",
            },
        )

    def _issue(self, client: str, expires: datetime) -> str:
        if len(self._tokens) >= MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        token = secrets.token_urlsafe(48)
        self._tokens[token] = client, expires
        return token


def profile(client: str | None) -> str:
    """The name in the journal."""
    return client or ANONYMOUS


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form; nothing but a form has any."""
    if content_type.partition(";")[0].strip().lower() != FORM:
        return {}
    fields = parse_qs(body.decode("latin-1"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def rejected() -> Answer:
    """What a client hears whose secret is wrong, or which was locked."""
    return _no(401, "unauthorized_client", "Invalid client or Invalid client credentials")


def not_allowed() -> Answer:
    return _answer(405, {"error": "HTTP 405 Method Not Allowed"})


def _no(status: int, error: str, description: str) -> Answer:
    return _answer(status, {"error": error, "error_description": description})


def _answer(status: int, payload: Json) -> Answer:
    return Answer(
        status, orjson.dumps(payload), b"application/json", headers=((b"cache-control", b"no-store"),)
    )
