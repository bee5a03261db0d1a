"""The text in a boarding pass's barcode: IATA Resolution 792, format M, one to four legs.

Each field has a fixed width. What may be left out stands at the end of each leg, behind its size in hexadecimal.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

VERSION = "6"
NAME_WIDTH = 20
MOST_LEGS = 4
_LARGEST = 0xFF
_FLIGHT_NUMBER = re.compile(r"(\d{1,4})([A-Z]?)")
_SEAT = re.compile(r"(\d{1,3})([A-Z])")
_ALLOWED = re.compile(r"[ -~]*")

# A value and the width it is written in; None is nothing known.
Field = tuple[str | None, int]


@dataclass(frozen=True, slots=True)
class Leg:
    """One flight. `date` is the day on which it leaves by the clocks at its origin.

    `seat` is such as `12A`, `INF` for an infant on a lap, or None where none is given yet.
    """

    pnr: str
    origin: str
    destination: str
    carrier: str
    flight_number: str
    date: date
    compartment: str
    seat: str | None = None
    sequence: int | None = None
    passenger_status: str = "1"
    ticket_number: str | None = None
    selectee: str | None = None
    document_verification: str | None = None
    marketing_carrier: str | None = None
    frequent_flyer_airline: str | None = None
    frequent_flyer_number: str | None = None
    discount: str | None = None
    free_baggage: str | None = None
    fast_track: bool | None = None
    airline_use: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """What is said once for all legs: who travels, who issued the pass, and when."""

    passenger: str | None = None
    check_in_source: str | None = None
    source: str | None = None
    issued_on: date | None = None
    document_type: str | None = None
    issuer: str | None = None
    bag_tags: tuple[str, ...] = ()


def encode(name: str, legs: Sequence[Leg], issue: Issue | None = None) -> str:
    """The text for a passenger, named as on the ticket: `LOVELACE/ADA`.

    Raises ValueError for what has no place in the barcode.
    """
    if not 1 <= len(legs) <= MOST_LEGS:
        raise ValueError(f"a boarding pass has one to {MOST_LEGS} legs")
    head = _fixed([("M", 1), (str(len(legs)), 1), (printed_name(name), NAME_WIDTH), ("E", 1)])
    first = _leg(legs[0], _once(legs[0], issue))
    return head + first + "".join(_leg(leg, "") for leg in legs[1:])


def printed_name(name: str) -> str:
    """A ticket name cut to twenty characters: the given name first, down to its initial, then the family name."""
    family, _, given = name.partition("/")
    given = given[: max(1, NAME_WIDTH - 1 - len(family))].rstrip()
    if not given:
        return family[:NAME_WIDTH].rstrip()
    return f"{family[: NAME_WIDTH - 1 - len(given)].rstrip()}/{given}"


def _leg(leg: Leg, once: str) -> str:
    mandatory: list[Field] = [
        (leg.pnr, 7),
        (leg.origin, 3),
        (leg.destination, 3),
        (leg.carrier, 3),
        (_flight_number(leg.flight_number), 5),
        (f"{leg.date:%j}", 3),
        (leg.compartment, 1),
        (_seat(leg.seat), 4),
        (None if leg.sequence is None else f"{leg.sequence:04}", 5),
        (leg.passenger_status, 1),
    ]
    repeated = _trimmed(_repeated(leg))
    rest = _sized(repeated) + leg.airline_use if repeated or leg.airline_use or once else ""
    return _fixed(mandatory) + _sized(once + rest)


def _once(leg: Leg, issue: Issue | None) -> str:
    """The version and what is said once; needed before anything that may be left out of the first leg."""
    said = _trimmed(_unique(issue)) if issue else ""
    if not said and not _trimmed(_repeated(leg)) and not leg.airline_use:
        return ""
    return f">{VERSION}{_sized(said)}"


def _unique(issue: Issue) -> list[Field]:
    return [
        (issue.passenger, 1),
        (issue.check_in_source, 1),
        (issue.source, 1),
        (f"{issue.issued_on.year % 10}{issue.issued_on:%j}" if issue.issued_on else None, 4),
        (issue.document_type, 1),
        (issue.issuer, 3),
        *((tag, 13) for tag in issue.bag_tags),
    ]


def _repeated(leg: Leg) -> list[Field]:
    ticket = leg.ticket_number
    if ticket is not None and not re.fullmatch(r"\d{13}", ticket):
        raise ValueError("a ticket number has 13 digits")
    return [
        (ticket[:3] if ticket else None, 3),
        (ticket[3:] if ticket else None, 10),
        (leg.selectee, 1),
        (leg.document_verification, 1),
        (leg.marketing_carrier, 3),
        (leg.frequent_flyer_airline, 3),
        (leg.frequent_flyer_number, 16),
        (leg.discount, 1),
        (leg.free_baggage, 3),
        (None if leg.fast_track is None else "NY"[leg.fast_track], 1),
    ]


def _flight_number(number: str) -> str:
    match = _FLIGHT_NUMBER.fullmatch(number)
    if match is None:
        raise ValueError("a flight number is up to four digits and perhaps a letter")
    return match[1].zfill(4) + match[2]


def _seat(seat: str | None) -> str | None:
    if seat is None or seat == "INF":
        return seat
    match = _SEAT.fullmatch(seat)
    if match is None:
        raise ValueError("a seat is a row and a letter")
    return match[1].zfill(3) + match[2]


def _fixed(fields: Iterable[Field]) -> str:
    """Each value in its width, blanks behind it."""
    return "".join(_checked(value or "", width).ljust(width) for value, width in fields)


def _checked(value: str, width: int) -> str:
    if len(value) > width or not _ALLOWED.fullmatch(value):
        raise ValueError(f"a field of {width} characters cannot hold what was given")
    return value


def _trimmed(fields: list[Field]) -> str:
    """The fields as far as something is known."""
    known = [position for position, (value, _) in enumerate(fields) if value]
    return _fixed(fields[: known[-1] + 1]) if known else ""


def _sized(text: str) -> str:
    """A part behind its length in two hexadecimal digits."""
    return f"{len(_checked(text, _LARGEST)):02X}{text}"
