"""Cursors: opaque to clients, a position to us."""

import base64
import binascii

import orjson

from app.core.errors import FieldProblem, Unprocessable

_LAST_ROW = 1_000_000


def encode(position: int) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).rstrip(b"=").decode()


def decode(cursor: str | None, last: int = _LAST_ROW) -> int | None:
    """The position in a cursor, or None without one; a cursor we did not make is a 422."""
    if cursor is None:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        position = None
    if type(position) is not int or not 0 <= position <= last:
        problem = FieldProblem("cursor", "invalid_cursor", "Not a cursor of ours")
        raise Unprocessable("The cursor is not one of ours.", errors=[problem])
    return int(position)
