"""One reader of JSON for everything that comes in, which takes nothing that two readers could understand differently.

orjson refuses what is no JSON: NaN, infinities, a byte order mark, text that is not UTF-8, surrogates without their
other half, anything behind the end. What is left to look for are names that come twice, numbers that other readers
would round, U+0000, which PostgreSQL cannot store, and depths at which other readers give up.
"""

import re
from typing import Any

import orjson

from app.core.web.problems import MalformedJson

_DEEPEST = 32
# Beyond it a double leaves out whole numbers, and so do most readers.
_LARGEST = 2**53
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


def read(body: bytes) -> Any:
    """The value of a body. Raises MalformedJson, which says what is wrong and never what was sent."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedJson("The body could not be parsed as JSON.") from None
    if _members(value) != _STRINGS.sub(b"", body).count(b":"):
        raise MalformedJson("A name comes twice in an object.")
    return value


def _members(value: Any) -> int:
    """How many members all objects have together, level by level; with names that come twice the text has more."""
    members, level, depth = 0, [value], 0
    while level:
        inner: list[Any] = []
        for one in level:
            if isinstance(one, str):
                if "\0" in one:
                    raise MalformedJson("U+0000 is not allowed.")
            elif isinstance(one, dict):
                members += len(one)
                inner += one
                inner += one.values()
            elif isinstance(one, list):
                inner += one
            elif one is not None and not -_LARGEST <= one <= _LARGEST:
                raise MalformedJson("A number is too large to be read by everybody in the same way.")
        depth += 1
        if depth > _DEEPEST and any(isinstance(one, dict | list) for one in level):
            raise MalformedJson(f"Deeper than {_DEEPEST} levels.")
        level = inner
    return members
