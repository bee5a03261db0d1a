"""The words of a schedule, whatever its format: each is read into what it means, or Refused."""

import re
from datetime import timedelta

from app.aircraft import service as types
from app.airports.service import Airport, directory
from app.schedules.legs import Refused

_CARRIER = re.compile(r"[A-Z][A-Z0-9]|[0-9][A-Z]", re.ASCII)
_NUMBER = re.compile(r"(\d{1,4})([A-Z]?)", re.ASCII)
# A designator may have a third letter; it then is an ICAO designator, under which no flight is kept.
_DESIGNATOR = re.compile(r"([A-Z][A-Z0-9]|[0-9][A-Z])([A-Z]?) *(\d{1,4})([A-Z]?)", re.ASCII)
_AIRPORT = re.compile(r"[A-Z]{3}", re.ASCII)
_TERMINAL = re.compile(r"[A-Z0-9][A-Z0-9 -]{0,9}", re.ASCII)
_AIRCRAFT = re.compile(r"[A-Z0-9]{3,4}", re.ASCII)
_CLOCK = re.compile(r"(\d\d):?(\d\d)", re.ASCII)
_NO_DAY = " .0-_"


def carrier(text: str) -> str:
    if not _CARRIER.fullmatch(text):
        raise Refused("bad_carrier", "The carrier is no two-character IATA designator.")
    return text


def flight_number(text: str) -> str:
    """Without leading zeros, with the operational suffix."""
    match = _NUMBER.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise Refused("bad_number", "The flight number is not 1 to 9999, with one letter after it at most.")
    return f"{int(match[1])}{match[2]}"


def designator(text: str) -> tuple[str, str]:
    """Carrier and number, such as `KL 2562`."""
    match = _DESIGNATOR.fullmatch(text.strip())
    if match is None or match[2]:
        raise Refused("bad_flight", "A flight is not named by a two-character carrier and a number.")
    return match[1], flight_number(match[3] + match[4])


def airport(text: str) -> Airport:
    if not _AIRPORT.fullmatch(text):
        raise Refused("bad_airport", "An airport is not named by three letters.")
    found = directory().by_iata.get(text)
    if found is None:
        raise Refused("unknown_airport", f"No airport has the code {text}.")
    return found


def after_midnight(text: str) -> timedelta:
    """A time of day; 24:00 is the end of the day."""
    match = _CLOCK.fullmatch(text)
    hours, minutes = (int(match[1]), int(match[2])) if match else (99, 0)
    if minutes > 59 or hours > 24 or (hours == 24 and minutes):
        raise Refused("bad_time", "A time is not from 00:00 to 24:00.")
    return timedelta(hours=hours, minutes=minutes)


def weekdays(text: str) -> frozenset[int]:
    """`1` is Monday; a day without a flight is left out, or a point, blank, zero or dash."""
    days = [int(character) for character in text if character not in _NO_DAY and character in "1234567"]
    spurious = any(character not in _NO_DAY + "1234567" for character in text)
    if spurious or len(text) > 7 or days != sorted(set(days)):
        raise Refused("bad_days", "The days of operation are not ascending digits from 1 to 7.")
    if not days:
        raise Refused("no_operating_day", "No day of operation is given.")
    return frozenset(days)


def terminal(text: str) -> str | None:
    if text and not _TERMINAL.fullmatch(text):
        raise Refused("bad_terminal", "A terminal is not a few letters and digits.")
    return text or None


def aircraft(text: str) -> str | None:
    """ICAO's designator for a type, of which schedules give IATA's code; a code nobody knows stays as it is."""
    if text and not _AIRCRAFT.fullmatch(text):
        raise Refused("bad_aircraft", "The aircraft is no code of three or four characters.")
    found = types.find(text) if text else None
    return found.icao if found else text or None
