"""The vendor at its door: which function, whose token, which fault, and a line in the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox import faults
from sandbox.clock import Clock
from sandbox.faults import Answer, Faults
from sandbox.journal import Entry, Journal
from sandbox.opensky import clients, failures, flights, states, tracks
from sandbox.opensky.clients import Clients
from sandbox.opensky.credits import CLIENTS, Credits, Exhausted, read_daily, read_left
from sandbox.opensky.settings import NAMES, Settings
from sandbox.opensky.wire import Call, Refusal
from sandbox.world.airspace import Airspace
from sandbox.world.times import iso

REMAINING = b"x-rate-limit-remaining"
FUNCTIONS: dict[str, Callable[[Call], Answer]] = {
    "/api/states/all": states.everything,
    "/api/states/own": states.own,
    # The documents, the vendor's client and other clients each write it in their own way.
    "/api/tracks": tracks.track,
    "/api/tracks/": tracks.track,
    "/api/tracks/all": tracks.track,
    "/api/flights/all": flights.everything,
    "/api/flights/aircraft": flights.of_aircraft,
    "/api/flights/arrival": flights.arrivals,
    "/api/flights/departure": flights.departures,
}


class OpenSky:
    """An ASGI application for everything below `/api`, and for the tokens that open it."""

    def __init__(self, airspace: Airspace, clock: Clock, armed: Faults, journal: Journal) -> None:
        self.airspace, self.clock, self.faults, self.journal = airspace, clock, armed, journal
        self.clients = Clients()
        self.credits = Credits()
        self.settings = Settings()

    def reset(self) -> None:
        self.clients.reset()
        self.credits.reset()
        self.settings = Settings()

    def shown(self) -> dict[str, Any]:
        """The settings, as `change` takes them."""
        return {**self.settings.shown(), **self.credits.shown(self.clock.now())}

    def change(self, body: Any) -> None:
        """Puts new settings in force; when one of them makes no sense, nothing changes."""
        known = NAMES | {"daily", "credits"}
        if not isinstance(body, dict) or body.keys() - known:
            raise ValueError(f"opensky must be an object with names out of {sorted(known)}")
        daily, left = read_daily(body.get("daily", {})), read_left(body.get("credits", {}))
        self.settings = self.settings.changed({name: body[name] for name in body.keys() & NAMES})
        self.airspace.set_extra(self.settings.extra_aircraft)
        self.credits.change(daily, left, self.clock.now())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        now, path = self.clock.now(), scope["path"]
        if path == clients.PATH:
            answer, profile, params = await self._token(Request(scope, receive), now)
        else:
            answer, profile, params = self._data(scope, now)
        fault = self.faults.take(path, failures.possible(path))
        if fault is not None:
            answer = faults.damage(failures.fail(answer, fault.fault), fault.fault)
        name = fault.fault if fault else None
        status = None if name == "reset" else answer.status
        self.journal.write(Entry(iso(now), scope["method"], path, params, profile, status, name))
        if fault is not None:
            fault = replace(fault, fault=failures.on_the_way(fault.fault))
        await faults.deliver(answer, fault, scope, send)

    async def _token(self, request: Request, now: datetime) -> tuple[Answer, str, dict[str, str]]:
        """Of the form, the journal gets nothing but the grant."""
        form = clients.read_form(request.headers.get("content-type", ""), await request.body())
        known = form.get("client_id") in CLIENTS
        profile = form["client_id"] if known else clients.UNKNOWN
        params = {"grant_type": form["grant_type"]} if "grant_type" in form else {}
        if request.method != "POST":
            return clients.not_allowed(), profile, params
        return self.clients.token(form, self.settings.token_seconds, now), profile, params

    def _data(self, scope: Scope, now: datetime) -> tuple[Answer, str, dict[str, str]]:
        params, path = QueryParams(scope["query_string"]), scope["path"]
        profile = clients.UNKNOWN
        try:
            client = self.clients.caller(Headers(scope=scope).get("authorization"), now)
            profile = clients.profile(client)
            call = Call(params, now, client, self.airspace, self.settings, self.credits)
            answer = self.answer(scope["method"], path, call)
        except Refusal as refusal:
            answer = refusal.answer(path, now)
        except Exhausted as rest:
            answer = failures.exhausted(rest.seconds if self.settings.rate_limit_headers else None)
        return answer, profile, _written(params)

    def answer(self, method: str, path: str, call: Call) -> Answer:
        """The proper answer to a caller who is known, with what the caller has left."""
        if path not in FUNCTIONS:
            raise Refusal(404, "No message available")
        if method != "GET":
            raise Refusal(405, f"Request method '{method}' not supported")
        answer = FUNCTIONS[path](call)
        if call.remaining is None or not self.settings.rate_limit_headers:
            return answer
        return replace(answer, headers=((REMAINING, str(call.remaining).encode()),))


def _written(params: QueryParams) -> dict[str, str]:
    """What the journal keeps: repeated parameters in one, and no token that got into the address by mistake."""
    return {
        name: ",".join(params.getlist(name))
        for name in params
        if "token" not in name.lower() and "secret" not in name.lower()
    }
