"""One day of the timetable: every flight that leaves on one local date, in arrays that processes share.

Flights lie by route and departure, so all that fly from one airport to another are one slice. A day is
written once, never changed, and mapped into memory, where all processes of a host read the same pages.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import orjson
from numpy.typing import NDArray

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
"""Instants are whole minutes since then."""

Array = NDArray[Any]

_MAGIC = b"JETWAY02"
_HEAD = struct.Struct("<8sQ")
_TAIL = struct.Struct("<I")
_ALIGNED = 64


class NotADay(Exception):
    """The file was not written by us, not to its end, or by another version."""


@dataclass(frozen=True, eq=False)
class Day:
    """Columns of flights have one length, columns of routes another.

    `departs` and `arrives` are minutes since EPOCH; `departs_offset` and `arrives_offset` minutes to add for the
    clock at the airport. Airports, carriers, terminals and aircraft types are numbers of `codes.pack`, 0 for an
    unknown one. The flights of route r are those from `first[r]` to before `first[r + 1]`, by departure and id.
    Routes lie by origin and destination; `by_destination` has their numbers by destination and origin.
    `version` is what the day was made from: another version has other flights.
    """

    day: date
    version: str

    id: Array
    departs: Array
    arrives: Array
    departs_offset: Array
    arrives_offset: Array
    carrier: Array
    departure_terminal: Array
    arrival_terminal: Array
    aircraft: Array

    origin: Array
    destination: Array
    first: Array
    by_destination: Array

    FLIGHTS: ClassVar[Mapping[str, str]] = {
        "id": "<i8",
        "departs": "<i4",
        "arrives": "<i4",
        "departs_offset": "<i2",
        "arrives_offset": "<i2",
        "carrier": "<u2",
        "departure_terminal": "<u4",
        "arrival_terminal": "<u4",
        "aircraft": "<u4",
    }
    ROUTES: ClassVar[Mapping[str, str]] = {
        "origin": "<u2",
        "destination": "<u2",
        "first": "<i4",
        "by_destination": "<i4",
    }

    @classmethod
    def of(cls, day: date, version: str, flights: Mapping[str, Array]) -> "Day":
        """A day from columns of flights in any order: those of `FLIGHTS`, and `origin` and `destination` of each."""
        order = np.lexsort((flights["id"], flights["departs"], flights["destination"], flights["origin"]))
        route = flights["origin"].astype("<i8") * 65_536 + flights["destination"]
        routes, first = np.unique(route[order], return_index=True)
        origin, destination = (routes // 65_536).astype("<u2"), (routes % 65_536).astype("<u2")
        return cls(
            day=day,
            version=version,
            **{name: flights[name][order].astype(kind) for name, kind in cls.FLIGHTS.items()},
            origin=origin,
            destination=destination,
            first=np.append(first, len(order)).astype("<i4"),
            by_destination=np.lexsort((origin, destination)).astype("<i4"),
        )

    @cached_property
    def destinations_in_order(self) -> Array:
        """The destinations of `by_destination`, to search in."""
        return self.destination[self.by_destination]

    def routes_from(self, airport: int) -> slice:
        """The numbers of the routes that leave an airport."""
        start, end = np.searchsorted(self.origin, [airport, airport + 1])
        return slice(int(start), int(end))

    def routes_to(self, airport: int) -> Array:
        """The numbers of the routes that reach an airport."""
        start, end = np.searchsorted(self.destinations_in_order, [airport, airport + 1])
        return self.by_destination[start:end]

    def write(self, path: Path) -> None:
        """Put the day in the place of the file, whole or not at all."""
        draft, checksum = path.with_name(f".{path.name}.{os.getpid()}"), 0
        with draft.open("wb") as file:
            for part in self._parts():
                checksum = zlib.crc32(part, checksum)
                file.write(part)
            file.write(_TAIL.pack(checksum))
        draft.replace(path)

    def _parts(self) -> Iterator[bytes | memoryview]:
        """What a file holds before its checksum."""
        columns = {name: getattr(self, name) for name in (*self.FLIGHTS, *self.ROUTES)}
        sizes = {name: len(column) for name, column in columns.items()}
        head = orjson.dumps({"day": self.day.isoformat(), "version": self.version, "sizes": sizes})
        yield _HEAD.pack(_MAGIC, len(head)) + head
        place = _HEAD.size + len(head)
        for column in columns.values():
            yield b"\0" * (-place % _ALIGNED)
            yield np.ascontiguousarray(column).view("u1").data
            place += -place % _ALIGNED + column.nbytes

    @classmethod
    def read(cls, path: Path) -> "Day":
        """Map a day into memory, every byte of it checked. Raises NotADay, and FileNotFoundError."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= _HEAD.size + _TAIL.size:
                raise NotADay(path)
            mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        magic, length = _HEAD.unpack_from(mapped)
        [checksum] = _TAIL.unpack_from(mapped, size - _TAIL.size)
        if magic != _MAGIC or zlib.crc32(memoryview(mapped)[: -_TAIL.size]) != checksum:
            raise NotADay(path)
        # The check has touched every page; from here on a process holds those that its searches touch.
        mapped.madvise(mmap.MADV_DONTNEED)
        head = orjson.loads(mapped[_HEAD.size : _HEAD.size + length])
        columns, place = {}, _HEAD.size + length
        for name, kind in (cls.FLIGHTS | cls.ROUTES).items():  # type: ignore[operator]
            place += -place % _ALIGNED
            columns[name] = np.frombuffer(mapped, kind, head["sizes"][name], place)
            place += columns[name].nbytes
        return cls(day=date.fromisoformat(head["day"]), version=head["version"], **columns)
