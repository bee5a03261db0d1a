"""The vendor at its door: which function, whose key, which fault, and a line in the journal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from sandbox import faults
from sandbox.aviationstack import boards, failures, flights, reference
from sandbox.aviationstack.envelope import Object, Refusal, json_answer
from sandbox.aviationstack.plans import Keys, looks_like_a_key
from sandbox.aviationstack.rows import Call, Settings
from sandbox.clock import Clock
from sandbox.faults import Answer, Faults
from sandbox.journal import Entry, Journal
from sandbox.world.times import iso
from sandbox.world.world import World

FUNCTIONS: dict[str, Callable[[Call], Object]] = {
    "flights": flights.flights,
    "timetable": boards.timetable,
    "flightsFuture": boards.flights_future,
    "routes": reference.routes_page,
    "airports": reference.airports_page,
    "airlines": reference.airlines_page,
    "airplanes": reference.airplanes_page,
    "aircraft_types": reference.aircraft_types_page,
    "taxes": reference.taxes_page,
    "cities": reference.cities_page,
    "countries": reference.countries_page,
}


class AviationStack:
    """An ASGI application for everything below `/v1`."""

    def __init__(self, world: World, clock: Clock, armed: Faults, journal: Journal) -> None:
        self.world, self.clock, self.faults, self.journal = world, clock, armed, journal
        self.keys = Keys()
        self.settings = Settings()

    def reset(self) -> None:
        self.keys.reset()
        self.settings = Settings()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        params = dict(QueryParams(scope["query_string"]))
        key = params.pop("access_key", None)
        now, path = self.clock.now(), scope["path"]
        fault = self.faults.take(path, failures.FAILURES)
        answer = self.answer(scope["method"], path, key, params, now)
        if fault is not None:
            answer = faults.damage(failures.fail(answer, fault.fault), fault.fault)
        name = fault.fault if fault else None
        status = None if name == "reset" else answer.status
        self.journal.write(
            Entry(iso(now), scope["method"], path, params, self.keys.profile(key), status, name)
        )
        await faults.deliver(answer, fault, scope, send)

    def answer(
        self, method: str, path: str, key: str | None, params: dict[str, str], now: datetime
    ) -> Answer:
        """The proper answer at a moment."""
        name = path.removeprefix("/v1/")
        try:
            if name not in FUNCTIONS or method != "GET":
                raise Refusal(404, "invalid_api_function", "This API function does not exist.")
            if key and key not in self.keys.plans and not looks_like_a_key(key):
                return json_answer({"message": "Unauthorized"}, 401)
            plan = self.keys.admit(key, name, now)
            found = json_answer(FUNCTIONS[name](Call(params, now, plan, self.world, self.settings)))
        except Refusal as refusal:
            found = refusal.answer()
        callback = params.get("callback", "")
        return failures.jsonp(found, callback) if callback.isidentifier() else found
