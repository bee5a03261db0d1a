"""Cursors: opaque to clients, a position to us."""

import base64
import binascii
import uuid
from datetime import UTC, datetime
from typing import Any

import orjson

from app.core.errors import FieldProblem, Unprocessable

_LAST_ROW = 1_000_000


def pack(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def unpack(cursor: str) -> Any:
    """What was packed; a cursor that nobody packed is a 422, and so is one of nothing."""
    try:
        value = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        value = None
    if value is None:
        raise invalid()
    return value


def encode(position: int) -> str:
    return pack(position)


def decode(cursor: str | None, last: int = _LAST_ROW) -> int | None:
    """The position in a cursor, or None without one; a cursor we did not make is a 422."""
    if cursor is None:
        return None
    position = unpack(cursor)
    if type(position) is not int or not 0 <= position <= last:
        raise invalid()
    return position


def moment(cursor: str | None) -> tuple[datetime, uuid.UUID] | None:
    """Where a list by time was left: the last row's instant and id."""
    if cursor is None:
        return None
    try:
        microseconds, last = unpack(cursor)
        return datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(
            microsecond=microseconds % 1_000_000
        ), uuid.UUID(last)
    except (ValueError, TypeError, OverflowError, OSError, AttributeError):
        raise invalid() from None


def page(shown: list[dict[str, Any]], found: list[dict[str, Any]], size: int, by: str) -> dict[str, Any]:
    """A page of a list by time; one row more than `size` was looked for, to know whether there is another."""
    if len(found) <= size:
        return {"data": shown, "next_cursor": None}
    last = found[size - 1]
    at: datetime = last[by]
    return {
        "data": shown,
        "next_cursor": pack([int(at.timestamp()) * 1_000_000 + at.microsecond, last["id"].hex]),
    }


def invalid() -> Unprocessable:
    problem = FieldProblem("cursor", "invalid_cursor", "Not a cursor of ours")
    return Unprocessable("The cursor is not one of ours.", errors=[problem])
