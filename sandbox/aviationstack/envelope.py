"""The wrapping of every answer: pages, and the one shape of refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import orjson

from sandbox.faults import Answer

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Object: TypeAlias = dict[str, Json]

DEFAULT_LIMIT = 100


class Refusal(Exception):
    """An answer that is an error envelope."""

    def __init__(self, status: int, code: str, message: str, context: Object | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.context = status, code, message, context

    def answer(self) -> Answer:
        error: Object = {"code": self.code, "message": self.message}
        if self.context is not None:
            error["context"] = self.context
        return json_answer({"error": error}, self.status)


def invalid(parameter: str, key: str, message: str) -> Refusal:
    """A parameter that is missing or makes no sense."""
    context: Object = {parameter: [{"key": key, "message": message}]}
    return Refusal(400, "validation_error", "Request failed with validation error", context)


def json_answer(payload: Json, status: int = 200) -> Answer:
    return Answer(status, orjson.dumps(payload))


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the whole was asked for. `limit` is None when nobody said, and everything may come."""

    limit: int | None
    offset: int | None

    def cut(self, length: int) -> range:
        start = min(self.offset or 0, length)
        return range(start, length if self.limit is None else min(start + self.limit, length))


def window(params: Mapping[str, str], largest: int, *, open_ended: bool = False) -> Window:
    """Reads `limit` and `offset`. More than the plan's maximum is cut down to it, without a word."""
    limit, offset = _number(params, "limit"), _number(params, "offset")
    if limit is not None:
        limit = min(limit, largest)
    if open_ended:
        return Window(limit, offset)
    return Window(DEFAULT_LIMIT if limit is None else limit, offset or 0)


def page(rows: Sequence[Json], part: Window, total: int, *, offset_first: bool = False) -> Object:
    """A page. The order of the keys differs between endpoints, as it does at the vendor."""
    order = ("offset", "limit") if offset_first else ("limit", "offset")
    shown = {"limit": part.limit, "offset": part.offset}
    pagination: Object = {name: shown[name] for name in order}
    return {"pagination": {**pagination, "count": len(rows), "total": total}, "data": rows}


def day(params: Mapping[str, str], name: str) -> date:
    """Reads a date."""
    try:
        return date.fromisoformat(params.get(name, ""))
    except ValueError:
        raise invalid(name, "invalid_date", f"The {name} must be a date as YYYY-MM-DD") from None


def _number(params: Mapping[str, str], name: str) -> int | None:
    text = params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise invalid(name, f"invalid_{name}", f"The {name} must be a whole number")
    return int(text)
