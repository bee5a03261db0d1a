"""The hot path of booking: an ordinary request to hold seats is read before FastAPI is entered.

Routing, dependency injection and validation by a stock route cost more than the booking. The route describes this
path and takes whatever is not ordinary here, all that is wrong with a request included.
"""

import re
from types import SimpleNamespace
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.auth import revoked, tokens
from app.auth.tokens import Caller
from app.bookings import answers
from app.bookings.schemas import BookingIn
from app.core import work
from app.core.errors import AppError
from app.core.web import problems
from app.core.web.door import read_at_the_door
from app.core.web.idempotency import Once

_PATH = "/bookings"
_ROUTE = SimpleNamespace(path=_PATH)
_READ_HERE = frozenset((b"authorization", b"content-type", b"content-length", b"idempotency-key"))
_KEY = re.compile(rb"[\x21-\x7e]{1,255}")


class HotPath:
    """Pure ASGI, around FastAPI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers(scope)
        caller = _caller(headers) if headers else None
        if headers is None or caller is None:
            await self.app(scope, receive, send)
            return
        data = _hold(read_at_the_door(scope))
        if data is None:
            await self.app(scope, receive, send)
            return
        scope["route"] = _ROUTE
        request = Request(scope, receive)
        key = headers.get(b"idempotency-key")
        try:
            await revoked.require_good(caller.session_id, writing=True)
            work.signed_in(str(caller.user_id))
            answer = await answers.held(Once(request, key.decode() if key else None), caller.user_id, data)
        except Exception as error:  # noqa: BLE001  Each has its answer there.
            answer = await problems.answered(request, error)
        await answer(scope, receive, send)


def _headers(scope: Scope) -> dict[bytes, bytes] | None:
    """The headers that count here; None where the request is another one or has unusual ones."""
    if scope["type"] != "http" or scope["path"] != _PATH or scope["method"] != "POST":
        return None
    found = [header for header in scope["headers"] if header[0] in _READ_HERE]
    headers = dict(found)
    key = headers.get(b"idempotency-key")
    ordinary = (
        len(headers) == len(found)
        and headers.get(b"content-type") == b"application/json"
        and b"content-length" in headers
        and (key is None or _KEY.fullmatch(key))
    )
    return headers if ordinary else None


def _caller(headers: dict[bytes, bytes]) -> Caller | None:
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    try:
        return tokens.read(token.decode("latin-1")) if scheme == b"Bearer" else None
    except AppError:
        return None


def _hold(content: Any) -> BookingIn | None:
    """What is to be held, if the body says so."""
    try:
        data = BookingIn.model_validate(content)
    except ValidationError:
        return None
    return data if data.payment is None else None
