"""Cursors: opaque to clients, a position to us."""

import base64
import binascii
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


def invalid() -> Unprocessable:
    problem = FieldProblem("cursor", "invalid_cursor", "Not a cursor of ours")
    return Unprocessable("The cursor is not one of ours.", errors=[problem])
