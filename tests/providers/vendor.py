"""A vendor that says what a test wants to hear: AviationStack's wire format, on a real port."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
import pytest
from aiohttp import web

from app.core.config import settings

Json = dict[str, Any]
Params = dict[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer that is not simply JSON with status 200."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Answer = Json | Reply


class Vendor:
    """`answer` is asked for every call, with the endpoint and its parameters; `asked` keeps them in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Params]] = []
        self.answer: Callable[[str, Params], Awaitable[Answer]] = self._rows
        self.rows: list[Json] = []

    def says(self, answer: Callable[[str, Params], Answer]) -> None:
        async def at_once(endpoint: str, params: Params) -> Answer:
            return answer(endpoint, params)

        self.answer = at_once

    def offsets(self, day: date | None = None) -> list[int]:
        """Where each page began that was asked for, of one day or of all."""
        asked = [params for _, params in self.asked if day is None or params.get("date") == str(day)]
        return [int(params["offset"]) for params in asked]

    async def _rows(self, _endpoint: str, params: Params) -> Answer:
        return page(self.rows, params)

    async def _handle(self, request: web.Request) -> web.Response:
        endpoint, params = request.path.rpartition("/")[2], dict(request.query)
        params.pop("access_key", None)
        self.asked.append((endpoint, params))
        answer = await self.answer(endpoint, params)
        if not isinstance(answer, Reply):
            return web.json_response(answer)
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    @asynccontextmanager
    async def serving(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator["Vendor"]:
        """The product calls it, instead of the sandbox."""
        application = web.Application()
        application.router.add_get("/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        listening = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, listening).start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        monkeypatch.setattr(settings(), "aviationstack_base_url", address)
        try:
            yield self
        finally:
            await runner.cleanup()


def page(rows: list[Json], params: Params, **pagination: Any) -> Json:
    """The part of the rows that was asked for; what `pagination` says may be wrong."""
    limit, offset = int(params.get("limit", "100")), int(params.get("offset", "0"))
    shown = rows[offset : offset + limit]
    truth = {"limit": limit, "offset": offset, "count": len(shown), "total": len(rows)}
    return {"pagination": truth | pagination, "data": shown}


def future(
    number: int,
    origin: str,
    destination: str,
    departs: str = "10:00",
    arrives: str = "11:00",
    *,
    carrier: str = "zz",
    operated_as: tuple[str, int] | None = None,
) -> Json:
    """A row of `/flightsFuture`: all in lower case, and of a marketing carrier if another one operates it."""
    row: Json = {
        "weekday": "1",
        "departure": {"iataCode": origin.lower(), "icaoCode": "", "terminal": "", "gate": ""},
        "arrival": {"iataCode": destination.lower(), "icaoCode": "", "terminal": "", "gate": ""},
        "aircraft": {"modelCode": "a320", "modelText": "airbus a320"},
        "airline": _airline(carrier),
        "flight": {"number": str(number), "iataNumber": f"{carrier}{number}", "icaoNumber": ""},
    }
    row["departure"]["scheduledTime"], row["arrival"]["scheduledTime"] = departs, arrives
    if operated_as:
        operator, operating = operated_as
        row["codeshared"] = {
            "airline": _airline(operator),
            "flight": {"number": str(operating), "iataNumber": f"{operator}{operating}", "icaoNumber": ""},
        }
    return row


def _airline(carrier: str) -> Json:
    """The product keeps what it learns of an airline first, so the sandbox's own is what it is everywhere else."""
    name, icao = ("sandbox air", "zqs") if carrier == "zz" else (f"airline {carrier}", "")
    return {"name": name, "iataCode": carrier, "icaoCode": icao}


def refusal(status: int, code: Any, message: str = "No.", **context: Any) -> Reply:
    """The vendor's error envelope."""
    return Reply(status, orjson.dumps({"error": {"code": code, "message": message, **context}}))
