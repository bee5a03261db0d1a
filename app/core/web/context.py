"""The outermost layer of the API: request id, one log line and one measurement a request, safe headers.

Pure ASGI and sparing, because every request passes through it.
"""

import os
import re
from collections.abc import Callable
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import logging
from app.core.metrics import REQUESTS

Header = tuple[bytes, bytes]
# Status, headers and body of an answer that is ready, under the route it belongs to.
Ready = tuple[str, int, list[Header], bytes]
Shortcut = Callable[[Scope], Ready | None]

_WELL_FORMED = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_QUIET = ("/livez", "/readyz", "/admin/metrics")
_UNMATCHED = "unmatched"
_NOSNIFF = (b"x-content-type-options", b"nosniff")


class RequestContext:
    """Gives each request an id, kept from a well-formed `X-Request-ID`, and answers with it.

    An answer that the shortcut has ready is sent from here: routing, validation and dependency injection
    would cost several times what sending it costs.
    """

    def __init__(self, app: ASGIApp, shortcut: Shortcut) -> None:
        self.app = app
        self.shortcut = shortcut
        self.access_log = logging.AccessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = _request_id(scope)
        added = ((b"x-request-id", request_id), _NOSNIFF)
        ready = self.shortcut(scope)
        if ready is not None:
            route, status, headers, body = ready
            await send({"type": "http.response.start", "status": status, "headers": [*headers, *added]})
            await send({"type": "http.response.body", "body": body})
            self._account(scope["method"], route, status, perf_counter() - started, request_id)
            return
        status = 500
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        logging.request_id.set(scope["state"]["request_id"])

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            # The route's template, never the path: labels stay bounded, and no booking reference is logged.
            route = getattr(scope.get("route"), "path", _UNMATCHED)
            method = scope["method"] if route != _UNMATCHED else "-"
            self._account(method, route, status, perf_counter() - started, request_id)

    def _account(self, method: str, route: str, status: int, seconds: float, request_id: bytes) -> None:
        REQUESTS.observe(method, route, status, seconds)
        if route not in _QUIET:
            self.access_log.add(method, route, status, seconds, request_id)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            if _WELL_FORMED.fullmatch(value):
                return bytes(value)
            break
    return os.urandom(16).hex().encode()
