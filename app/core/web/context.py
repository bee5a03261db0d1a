"""The outermost layer of the API: request id, one log line and two metrics a request, safe headers.

Pure ASGI and sparing, because every request passes through it.
"""

import os
import re
from functools import lru_cache
from time import perf_counter

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import logging
from app.core.metrics import REQUEST_SECONDS, REQUESTS

_WELL_FORMED = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_QUIET = ("/livez", "/readyz", "/admin/metrics")
_UNMATCHED = "unmatched"
_NOSNIFF = (b"x-content-type-options", b"nosniff")


class RequestContext:
    """Gives each request an id, kept from a well-formed `X-Request-ID`, and answers with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.access_log = logging.AccessLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        logging.request_id.set(scope["state"]["request_id"])
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id), _NOSNIFF]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            self._account(scope, status, perf_counter() - started)

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's template, never the path: labels stay bounded, and no booking reference is logged.
        route = scope["state"].get("route") or getattr(scope.get("route"), "path", _UNMATCHED)
        method = scope["method"] if route != _UNMATCHED else "-"
        count, duration = _meters(method, route, status)
        count.inc()
        duration.observe(seconds)
        if route not in _QUIET:
            self.access_log.add(method, route, status, seconds, scope["state"]["request_id"])


@lru_cache(maxsize=1024)
def _meters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), REQUEST_SECONDS.labels(route)


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            if _WELL_FORMED.fullmatch(value):
                return bytes(value)
            break
    return os.urandom(16).hex().encode()
