"""Which dated flight is meant by a number, or is flown by an aircraft, of those that are known.

The one in the air is meant, else the next to leave, else the last that left.
"""

import re
from datetime import date, datetime, timedelta

from app.core.db import Row, Session
from app.flights import lookups
from app.live import numbers, progress

_ADDRESS = re.compile(r"[0-9A-F]{6}")
_DAYS_BACK, _DAYS_AHEAD = timedelta(days=2), timedelta(days=2)
_HAVE_LEFT = ("departed", "landed", "diverted")


def is_address(name: str) -> bool:
    """Whether this may be an aircraft's address; some flight numbers look the same."""
    return _ADDRESS.fullmatch(name) is not None


async def numbered(session: Session, name: str, now: datetime) -> Row | None:
    """The flight with this number, the operating carrier's before one under which it is sold too."""
    told = numbers.parsed(name)
    if told is None:
        return None
    designator, number = told
    first, last = _days(now)
    carriers, spellings = numbers.carriers(designator), numbers.spellings(number)
    found = await lookups.by_number(session, carriers, spellings, first, last)
    if not found:
        for carrier in carriers:
            found += await lookups.sold_as(session, carrier + number, first, last)
    return _meant(found, now)


async def flown_by(session: Session, address: str, now: datetime) -> Row | None:
    return _meant(await lookups.by_aircraft(session, address, *_days(now)), now)


async def with_id(session: Session, flight_id: str) -> Row | None:
    """The flight with a public id, such as an aircraft in a picture has."""
    name, day, origin = flight_id.split("-")
    departs_on = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    found = await lookups.by_number(session, [name[:2]], [name[2:]], departs_on, departs_on)
    return next((flight for flight in found if flight["origin"] == origin), None)


def _days(now: datetime) -> tuple[date, date]:
    return (now - _DAYS_BACK).date(), (now + _DAYS_AHEAD).date()


def _meant(found: list[Row], now: datetime) -> Row | None:
    def departs(flight: Row) -> datetime:
        return progress.times(flight)[0]

    in_the_air = [flight for flight in found if progress.airborne(flight, now)]
    # What is said to have left is rather in the air than what only should have.
    if in_the_air:
        return max(in_the_air, key=lambda flight: (flight["status"] in _HAVE_LEFT, departs(flight)))
    to_come = [flight for flight in found if departs(flight) > now and flight["status"] not in _HAVE_LEFT]
    if to_come:
        return min(to_come, key=departs)
    return max(found, key=departs, default=None)
