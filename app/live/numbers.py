"""Flight numbers and callsigns, which are two ways of writing the same for some airlines.

IATA designators have two characters, of which one may be a digit; ICAO's have three letters.
"""

import re

from app.airlines.service import directory

_NUMBER = re.compile(r"([A-Z]{3}|(?=.?[A-Z])[A-Z0-9]{2})0*(\d{1,4})([A-Z]?)")
_MOST_DIGITS = 4
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def tidy(text: str) -> str:
    """As people should have typed it: capitals, without blanks and hyphens."""
    return "".join(c for c in text.upper() if c not in " -")


def parsed(text: str) -> tuple[str, str] | None:
    """`BA0117` or `BAW117` as designator and number, which has no zeros in front; None where it is neither."""
    match = _NUMBER.fullmatch(text)
    return (match[1], match[2] + match[3]) if match else None


def carriers(designator: str) -> list[str]:
    """The IATA designators that one of either kind means."""
    if len(designator) == 2:
        return [designator]
    return [airline.iata for airline in directory().by_icao.get(designator, ())]


def designators(carrier: str) -> list[str]:
    """How an airline's callsigns may begin, given its IATA designator."""
    airline = directory().by_iata.get(carrier)
    return [airline.icao, carrier] if airline and airline.icao else [carrier]


def spellings(number: str) -> list[str]:
    """A number with and without the zeros that some write in front of it."""
    digits = number.rstrip(_LETTERS)
    return [digits.zfill(width) + number[len(digits) :] for width in range(len(digits), _MOST_DIGITS + 1)]
