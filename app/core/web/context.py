"""The outermost layer of the API: request id, the caller's limit, one log line and one measurement a request.

Pure ASGI and sparing, because every request passes through it. It stands around FastAPI and not in it, because
entering FastAPI costs about as much as everything that a ready answer goes through here.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from itertools import count
from secrets import token_hex
from time import monotonic

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import logging, origin
from app.core.errors import TooManyRequests
from app.core.metrics import REQUESTS, Answered, Kind
from app.core.web import problems
from app.core.web.limits import Header, Limit

# What an answer is counted under, its headers and its body.
Ready = tuple[Kind, list[Header], bytes]
# Given the request and its `If-None-Match`.
Shortcut = Callable[[Scope, bytes | None], Ready | None]

_WELL_FORMED = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_QUIET = frozenset(("/livez", "/readyz", "/admin/metrics"))
# Who watches over the product is never refused.
UNLIMITED = _QUIET | {"/admin/health"}
_UNMATCHED = "unmatched"
_NOSNIFF = (b"x-content-type-options", b"nosniff")
# Short, or requests would wait behind a long batch.
_BATCH_SECONDS = 0.01


class RequestContext:
    """Gives each request an id, kept from a well-formed `X-Request-ID`, and answers with it.

    An answer that the shortcut has ready is sent from here: routing, validation and dependency injection
    would cost several times what sending it costs. `limit` holds for all routes, those of `dearer` only for
    their own path and for answers that are not ready.
    """

    def __init__(
        self,
        app: ASGIApp,
        shortcut: Shortcut,
        limit: Limit | None = None,
        dearer: Mapping[str, Limit] | None = None,
    ) -> None:
        self.app = app
        self.shortcut = shortcut
        self.limit = limit
        self.dearer = dearer or {}
        self.access_log = logging.AccessLog(_QUIET)
        self._answered: list[Answered] = []
        self._ids = map((token_hex(8) + "%016x").encode().__mod__, count())
        REQUESTS.bring_up_to_date = self._settle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            self._settle()
            return
        started = monotonic()
        request_id = if_none_match = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value
            elif name == b"if-none-match":
                if_none_match = value
        if request_id is None or not _WELL_FORMED.fullmatch(request_id):
            request_id = next(self._ids)
        added = [(b"x-request-id", request_id), _NOSNIFF]
        limit, refusal = self.limit, None
        if limit is not None and scope["path"] not in UNLIMITED:
            # Behind a proxy that uvicorn trusts, this is the address that the proxy tells of.
            client = scope["client"]
            caller = client[0] if client else ""
            left = limit.spend(caller, started)
            if left is None:
                left, refusal = await limit.ask(caller, started)
            added = [added[0], _NOSNIFF, limit.policy, left]
        # Who is refused must not be the one who is sent to renew an answer.
        ready = self.shortcut(scope, if_none_match) if refusal is None else None
        if ready is None:
            await self._routed(scope, receive, send, started, added, refusal)
            return
        kind, headers, body = ready
        await send({"type": "http.response.start", "status": kind[2], "headers": headers + added})
        await send({"type": "http.response.body", "body": body})
        self._account(kind, started, added)

    async def _routed(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        started: float,
        added: list[Header],
        refusal: TooManyRequests | None,
    ) -> None:
        status = 500
        scope.setdefault("state", {})["request_id"] = added[0][1].decode()
        logging.request_id.set(scope["state"]["request_id"])
        # Behind a proxy that uvicorn trusts, this is the address that the proxy tells of.
        origin.address.set(scope["client"][0] if scope["client"] else "")
        origin.user_agent.set(next((value for name, value in scope["headers"] if name == b"user-agent"), b""))
        dearer = self.dearer.get(scope["path"])
        if dearer is not None and refusal is None:
            left, refusal = await dearer.ask(scope["client"][0] if scope["client"] else "", started)
            added += (dearer.policy, left)

        async def send_with_added(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        app = self.app if refusal is None else problems.answer(Request(scope), refusal)
        try:
            await app(scope, receive, send_with_added)
        finally:
            # The route's template, never the path: labels stay bounded, and no booking reference is logged.
            route = getattr(scope.get("route"), "path", _UNMATCHED)
            method = scope["method"] if route != _UNMATCHED else "-"
            self._account((method, route, status), started, added)

    def _account(self, kind: Kind, started: float, added: list[Header]) -> None:
        """Counting and writing one by one would cost more than a hot answer; a batch has little of it for each."""
        if not self._answered:
            asyncio.get_running_loop().call_later(_BATCH_SECONDS, self._settle)
        ended = monotonic()
        self._answered.append((kind, ended, ended - started, added[0][1]))

    def _settle(self) -> None:
        answered, self._answered = self._answered, []
        REQUESTS.add(answered)
        self.access_log.write(answered)
