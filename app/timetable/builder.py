"""A day of the timetable from the flights in the database."""

import asyncio
from datetime import date
from functools import lru_cache

import numpy as np

from app.core import db, replica
from app.core.db import Session
from app.timetable import repository
from app.timetable.codes import pack
from app.timetable.day import EPOCH, Array, Day

# PostgreSQL counts microseconds from here, by the clock of UTC or of the airport.
_POSTGRES_EPOCH = 946_684_800
_MINUTE = 60_000_000
_MINUTES_BEFORE = int(EPOCH.timestamp() - _POSTGRES_EPOCH) // 60
_NUMBERS = ("id", "departs_at", "arrives_at", "departs_local", "arrives_local")
_HEAD, _TAIL = 19, 2

# A row: how many fields, and before each of them its size.
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *((part, kind) for name in _NUMBERS for part, kind in ((f"{name}_size", ">i4"), (name, ">i8"))),
        *(
            (part, kind)
            for name, width in repository.WIDTHS.items()
            for part, kind in ((f"{name}_size", ">i4"), (name, f"S{width}"))
        ),
    ]
)

_at_once = asyncio.Semaphore(2)  # So that searches find connections.


async def build(day: date) -> Day:
    """The day as it is now: its version and its flights are of one moment.

    A replica does the reading, unless it has not heard of the day's last change yet.
    """
    async with _at_once:
        wanted = await version(day)
        found, copied = await replica.read(_copied, day)
        if found != wanted:
            async with db.transaction() as session:
                found, copied = await _copied(session, day)
        # Beside the loop, which has requests to answer.
        return await asyncio.to_thread(_day, day, found, copied)


async def _copied(session: Session, day: date) -> tuple[str, bytearray]:
    await repository.begin_reading(session)
    versions = await repository.versions(session, [day])
    return versions.get(day, ""), await repository.flights(session, day)


async def version(day: date) -> str:
    """What the day would be made of now."""
    async with db.transaction() as session:
        return (await repository.versions(session, [day])).get(day, "")


@lru_cache
def nothing(day: date) -> Day:
    """A day on which nobody flies."""
    columns = Day.FLIGHTS | {"origin": "<u2", "destination": "<u2"}  # type: ignore[operator]
    return Day.of(day, "", {name: np.empty(0, kind) for name, kind in columns.items()})


def _day(day: date, version: str, copied: bytearray) -> Day:
    read = np.frombuffer(copied, _ROW, (len(copied) - _HEAD - _TAIL) // _ROW.itemsize, _HEAD)
    departs, arrives = _minutes(read["departs_at"]), _minutes(read["arrives_at"])
    flights = {
        "id": read["id"],
        "departs": departs,
        "arrives": arrives,
        "departs_offset": _minutes(read["departs_local"]) - departs,
        "arrives_offset": _minutes(read["arrives_local"]) - arrives,
        "aircraft": _packed(read["aircraft_type"]),
        **{name: _packed(read[name]) for name in repository.WIDTHS if name != "aircraft_type"},
    }
    return Day.of(day, version, flights)


def _minutes(microseconds: Array) -> Array:
    return microseconds.astype("<i8") // _MINUTE - _MINUTES_BEFORE


def _packed(texts: Array) -> Array:
    """Codes as numbers, 0 for what is no code; there are few different ones, so each is packed once."""
    different, place = np.unique(texts, return_inverse=True)
    return np.array([pack(text.decode()) if text.isascii() else 0 for text in different.tolist()], "<u4")[
        place
    ]
