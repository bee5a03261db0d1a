"""Codes of airports, airlines, terminals and aircraft types as numbers, so that arrays can hold them.

A code of three characters fits 16 bits and is its own place in a table of all airports; one of six fits 32.
"""

from functools import lru_cache

_CHARACTERS = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUES = {character: value for value, character in enumerate(_CHARACTERS)}
_BASE = len(_CHARACTERS)
_LONGEST = 6

AIRPORTS = _BASE**3
"""How many numbers a code of three characters can have."""


@lru_cache(maxsize=65_536)
def pack(code: str | None) -> int:
    """The number of a code of up to six characters, 0 for none; characters that codes do not have count as 0."""
    number = 0
    for character in (code or "").upper()[:_LONGEST]:
        number = number * _BASE + _VALUES.get(character, 1)
    return number


@lru_cache(maxsize=65_536)
def unpack(number: int) -> str:
    code = ""
    while number:
        number, value = divmod(number, _BASE)
        code = _CHARACTERS[value] + code
    return code
