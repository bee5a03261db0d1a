"""What every function shares: how a request is read, how it is refused, and how numbers look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeAlias

import orjson
from starlette.datastructures import QueryParams

from sandbox.faults import Answer
from sandbox.opensky.credits import Credits
from sandbox.opensky.settings import Settings
from sandbox.world.airspace import Airspace

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"

# The last second of 2099 has as many digits as any that anybody asks for.
DIGITS, LATEST = 10, int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())


class Refusal(Exception):
    """An answer that is an error, in the words of the vendor's web framework."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

    def answer(self, path: str, now: datetime) -> Answer:
        payload: Json = {
            "timestamp": int(now.timestamp() * 1000),
            "status": self.status,
            "error": HTTPStatus(self.status).phrase,
            "message": self.message,
            "path": path,
        }
        challenge = ((b"www-authenticate", b"Bearer"),) if self.status == 401 else ()
        return Answer(self.status, orjson.dumps(payload), headers=challenge)


@dataclass(slots=True)
class Call:
    """One request. `client` is None for a caller without a token."""

    params: QueryParams
    now: datetime
    client: str | None
    airspace: Airspace
    settings: Settings
    credits: Credits
    remaining: int | None = None

    def pay(self, bucket: str, cost: int) -> None:
        """Takes the price of the answer out of the caller's bucket, or refuses."""
        self.remaining = self.credits.spend(self.client, bucket, cost, self.now)


def nothing_found() -> Answer:
    """Not an empty list, but an empty answer."""
    return Answer(404, b"")


def json_answer(payload: Json) -> Answer:
    return Answer(200, orjson.dumps(payload))


def moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def second(params: QueryParams, name: str, default: int | None = None) -> int:
    """Reads a time in seconds of the epoch."""
    text = params.get(name, "")
    if not text and default is not None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS and int(text) < LATEST):
        raise Refusal(400, f"{name} must be a time in seconds since 1970")
    return int(text)


def required(params: QueryParams, name: str) -> str:
    """Reads a text that must be there."""
    if not (text := params.get(name, "")):
        raise Refusal(400, f"Required parameter '{name}' is not present.")
    return text


def number(value: float | None, digits: int = 2) -> float | None:
    """A whole number loses its point, as the vendor's numbers do."""
    if value is None:
        return None
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def padded(callsign: str) -> str:
    """Callsigns fill eight characters."""
    return callsign.ljust(8)
