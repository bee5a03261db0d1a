"""The outermost layer of the API: who asks, request id, the caller's limits, what every answer says, one log line and
one measurement a request.

Pure ASGI and sparing, because every request passes through it. It stands around FastAPI and not in it, because
entering FastAPI costs about as much as everything that a ready answer goes through here.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from secrets import token_hex
from time import monotonic

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core import logging, origin, work
from app.core.errors import TooManyRequests
from app.core.metrics import IN_PROGRESS, REQUESTS, Answered, Kind
from app.core.web import headers, problems
from app.core.web.ending import ending
from app.core.web.headers import Cors, Header
from app.core.web.limits import Limit
from app.core.web.proxies import Proxies
from app.core.work import Work

# What an answer is counted under, its headers and its body.
Ready = tuple[Kind, list[Header], bytes]
# Given the request and its `If-None-Match`.
Shortcut = Callable[[Scope, bytes | None], Ready | None]
# Whose `Authorization` this is, as far as it takes no question to others; None where it is nobody's.
Identify = Callable[[bytes], str | None]

_WELL_FORMED = re.compile(rb"[A-Za-z0-9_-]{8,64}")
_QUIET = frozenset(("/livez", "/readyz", "/admin/metrics"))
# Who watches over the product is never refused.
UNLIMITED = _QUIET | {"/admin/health"}
_UNMATCHED = "unmatched"
_PREFLIGHT: Kind = ("OPTIONS", "preflight", 204)
# Short, or requests would wait behind a long batch.
_BATCH_SECONDS = 0.01


@dataclass(frozen=True)
class Limits:
    """`of_addresses` and `of_users` are for everything that the one or the other asks; the first of `dearer` that
    covers a request counts as well, unless its answer was ready.
    """

    of_addresses: Limit
    of_users: Limit
    dearer: Sequence[Limit]
    identify: Identify


@dataclass(frozen=True)
class Edge:
    """Whom the edge believes, whom it lets read, and what it says to all."""

    proxies: Proxies
    cors: Cors | None
    always: Sequence[Header]


class RequestContext:
    """Gives each request an id, kept from a well-formed `X-Request-ID`, and answers with it.

    An answer that the shortcut has ready is sent from here: routing, validation and dependency injection
    would cost several times what sending it costs.
    """

    def __init__(self, app: ASGIApp, shortcut: Shortcut, edge: Edge, limits: Limits | None) -> None:
        self.app = app
        self.shortcut = shortcut
        self.edge = edge
        self.limits = limits
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
        told = dict(scope["headers"])
        request_id = told.get(b"x-request-id")
        if request_id is None or not _WELL_FORMED.fullmatch(request_id):
            request_id = next(self._ids)
        if b"x-forwarded-for" in told or b"x-forwarded-proto" in told:
            self.edge.proxies.see_through(scope)
        added = [(b"x-request-id", request_id), *self.edge.always, *ending.headers]
        if self.edge.cors is not None:
            if scope["method"] == "OPTIONS" and b"access-control-request-method" in told:
                added += self.edge.cors.preflight(told.get(b"origin"))
                await self._send(send, (_PREFLIGHT, [], b""), started, added, Work())
                return
            added += self.edge.cors.headers(told.get(b"origin"))
        caller, user, refusal = None, None, None
        if self.limits is not None and scope["path"] not in UNLIMITED:
            user = self.limits.identify(told[b"authorization"]) if b"authorization" in told else None
            caller = user or (scope["client"][0] if scope["client"] else "")
            limit = self.limits.of_users if user else self.limits.of_addresses
            left = limit.spend(caller, started)
            if left is None:
                left, refusal = await limit.ask(caller, started)
            added += (limit.policy, left)
        # Who is refused must not be the one who is sent to renew an answer.
        ready = self.shortcut(scope, told.get(b"if-none-match")) if refusal is None else None
        trace = logging.trace_id.get()
        if not trace and b"traceparent" in told:
            trace = logging.trace_in(told[b"traceparent"].decode("latin-1")) or ""
        if ready is None:
            known = Work(_account_of(user), trace=trace)
            await self._routed(scope, receive, send, started, added, caller, refusal, known)
        else:
            await self._send(send, ready, started, added, _hot(user, trace) if user or trace else logging.HOT)

    async def _send(self, send: Send, ready: Ready, started: float, added: list[Header], known: Work) -> None:
        kind, own, body = ready
        await send({"type": "http.response.start", "status": kind[2], "headers": own + added})
        self._account(kind, started, added, known)
        await send({"type": "http.response.body", "body": body})

    async def _routed(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        started: float,
        added: list[Header],
        caller: str | None,
        refusal: TooManyRequests | None,
        known: Work,
    ) -> None:
        status = 500
        scope.setdefault("state", {})["request_id"] = added[0][1].decode()
        logging.request_id.set(scope["state"]["request_id"])
        logging.trace_id.set(known.trace)
        work.current.set(known)
        origin.address.set(scope["client"][0] if scope["client"] else "")
        origin.user_agent.set(next((value for name, value in scope["headers"] if name == b"user-agent"), b""))
        if caller is not None and self.limits is not None and refusal is None:
            refusal = await self._dearer(self.limits.dearer, scope, caller, started, added)

        accounted = False

        def account() -> None:
            nonlocal accounted
            if accounted:
                return
            accounted = True
            # The route's template, never the path: labels stay bounded, and no booking reference is logged.
            route = getattr(scope.get("route"), "path", _UNMATCHED)
            method = scope["method"] if route != _UNMATCHED else "-"
            self._account((method, route, status), started, added, known)

        async def send_with_added(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = headers.complete(scope, list(message.get("headers", ())), added)
            elif not message.get("more_body"):
                account()  # Before its last byte leaves, so that whoever has an answer finds it counted.
            await send(message)

        app = self.app if refusal is None else problems.answer(Request(scope), refusal)
        IN_PROGRESS.inc()
        try:
            await app(scope, receive, send_with_added)
        finally:
            IN_PROGRESS.dec()
            account()

    @staticmethod
    async def _dearer(
        dearer: Sequence[Limit], scope: Scope, caller: str, started: float, added: list[Header]
    ) -> TooManyRequests | None:
        """Count the request against the limit of its route; the headers then tell of both, which end `added`."""
        limit = next((one for one in dearer if one.covers(scope["method"], scope["path"])), None)
        if limit is None:
            return None
        left, refusal = await limit.ask(caller, started)
        both = zip(added[-2:], (limit.policy, left), strict=True)
        added[-2:] = [(one[0], one[1] + b", " + other[1]) for one, other in both]
        return refusal

    def _account(self, kind: Kind, started: float, added: list[Header], known: Work) -> None:
        """Counting and writing one by one would cost more than a hot answer; a batch has little of it for each."""
        if not self._answered:
            asyncio.get_running_loop().call_later(_BATCH_SECONDS, self._settle)
        ended = monotonic()
        self._answered.append((kind, ended, ended - started, added[0][1], known))

    def _settle(self) -> None:
        answered, self._answered = self._answered, []
        REQUESTS.add(answered)
        self.access_log.write(answered)


def _account_of(user: str | None) -> str:
    return user.removeprefix("user:") if user else ""


@lru_cache(maxsize=1024)
def _hot(user: str | None, trace: str) -> Work:
    """Made once for all who are the same, because making a record costs as much as writing its line."""
    return logging.shared(Work(_account_of(user), cache="hot", trace=trace))
