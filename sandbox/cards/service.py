"""The vendor at its door: whose key, which function, said before or not, which fault, and a line in the journal."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox import faults
from sandbox.cards import failures, forms, lists, methods, payments, refunds
from sandbox.cards.books import Books, Call, Object, expanded
from sandbox.cards.idempotency import Keys
from sandbox.cards.refusals import Refusal, Silence, json_answer, missing
from sandbox.cards.settings import Settings
from sandbox.cards.webhooks import Webhooks
from sandbox.clock import Clock
from sandbox.faults import Answer, Faults
from sandbox.journal import Entry, Journal
from sandbox.world.times import iso

KEY = "sk_test_sandbox"
PREFIXES = ("payment_intents", "refunds", "charges", "balance_transactions", "payment_methods", "events")
LONGEST_TIMER = 86_400.0
COLLECTIONS: dict[tuple[str, str], Callable[[Call], Object]] = {
    ("POST", "payment_intents"): payments.create,
    ("POST", "refunds"): refunds.create,
    ("POST", "payment_methods"): methods.create,
}
ACTIONS: dict[tuple[str, str], Callable[[Call, str], Object]] = {
    ("payment_intents", "confirm"): payments.confirm,
    ("payment_intents", "capture"): payments.capture,
    ("payment_intents", "cancel"): payments.cancel,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. Without an answer there is silence; one that is not kept leaves the key free."""

    answer: Answer | None
    kept: bool = False
    manner: str | None = None


class Cards:
    """An ASGI application for the paths of payments below `/v1`."""

    def __init__(self, clock: Clock, armed: Faults, journal: Journal, settings: Settings) -> None:
        self.clock, self.faults, self.journal, self.start = clock, armed, journal, settings
        self.webhooks = Webhooks(settings)
        self._timer: asyncio.TimerHandle | None = None
        self.reset()

    def reset(self) -> None:
        self.webhooks.reset(self.start)
        self.books, self.keys = Books(self.start, self.webhooks.tell), Keys()

    def switch(self, settings: Settings) -> None:
        """Puts new settings in force."""
        self.books.settings = self.webhooks.settings = settings

    def nobodys_call(self) -> Call:
        return Call(self.books, self.clock.now().timestamp())

    def look(self) -> None:
        """Does what has come due by the sandbox's clock, and looks again when more is to come."""
        wait = self.books.catch_up(self.clock.now().timestamp())
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if wait is None else loop.call_later(min(wait, LONGEST_TIMER) + 0.001, self.look)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.look()
        request, keys = Request(scope, receive), self.keys
        call, answer = await self._read(request)
        path, own = scope["path"], failures.FAILURES if answer is None else ()
        fault = self.faults.take(path, own)
        name = fault.fault if fault else None
        outcome = Outcome(answer) if answer else self._do(scope["method"], call, name, path)
        self._write(scope, call, outcome, name)
        if answer is None:
            self.look()
            await self._finish(outcome, call.key, keys, receive)
        if outcome.answer is None or outcome.manner == "lost":
            return await _hung_up(receive)
        if self.books.settings.before_answer:
            await self.webhooks.told()
        if fault is not None and name == "card_reset_before":
            fault = replace(fault, fault="reset")
        sent = faults.damage(_with_headers(outcome.answer, request.headers, call), name)
        return await faults.deliver(sent, fault, scope, send)

    async def _read(self, request: Request) -> tuple[Call, Answer | None]:
        """The request, and the answer where it is known beforehand: a refusal, or what the key has kept."""
        headers, body = request.headers, await request.body()
        now, base = self.clock.now().timestamp(), f"{request.url.scheme}://{request.url.netloc}"
        call = Call(self.books, now, {}, self.books.name("req_"), None, base)
        try:
            _admit(headers)
            call.form = forms.read(body.decode("utf-8", "replace") if body else request.url.query)
            key = headers.get("idempotency-key") if request.method == "POST" else None
            answer = (
                self.keys.begin(key, request.url.path, call.form, call.request or "", now) if key else None
            )
            call.key = key if answer is None else None
        except Refusal as refusal:
            return call, refusal.answer()
        return call, answer

    def _do(self, method: str, call: Call, fault: str | None, path: str) -> Outcome:
        """Carries the request out, unless a fault comes before it."""
        if fault in failures.INSTEAD:
            return Outcome(failures.INSTEAD[fault](), kept=fault == "card_500_kept")
        try:
            if fault == "card_silence_before":
                raise Silence
            answer, kept = json_answer(_carry_out(method, path, call)), True
        except Silence:
            return Outcome(None)
        except Refusal as refusal:
            answer, kept = refusal.answer(), refusal.kept
        if fault == "card_500_after":
            answer = failures.lasting()
        return Outcome(answer, kept, "lost" if fault == "card_silence_after" else call.answer)

    async def _finish(self, outcome: Outcome, key: str | None, keys: Keys, receive: Receive) -> None:
        """The key is in use for as long as the vendor would still be at work."""
        try:
            if outcome.answer is None:
                await _hung_up(receive)
            elif outcome.manner == "slow":
                await asyncio.sleep(self.books.settings.slow_seconds)
        finally:
            if key is not None:
                keys.end(key, outcome.answer if outcome.kept else None)

    def _write(self, scope: Scope, call: Call, outcome: Outcome, fault: str | None) -> None:
        silent = outcome.answer is None or outcome.manner == "lost" or fault in ("reset", "card_reset_before")
        status = None if silent or outcome.answer is None else outcome.answer.status
        params = {name: value for name, value in call.form.items() if forms.may_be_written(value)}
        if call.key is not None:
            params["idempotency_key"] = call.key
        now = iso(self.clock.now())
        self.journal.write(Entry(now, scope["method"], scope["path"], params, "cards", status, fault))


def _carry_out(method: str, path: str, call: Call) -> Any:
    wanted = forms.members(call.form, "expand")
    # The key goes on comparing the form as it came.
    call.form = {name: value for name, value in call.form.items() if name != "expand"}
    found = _route(method, path, call)
    for name in wanted:
        found = expanded(call.books, found, name.split("."))
    return found


def _route(method: str, path: str, call: Call) -> Object:
    """The function for a path."""
    collection, *rest = path.removeprefix("/v1/").split("/")
    if not rest and (work := COLLECTIONS.get((method, collection))):
        return work(call)
    if not rest and method == "GET" and collection in lists.FILTERS:
        return lists.page(call, collection)
    if len(rest) == 1 and method == "GET" and rest[0]:
        return _retrieve(call, collection, rest[0])
    if len(rest) == 2 and method == "POST" and (action := ACTIONS.get((collection, rest[1]))):
        return action(call, rest[0])
    raise Refusal(404, f"Nothing is done here for {method} {path}.", kept=False)


def _retrieve(call: Call, collection: str, identity: str) -> Object:
    if collection == "payment_methods":
        return methods.retrieve(call, identity)
    found = lists.shelves(call.books)[collection].get(identity)
    if found is None:
        param = "intent" if collection == "payment_intents" else "id"
        raise missing(collection.removesuffix("s"), param, identity)
    return found


def _admit(headers: Headers) -> None:
    """The key comes as a bearer's token, or as a name without a password."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    if scheme.lower() not in ("bearer", "basic") or given.strip() != KEY:
        raise Refusal(401, "This is not a valid API key.", kept=False)


def _with_headers(answer: Answer, headers: Headers, call: Call) -> Answer:
    echoed = ((name, headers.get(name)) for name in ("idempotency-key", "stripe-version"))
    told = tuple((name.encode(), value.encode()) for name, value in echoed if value is not None)
    return replace(answer, headers=((b"request-id", (call.request or "").encode()), *told, *answer.headers))


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
