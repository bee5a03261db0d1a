"""Schedules as a table: CSV with a header, in UTF-8, one leg a line, times by the airports' clocks.

carrier,number,origin,destination,departs,arrives,from,to,days,aircraft,departure_terminal,arrival_terminal,codeshares
ZZ,101,JFK,LHR,18:30,06:40+1,2027-01-04,2027-03-26,1.3.5..,789,4,5,YY2101 XX701
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from app.schedules import fields
from app.schedules.errors import UnreadableSchedule
from app.schedules.legs import Entry, FlightLeg, Refusal, Refused, check_period
from app.schedules.lines import LONGEST
from app.schedules.listed import Span

_NEEDED = ("carrier", "number", "origin", "destination", "departs", "arrives", "from", "to", "days")
_OPTIONAL = ("aircraft", "departure_terminal", "arrival_terminal", "codeshares")
_CLOCK = re.compile(r"\d\d:\d\d", re.ASCII)
_ARRIVES = re.compile(r"(\d\d:\d\d)([+-][12])?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class Reader:
    """Reads line after line, as the reader of the other format does.

    Lines up to `after` are passed over unread; `spans` is what they had said.
    """

    def __init__(self, after: int = 0, spans: Iterable[Span] = ()) -> None:
        self.complete = False
        self._after = after
        self._columns: list[str] = []
        self._delimiter = ","
        self._spans = {span.carrier: span for span in spans}

    @property
    def spans(self) -> list[Span]:
        """A table speaks for a carrier from the first date to the last that it names for it."""
        return list(self._spans.values())

    def feed(self, line: int, raw: bytes) -> Iterator[Entry]:
        """The leg that this line is about."""
        if not self._columns:
            self._header_read(raw)
        elif line > self._after and raw.strip(b" \t\x1a,;"):
            try:
                leg = _leg(line, self._cells(raw))
            except Refused as refusal:
                yield Refusal(line, refusal.code, str(refusal))
            else:
                self._widen_span(leg)
                yield leg

    def end(self) -> Iterator[Entry]:
        """A table ends where it ends."""
        if not self._columns:
            raise UnreadableSchedule("The file is empty.")
        self.complete = True
        return iter(())

    def _header_read(self, raw: bytes) -> None:
        if not raw.strip():
            return
        try:
            header = _text(raw.removeprefix(b"\xef\xbb\xbf"))
            self._delimiter = ";" if ";" in header else ","
            columns = [cell.strip().lower() for cell in _split(header, self._delimiter)]
        except Refused as refusal:
            raise UnreadableSchedule(f"The header cannot be read: {refusal}") from None
        _check_header(columns)
        self._columns = columns

    def _cells(self, raw: bytes) -> dict[str, str]:
        if len(raw) > LONGEST:
            raise Refused("wrong_length", "The line is too long.")
        cells = _split(_text(raw), self._delimiter)
        if len(cells) != len(self._columns):
            raise Refused(
                "wrong_columns", f"The line has not {len(self._columns)} columns as the header has."
            )
        return dict(zip(self._columns, (cell.strip() for cell in cells), strict=True))

    def _widen_span(self, leg: FlightLeg) -> None:
        known = self._spans.get(leg.carrier, Span(leg.carrier, leg.first, leg.last))
        last = None if known.last is None or leg.last is None else max(known.last, leg.last)
        self._spans[leg.carrier] = Span(leg.carrier, min(known.first, leg.first), last)


def _check_header(columns: list[str]) -> None:
    missing = [name for name in _NEEDED if name not in columns]
    spurious = len([name for name in columns if name not in (*_NEEDED, *_OPTIONAL)])
    if missing:
        raise UnreadableSchedule(f"The header lacks columns: {', '.join(missing)}.")
    if spurious:
        raise UnreadableSchedule(
            f"The header has {spurious} columns that are not known; known are {', '.join((*_NEEDED, *_OPTIONAL))}."
        )
    if len(columns) != len(set(columns)):
        raise UnreadableSchedule("The header has a column twice.")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("not_utf8", "It is not in UTF-8.") from None


def _split(text: str, delimiter: str) -> list[str]:
    """A line's cells; a quoted one may hold the delimiter, and not the end of the line."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        raise Refused("bad_quotes", "A quotation mark is not closed.") from None


def _leg(line: int, cells: dict[str, str]) -> FlightLeg:
    arrives = _ARRIVES.fullmatch(cells["arrives"])
    if arrives is None or not _CLOCK.fullmatch(cells["departs"]):
        raise Refused(
            "bad_time", "A time is not written like 06:40, an arrival on the next day like 06:40+1."
        )
    leg = FlightLeg(
        line=line,
        carrier=fields.carrier(cells["carrier"].upper()),
        number=fields.flight_number(cells["number"].upper()),
        origin=fields.airport(cells["origin"].upper()),
        destination=fields.airport(cells["destination"].upper()),
        departs=fields.after_midnight(cells["departs"]),
        arrives=fields.after_midnight(arrives[1]) + timedelta(days=int(arrives[2] or 0)),
        first=_date(cells["from"]),
        last=_date(cells["to"]) if cells["to"] else None,
        days=fields.weekdays(cells["days"]),
        departure_terminal=fields.terminal(cells.get("departure_terminal", "").upper()),
        arrival_terminal=fields.terminal(cells.get("arrival_terminal", "").upper()),
        aircraft=fields.aircraft(cells.get("aircraft", "").upper()),
        codeshares=_codeshares(cells.get("codeshares", "").upper()),
    )
    if leg.origin is leg.destination:
        raise Refused("same_airport", "It ends where it begins.")
    check_period(leg)
    return leg


def _date(text: str) -> date:
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("bad_date", "A date is not written like 2027-01-04.") from None


def _codeshares(text: str) -> frozenset[str]:
    """Numbers such as `YY2101 XX701`, with blanks or strokes between them."""
    return frozenset("".join(fields.designator(one)) for one in text.replace("/", " ").split())
