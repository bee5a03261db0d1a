"""`/_sandbox`: the levers behind the scenery, which move the clock, break things and make flights."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import scenarios
from sandbox.aviationstack.failures import FAILURES
from sandbox.aviationstack.plans import PLANS
from sandbox.aviationstack.rows import TIME_FORMATS, WINDOW_MODES
from sandbox.cards import controls as card_controls
from sandbox.cards import failures as card_failures
from sandbox.faults import TRANSPORT_FAULTS, Fault
from sandbox.hooks import pages as hook_pages
from sandbox.mail import pages as mail_pages
from sandbox.mail import smtp
from sandbox.opensky import failures as opensky_failures
from sandbox.opensky.clients import PATH as TOKENS
from sandbox.opensky.credits import CLIENTS
from sandbox.phones import pages as phone_pages
from sandbox.phones import service as fcm
from sandbox.world.services import Flight
from sandbox.world.times import iso, parse

if TYPE_CHECKING:
    from sandbox.server import Sandbox

KNOWN_FAULTS = (
    TRANSPORT_FAULTS
    | FAILURES
    | opensky_failures.FAILURES
    | card_failures.FAILURES
    | smtp.FAILURES
    | fcm.FAILURES
)
GUIDE = {
    "GET /v1/...": "AviationStack; try access_key=sandbox",
    "GET /api/...": "OpenSky: states, tracks, flights; without a token, or with one from below",
    f"POST {TOKENS}": "OpenSky's tokens; a client's secret is its name, try sandbox",
    **card_controls.GUIDE,
    "GET|POST /_sandbox/clock": "read or move time",
    "GET|POST|DELETE /_sandbox/faults": "break things",
    "GET|DELETE /_sandbox/journal": "what vendors were asked, with counts; ?path= for one path",
    "GET|POST /_sandbox/flights": "the truth in UTC (?origin=&destination=&date=), or a flight of your own",
    "GET|PATCH /_sandbox/flights/{key}": "one flight, or a decision about it",
    "GET /_sandbox/positions": "the true position of everything in the air (?icao24=&at=)",
    "GET|POST /_sandbox/settings": "window mode, time format, plans of keys; OpenSky's and the cards' switches",
    **mail_pages.GUIDE,
    **phone_pages.GUIDE,
    **hook_pages.GUIDE,
    "POST /_sandbox/reset": "as after a start",
}
EXAMPLES = {
    "POST /_sandbox/clock": [
        {"now": "2026-12-24T18:00:00Z"},
        {"advance_seconds": 3600},
        {"reset": True},
    ],
    "POST /_sandbox/faults": [{"fault": "slow", "path": "/v1/flights", "times": 1, "delay_seconds": 2}],
    "PATCH /_sandbox/flights/{key}": [{"status": "cancelled"}, {"departure_delay": 90}],
    "POST /_sandbox/cards/intents/{id}": [{"finish": "succeed"}, {"finish": "fail"}],
    "POST /_sandbox/hooks/{name}/behaviour": [
        {"secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
        {"status": 503, "headers": {"Retry-After": "30"}, "times": 2},
        {"delay_seconds": 20},
        {"hang": True},
    ],
    "POST /_sandbox/settings": [
        {"window": "week_only", "time_format": "HH:MM", "keys": {"mine": "free"}},
        {"opensky": {"credits": {"user": 3}, "token_seconds": 60}},
        {"opensky": {"extra_aircraft": 5000}},
        {"cards": {"webhook_urls": ["http://127.0.0.1:8000/payments/stripe/events"], "copies": 2}},
    ],
}

Payload = dict[str, Any]
Endpoint = Callable[[Request, dict[str, Any]], Payload]


def routes(sandbox: Sandbox) -> list[Route]:
    """Every control, bound to one sandbox."""
    controls = _Controls(sandbox)
    table: list[tuple[str, str, Endpoint]] = [
        ("GET", "", controls.guide),
        ("GET", "/clock", controls.read_clock),
        ("POST", "/clock", controls.move_clock),
        ("GET", "/faults", controls.read_faults),
        ("POST", "/faults", controls.arm),
        ("DELETE", "/faults", controls.disarm),
        ("GET", "/journal", controls.read_journal),
        ("DELETE", "/journal", controls.clear_journal),
        ("GET", "/flights", controls.read_flights),
        ("POST", "/flights", controls.inject),
        ("GET", "/flights/{key}", controls.read_flight),
        ("PATCH", "/flights/{key}", controls.decide),
        ("GET", "/positions", controls.read_positions),
        ("GET", "/settings", controls.read_settings),
        ("POST", "/settings", controls.change_settings),
        ("POST", "/reset", controls.reset),
        *card_controls.Controls(sandbox.cards).table(),
    ]
    return [Route(f"/_sandbox{path}", _endpoint(work), methods=[method]) for method, path, work in table]


def _endpoint(work: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    """JSON in, JSON out; what cannot be understood is a 400 that says why."""

    async def answer(request: Request) -> Response:
        try:
            body = orjson.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            result, status = work(request, body), 200
        except LookupError as problem:
            result, status = {"error": f"not known: {problem}"}, 404
        except (ValueError, TypeError, OverflowError) as problem:
            result, status = {"error": str(problem)}, 400
        text = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        return Response(text, status, media_type="application/json")

    return answer


class _Controls:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def guide(self, _request: Request, _body: dict[str, Any]) -> Payload:
        airlines = {airline.iata: airline.name for airline in self.sandbox.world.airlines.values()}
        return {
            "controls": GUIDE,
            "examples": EXAMPLES,
            "faults": KNOWN_FAULTS,
            "access_keys": list(PLANS),
            "clients": list(CLIENTS),
            "airlines": airlines,
        }

    def read_clock(self, _request: Request, _body: dict[str, Any]) -> Payload:
        return {"now": iso(self.sandbox.clock.now())}

    def move_clock(self, request: Request, body: dict[str, Any]) -> Payload:
        _only(body, {"now", "advance_seconds", "reset"})
        clock = self.sandbox.clock
        if body.get("reset"):
            clock.reset()
        if "now" in body:
            clock.set(parse(body["now"]))
        if "advance_seconds" in body:
            clock.advance(float(body["advance_seconds"]))
        self.sandbox.cards.look()
        return self.read_clock(request, body)

    def read_faults(self, _request: Request, _body: dict[str, Any]) -> Payload:
        return {"armed": [asdict(fault) for fault in self.sandbox.faults.armed], "known": KNOWN_FAULTS}

    def arm(self, request: Request, body: dict[str, Any]) -> Payload:
        _only(body, {field.name for field in fields(Fault)})
        if body.get("fault") not in KNOWN_FAULTS:
            raise ValueError(f"fault must be one of {sorted(KNOWN_FAULTS)}")
        self.sandbox.faults.armed.append(Fault(**body))
        return self.read_faults(request, body)

    def disarm(self, request: Request, body: dict[str, Any]) -> Payload:
        self.sandbox.faults.armed.clear()
        return self.read_faults(request, body)

    def read_journal(self, request: Request, _body: dict[str, Any]) -> Payload:
        journal, path = self.sandbox.journal, request.query_params.get("path")
        shown = [asdict(entry) for entry in journal.entries if path in {None, entry.path}]
        return {"counts": dict(journal.counts), "requests": shown}

    def clear_journal(self, request: Request, body: dict[str, Any]) -> Payload:
        self.sandbox.journal.clear()
        return self.read_journal(request, body)

    def read_flights(self, request: Request, _body: dict[str, Any]) -> Payload:
        asked = request.query_params
        filters = {name: asked[name] for name in ("origin", "destination", "date") if name in asked}
        found = scenarios.find(self.sandbox.world, self.sandbox.clock.now(), **filters)
        return {"flights": [self._truth(flight) for flight in found]}

    def read_flight(self, request: Request, _body: dict[str, Any]) -> Payload:
        return self._truth(scenarios.flight(self.sandbox.world, request.path_params["key"]))

    def inject(self, _request: Request, body: dict[str, Any]) -> Payload:
        return self._truth(scenarios.inject(self.sandbox.world, body))

    def decide(self, request: Request, body: dict[str, Any]) -> Payload:
        world, key = self.sandbox.world, request.path_params["key"]
        return self._truth(scenarios.decide(world, key, body, self.sandbox.clock.now()))

    def read_positions(self, request: Request, _body: dict[str, Any]) -> Payload:
        asked = request.query_params
        at = parse(asked["at"]) if "at" in asked else self.sandbox.clock.now()
        at = at.replace(microsecond=0)
        found = scenarios.positions(self.sandbox.airspace, at, asked.get("icao24"))
        return {"at": iso(at), "positions": found}

    def read_settings(self, _request: Request, _body: dict[str, Any]) -> Payload:
        vendor = self.sandbox.aviationstack
        used = [{"key": key, "month": month, "calls": n} for (key, month), n in vendor.keys.used.items()]
        return {
            **asdict(vendor.settings),
            "keys": vendor.keys.plans,
            "used": used,
            "opensky": self.sandbox.opensky.shown(),
            "cards": self.sandbox.cards.books.settings.shown(),
            "choices": {"window": WINDOW_MODES, "time_format": TIME_FORMATS, "plans": list(PLANS)},
        }

    def change_settings(self, request: Request, body: dict[str, Any]) -> Payload:
        _only(body, {"window", "time_format", "keys", "opensky", "cards"})
        vendor = self.sandbox.aviationstack
        window = _choice(body, "window", WINDOW_MODES, vendor.settings.window)
        time_format = _choice(body, "time_format", TIME_FORMATS, vendor.settings.time_format)
        plans = {
            key: _choice({"plan": plan}, "plan", tuple(PLANS), "")
            for key, plan in body.get("keys", {}).items()
        }
        cards = self.sandbox.cards.books.settings.changed(body.get("cards", {}))
        self.sandbox.opensky.change(body.get("opensky", {}))
        self.sandbox.cards.switch(cards)
        vendor.settings.window, vendor.settings.time_format = window, time_format
        vendor.keys.plans |= plans
        return self.read_settings(request, body)

    def reset(self, request: Request, body: dict[str, Any]) -> Payload:
        self.sandbox.reset()
        return self.read_clock(request, body)

    def _truth(self, flight: Flight) -> Payload:
        return scenarios.truth(self.sandbox.world, flight, self.sandbox.clock.now())


def _choice(body: dict[str, Any], name: str, choices: tuple[str, ...], default: str) -> str:
    value: str = body.get(name, default)
    if value not in choices:
        raise ValueError(f"{name} must be one of {list(choices)}")
    return value


def _only(body: dict[str, Any], known: set[str]) -> None:
    if unknown := body.keys() - known:
        raise ValueError(f"{sorted(unknown)} not understood; known are {sorted(known)}")
