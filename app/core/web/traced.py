"""Requests as traces. It is put around the API where traces are switched on, so that nobody pays for it elsewhere."""

from collections.abc import Container

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import tracing
from app.core.web.context import UNLIMITED

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Traced:
    """Pure ASGI, outside of everything else.

    A caller's `traceparent` is joined, and its decision whether to trace is kept. `ready` are the paths that are
    answered before a route is looked for. Who watches over the product is not traced.
    """

    def __init__(self, app: ASGIApp, ready: Container[str]) -> None:
        self.app = app
        self.ready = ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in UNLIMITED:
            await self.app(scope, receive, send)
            return
        parent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
        span = tracing.joined("HTTP", "server", parent.decode("latin-1") or None)
        if span is tracing.UNTRACED:
            await self.app(scope, receive, send)
            return
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with span as request:
            try:
                await self.app(scope, receive, noted)
            finally:
                self._describe(request, scope, status)

    def _describe(self, request: tracing.Part, scope: Scope, status: int) -> None:
        """By the route's template, never the path."""
        method = scope["method"] if scope["method"] in _METHODS else "HTTP"
        path = scope["path"]
        route = getattr(scope.get("route"), "path", path if path in self.ready else None)
        request.name(f"{method} {route}" if route else method)
        named = {"http.route": route} if route else {}
        request.tell({"http.request.method": method, "http.response.status_code": status, **named})
        if status >= 500:
            request.failed(str(status))
