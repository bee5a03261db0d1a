"""The outermost layer of the API: request id, one log line and two metrics a request, safe headers.

Pure ASGI, because every request passes through it.
"""

import re
import uuid
from collections.abc import Awaitable, Callable
from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logging import logger
from app.core.metrics import REQUEST_SECONDS, REQUESTS

_WELL_FORMED = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_QUIET = ("/livez", "/readyz", "/admin/metrics")

log = logger("jetway.access")

Next = Callable[[Message], Awaitable[None]]


class RequestContext:
    """Gives each request an id, kept from a well-formed `X-Request-ID`, and answers with it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            _account(scope, status, perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _WELL_FORMED.fullmatch(value):
            return str(value, "ascii")
    return uuid.uuid4().hex


def _account(scope: Scope, status: int, seconds: float) -> None:
    # The route's template, never the path: labels stay bounded, and no booking reference is logged.
    route = getattr(scope.get("route"), "path", None) or scope["state"].get("route", "unmatched")
    REQUESTS.labels(scope["method"] if route != "unmatched" else "-", route, status).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)
    if route not in _QUIET:
        log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 2))
