"""Schedules as files: a writer of SSIM chapter 7 that shares nothing with the reader, CSV lines, and loading."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.core import db
from app.schedules.legs import Entry, FlightLeg, Refusal
from app.schedules.service import FORMATS, Loading
from tests.support.client import in_days

ZEROS = "0" * 200
HEADER = (
    "carrier,number,origin,destination,departs,arrives,from,to,days,aircraft,"
    "departure_terminal,arrival_terminal,codeshares"
)


def put(*fields: tuple[int, str]) -> str:
    """A record of blanks with texts at positions counted from 1."""
    record = [" "] * 200
    for position, text in fields:
        assert position + len(text) - 1 <= 200
        record[position - 1 : position - 1 + len(text)] = text
    return "".join(record)


def ddmmmyy(day: date | None) -> str:
    return "00XXX00" if day is None else day.strftime("%d%b%y").upper()


@dataclass
class Ssim:
    """A data set in the making; serial numbers are counted as records are added."""

    records: list[str] = field(default_factory=list)
    serial: int = 0

    def add(self, record: str, *, serial: int | None = None) -> "Ssim":
        self.serial = self.serial + 1 if serial is None else serial
        self.records.append(record[:194] + f"{self.serial:06}")
        return self

    def header(self) -> "Ssim":
        self.serial = 0
        return self.add(put((1, "1AIRLINE STANDARD SCHEDULE DATA SET"), (192, "001")))

    def carrier(
        self, carrier: str = "ZZ", mode: str = "L", first: date | None = None, last: date | None = None
    ) -> "Ssim":
        first, last = first or in_days(-30), last or in_days(200)
        period = ddmmmyy(first) + ddmmmyy(last)
        return self.add(
            put((1, "2" + mode), (3, carrier), (15, period), (29, ddmmmyy(in_days(-1))), (72, "C"))
        )

    def leg(self, **more: Any) -> "Ssim":
        return self.add(leg(**more))

    def data(self, identifier: str, text: str, **more: Any) -> "Ssim":
        """Segment data for the last leg, by the other positions of its record."""
        last = next(record for record in reversed(self.records) if record[0] == "3")
        points = more.get("points") or last[36:39] + last[54:57]
        return self.add("4" + last[1:14] + put((29, "AB"), (31, identifier + points), (40, text))[14:])

    def trailer(self, carrier: str = "ZZ", end: str = "E", check: int | None = None) -> "Ssim":
        reference = f"{self.serial if check is None else check:06}"
        return self.add(put((1, "5"), (3, carrier), (188, reference + end)))

    def padding(self, rows: int = 1) -> "Ssim":
        self.records += [ZEROS] * rows
        return self

    def encoded(self, end: str = "\n") -> bytes:
        return "".join(record + end for record in self.records).encode("latin-1")


def leg(**more: Any) -> str:
    """A flight leg record: Oslo to Bergen at ten, every day, unless said otherwise."""
    told = {
        "carrier": "ZZ",
        "number": "101",
        "suffix": " ",
        "variation": 1,
        "sequence": 1,
        "service": "J",
        "first": in_days(10),
        "last": in_days(16),
        "days": "1234567",
        "rate": " ",
        "origin": "OSL",
        "destination": "BGO",
        "departs": "1000",
        "arrives": "1055",
        "passengers_depart": None,
        "passengers_arrive": None,
        "offsets": ("+0100", "+0100"),
        "terminals": ("", ""),
        "aircraft": "73H",
        "disclosure": " ",
        "date_variation": "00",
        **more,
    }
    return put(
        (1, "3" + told["suffix"]),
        (3, told["carrier"]),
        (6, f"{told['number']:>4}"),
        (10, f"{told['variation'] % 100:02}{told['sequence']:02}{told['service']}"),
        (15, ddmmmyy(told["first"]) + ddmmmyy(told["last"])),
        (29, told["days"]),
        (36, told["rate"]),
        (37, told["origin"] + (told["passengers_depart"] or told["departs"]) + told["departs"]),
        (48, told["offsets"][0]),
        (53, told["terminals"][0]),
        (55, told["destination"] + told["arrives"] + (told["passengers_arrive"] or told["arrives"])),
        (66, told["offsets"][1]),
        (71, told["terminals"][1]),
        (73, told["aircraft"]),
        (128, str(told["variation"] // 100 or " ")),
        (149, told["disclosure"]),
        (193, told["date_variation"]),
    )


def one_leg(mode: str = "L", **more: Any) -> bytes:
    """A whole data set with one leg."""
    carrier = more.get("carrier", "ZZ")
    return Ssim().header().carrier(carrier, mode).leg(**more).trailer(carrier).encoded()


def row(**more: Any) -> str:
    """A line of a table: Oslo to Bergen at ten, every day, unless said otherwise."""
    told = {
        "carrier": "ZZ",
        "number": "101",
        "origin": "OSL",
        "destination": "BGO",
        "departs": "10:00",
        "arrives": "10:55",
        "from": in_days(10),
        "to": in_days(16),
        "days": "1234567",
        "aircraft": "73H",
        "departure_terminal": "",
        "arrival_terminal": "",
        "codeshares": "",
        **more,
    }
    return ",".join(str(told[name]) for name in HEADER.split(","))


def table(*rows: str) -> bytes:
    return "".join(line + "\n" for line in (HEADER, *rows)).encode()


def entries(kind: str, content: bytes) -> list[Entry]:
    """What a reader makes of a file."""
    reader = FORMATS[kind]()
    found: list[Entry] = []
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n"), 1):
        found += reader.feed(number, line.removesuffix(b"\r"))
    return found + list(reader.end())


def legs(kind: str, content: bytes) -> list[FlightLeg]:
    return [entry for entry in entries(kind, content) if isinstance(entry, FlightLeg)]


def codes(kind: str, content: bytes) -> dict[int, str]:
    """Code by line of what is refused."""
    return {entry.line: entry.code for entry in entries(kind, content) if isinstance(entry, Refusal)}


class Steps:
    """Loads in this process, and can be stopped after so many steps."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.saves = 0
        self.at: dict[str, Any] | None = None
        self.listed: list[dict[str, str]] = []
        self.refusals: list[Refusal] = []

    def transaction(self) -> AbstractAsyncContextManager[db.Session]:
        return db.transaction()

    async def save(self, at: dict[str, Any], _: int, refusals: list[Refusal], listed: dict[str, str]) -> None:
        self.at = at
        self.saves += 1
        self.refusals += refusals
        self.listed.append(listed)
        if self.most is not None:
            self.most -= 1
            if self.most < 0:
                raise InterruptedError


async def pieces(content: bytes, size: int = 64 * 1024) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def going_on(kind: str, content: bytes, steps: Steps, **more: Any) -> Loading:
    """What is left of a load that was stopped."""
    steps.most = None
    loading = Loading(kind, lambda: pieces(content), steps, at=steps.at, **more)
    for listed in steps.listed:
        loading.recall(listed)
    return loading


async def load(kind: str, content: bytes, *, replace: bool = False) -> dict[str, Any]:
    """The report of a load, with the refused lines as `named`."""
    steps = Steps()
    report = await Loading(kind, lambda: pieces(content), steps, replace=replace).run()
    return {**report, "named": {one.line: one.code for one in steps.refusals}}


def midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC)


def weekday(day: date) -> str:
    """The days of operation on which only this day's weekday flies."""
    return "".join(str(number) if number == day.isoweekday() else " " for number in range(1, 8))


def next_weekday(number: int, after: int = 10) -> date:
    """The first day of a week, Monday being 1, in so many days or later."""
    day = in_days(after)
    return day + timedelta(days=(number - day.isoweekday()) % 7)
