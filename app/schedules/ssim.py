"""Schedules as IATA's Standard Schedules Information Manual, chapter 7, lays them out: records of 200 bytes.

1  header          begins the data set
2  carrier         whose schedule follows, from when to when, in local time or in UTC
3  flight leg      one leg of an itinerary, over a period, on days of the week
4  segment data    more about the leg before it; read are 010 (numbers under which it is sold too) and 050 (the
                   flight of which it is only another number)
5  trailer         ends the carrier's schedule

Positions below are the manual's, counted from 1. Rows of zeros and blank lines between records are padding.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from app.schedules import fields
from app.schedules.errors import UnreadableSchedule
from app.schedules.legs import Entry, FlightLeg, PassedOver, Refusal, Refused, check_period
from app.schedules.listed import Span

_LENGTH = 200
_TITLE = "1AIRLINE STANDARD SCHEDULE DATA SET"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DATE = re.compile(r"(\d\d)([A-Z]{3})(\d\d)", re.ASCII)
_NO_END = "00XXX00"
_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)", re.ASCII)
# Scheduled flights that carry passengers, of all the service types of the manual's appendix C.
_FOR_PASSENGERS = "JSUQGBR"
# Coaches, trains and boats have equipment codes too.
_NOT_BY_AIR = ("BUS", "HOV", "LCH", "LMO", "RFS", "TRN")
# Data elements that are read, and how many records of them a leg may have.
_READ = (_SOLD_AS, _SOLD_ON) = ("010", "050")
_MOST_DATA = 500
# Sold on another carrier's flight, whether or not the record names it.
_COMMERCIAL_DUPLICATES = "LZ"
# Both letters are in use for the day before.
_DATE_VARIATIONS = {"A": -1, "J": -1, " ": 0} | {str(days): days for days in range(8)}
_HIGHEST_SERIAL = 999_999
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Carrier:
    designator: str
    in_utc: bool
    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class _Pending:
    """A leg's record, the data that follow it, and the first record of its itinerary."""

    line: int
    record: str
    carrier: _Carrier
    itinerary: str
    data: list[tuple[int, str]]


class Reader:
    """Reads record after record. `complete` tells at the end whether nothing was missing.

    Records up to the line `after` are passed over unread, because they were read before; they still say
    which carrier and itinerary later ones belong to.
    """

    def __init__(self, after: int = 0, spans: Iterable[Span] = ()) -> None:  # noqa: ARG002  They are read again.
        self.complete = False
        self.spans: list[Span] = []
        self._after = after
        self._carrier: _Carrier | None = None
        self._pending: _Pending | None = None
        self._itinerary = ""
        self._serial = 0
        self._previous = " "
        self._gap = self._begun = self._goes_on = False
        self._line = 0

    def feed(self, line: int, raw: bytes) -> Iterator[Entry]:
        """What is known once this line is read: a leg comes when its data have come, too."""
        self._line = line
        if not raw.strip(b"0 \t\x1a"):
            return
        record = raw.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
        self._require_header(record)
        if len(record) != _LENGTH:
            yield from self._leg_read()
            yield from self._refusal(line, Refused("wrong_length", "The record is not 200 bytes long."))
        else:
            yield from self._serial_read(line, record)
            yield from self._record_read(line, record)
            self._previous = record[0]

    def end(self) -> Iterator[Entry]:
        """What was still waiting, and whether the file ends where it should."""
        yield from self._leg_read()
        if not self._begun:
            raise UnreadableSchedule("The file is empty.")
        whole = self._carrier is None and bool(self.spans) and not self._goes_on
        self.complete = whole and not self._gap
        if not whole:
            message = "The file ends before its last trailer record: a part is missing."
            yield from self._refusal(self._line + 1, Refused("no_trailer", message))

    def _require_header(self, record: str) -> None:
        if not self._begun and not record.startswith(_TITLE):
            raise UnreadableSchedule("The first record is not the header of a standard schedule data set.")
        self._begun = True

    def _record_read(self, line: int, record: str) -> Iterator[Entry]:
        try:
            if record[0] == "4":
                self._data_read(line, record)
                return
            yield from self._leg_read()
            if record[0] in "12" and self._carrier is not None:
                yield from self._cut_off(line)
            self._other_read(line, record)
        except Refused as refusal:
            yield from self._refusal(line, refusal)

    def _other_read(self, line: int, record: str) -> None:
        if record[0] == "1":
            self._goes_on = False
        elif record[0] == "2":
            self._carrier = _carrier(record)
        elif record[0] == "3":
            self._leg_begun(line, record)
        elif record[0] == "5":
            self._trailer_read(record)
        else:
            raise Refused("unknown_record", "There is no record of this type.")

    def _cut_off(self, line: int) -> Iterator[Entry]:
        self._carrier, self._gap = None, True
        yield from self._refusal(
            line, Refused("no_trailer", "No trailer record comes before it: a part of the file is missing.")
        )

    def _leg_begun(self, line: int, record: str) -> None:
        if self._carrier is None:
            raise Refused("no_carrier", "No carrier record that could be read comes before it.")
        _require_same_carrier(record, self._carrier)
        # An itinerary's first leg says what days its later legs count from.
        if _itinerary(record) != _itinerary(self._itinerary) or record[11:13] == "01":
            self._itinerary = record
        self._pending = _Pending(line, record, self._carrier, self._itinerary, [])

    def _data_read(self, line: int, record: str) -> None:
        if self._pending is None:
            if self._previous not in "34":
                raise Refused("no_leg", "No flight leg comes before it.")
        elif record[2:11] != self._pending.record[2:11]:
            raise Refused("other_leg", "It is not about the leg before it.")
        elif record[30:33] in _READ:
            if len(self._pending.data) >= _MOST_DATA:
                raise Refused("too_many_data", "The leg before it has too many data.")
            self._pending.data.append((line, record))

    def _leg_read(self) -> Iterator[Entry]:
        pending, self._pending = self._pending, None
        if pending is None or pending.line <= self._after:
            return
        try:
            yield from _leg(pending)
        except Refused as refusal:
            yield from self._refusal(pending.line, refusal)

    def _trailer_read(self, record: str) -> None:
        carrier, self._carrier = self._carrier, None
        if carrier is None:
            raise Refused("no_carrier", "No carrier record that could be read comes before it.")
        _require_same_carrier(record, carrier)
        self.spans.append(Span(carrier.designator, carrier.first, carrier.last, carrier.in_utc))
        self._goes_on = record[193] == "C"
        if record[187:193] != f"{self._serial - 1:06}":
            self._gap = True
            raise Refused("trailer_check", "Its check reference is not the number of the record before it.")

    def _serial_read(self, line: int, record: str) -> Iterator[Entry]:
        """A gap is named where it is; the record after it is as good as any."""
        text, expected = record[194:], 1 if record[0] == "1" else self._serial + 1
        serial = int(text) if text.isdecimal() and text.isascii() else -1
        wrapped = self._serial >= _HIGHEST_SERIAL and serial in (0, 1, 2)
        self._serial = serial if serial >= 0 else expected
        if serial != expected and not wrapped:
            self._gap = True
            message = f"The record's number is not {expected:06}: records before it are missing."
            yield from self._refusal(line, Refused("serial_gap", message))

    def _refusal(self, line: int, refused: Refused) -> Iterator[Refusal]:
        if line > self._after:
            yield Refusal(line, refused.code, str(refused))


def _carrier(record: str) -> _Carrier:
    if record[1] not in "LU":
        raise Refused("bad_time_mode", "The time mode is neither L nor U.")
    first, last = _date(record[14:21]), _last_date(record[21:28])
    if last is not None and last < first:
        raise Refused("period_reversed", "The schedule's period ends before it begins.")
    return _Carrier(fields.carrier(record[2:5].rstrip()), record[1] == "U", first, last)


def _leg(pending: _Pending) -> Iterator[Entry]:
    """What a leg's record and the data after it say. Raises Refused."""
    if pending.record[13] not in _FOR_PASSENGERS:
        yield PassedOver(pending.line, "not_for_passengers")
    elif pending.record[72:75] in _NOT_BY_AIR:
        yield PassedOver(pending.line, "not_by_air")
    else:
        codeshares, refusals = _codeshares(pending)
        yield replace(_flight_leg(pending), codeshares=codeshares, sold_on=_sold_on(pending))
        yield from refusals


def _flight_leg(pending: _Pending) -> FlightLeg:
    record = pending.record
    departs, arrives, arrival_day_known = _times(record, pending)
    leg = FlightLeg(
        line=pending.line,
        carrier=pending.carrier.designator,
        number=_number(record),
        origin=fields.airport(record[36:39]),
        destination=fields.airport(record[54:57]),
        departs=departs,
        arrives=arrives,
        first=_date(record[14:21]),
        last=_last_date(record[21:28]),
        days=fields.weekdays(record[28:35]),
        every_weeks=_every_weeks(record[35]),
        in_utc=pending.carrier.in_utc,
        arrival_day_known=arrival_day_known,
        utc_offsets=(_offset(record[47:52]), _offset(record[65:70])),
        departure_terminal=fields.terminal(record[52:54].strip()),
        arrival_terminal=fields.terminal(record[70:72].strip()),
        aircraft=fields.aircraft(record[72:75].strip()),
    )
    if leg.origin is leg.destination:
        raise Refused("same_airport", "It ends where it begins.")
    check_period(leg)
    return leg


def _times(record: str, pending: _Pending) -> tuple[timedelta, timedelta, bool]:
    """When passengers leave and arrive, after midnight of the day of operation, and whether the day is sure."""
    departure_days, arrival_days = (_date_variation(character) for character in record[192:194])
    departs = _passengers_time(record[43:47], record[39:43])
    arrives = _passengers_time(record[57:61], record[61:65])
    if record[57:61] == "2400" and arrival_days > departure_days:
        arrives -= _DAY  # The date variation has counted that midnight already.
    counted = departure_days if _counts_from_its_own_date(record, pending, departure_days) else 0
    departs += (departure_days - counted) * _DAY
    arrives += (arrival_days - counted) * _DAY
    known = record[193] != " "
    if not known and pending.carrier.in_utc:
        arrives += _DAY if arrives <= departs else timedelta()
        known = True
    return departs, arrives, known


def _counts_from_its_own_date(record: str, pending: _Pending, days: int) -> bool:
    """Whether a later leg's period is already moved by its date variation, as some carriers write it.

    By the manual, an itinerary's legs all state the period and days of its first departure.
    """
    if not days or record == pending.itinerary:
        return False
    stated, first = _period(record), _period(pending.itinerary)
    return stated != first and stated == _moved(first, days)


_Period = tuple[date, date | None, frozenset[int]]


def _period(record: str) -> _Period:
    return _date(record[14:21]), _last_date(record[21:28]), fields.weekdays(record[28:35])


def _moved(period: _Period, days: int) -> _Period:
    first, last, weekdays = period
    return (
        first + days * _DAY,
        last and last + days * _DAY,
        frozenset((weekday - 1 + days) % 7 + 1 for weekday in weekdays),
    )


def _data(pending: _Pending, identifier: str) -> Iterator[tuple[int, str]]:
    """The data under an identifier for the leg itself, not for a longer segment, with the lines they are on."""
    board_and_off = pending.record[36:39] + pending.record[54:57]
    for line, record in pending.data:
        if record[30:33] == identifier and record[33:39] == board_and_off:
            yield line, record[39:194]


def _codeshares(pending: _Pending) -> tuple[frozenset[str], list[Refusal]]:
    """The other numbers under which the leg is sold; one that cannot be read costs no flight."""
    found, refusals = set(), []
    for line, data in _data(pending, _SOLD_AS):
        try:
            found |= {"".join(fields.designator(one)) for one in data.split("/") if one.strip()}
        except Refused as refusal:
            refusals.append(Refusal(line, refusal.code, str(refusal)))
    return frozenset(found), refusals


def _sold_on(pending: _Pending) -> tuple[str, str] | None:
    """The flight of which this leg is only another number."""
    for _, data in _data(pending, _SOLD_ON):
        return fields.designator(data)
    if pending.record[148] in _COMMERCIAL_DUPLICATES:
        raise Refused(
            "operating_flight_missing", "Another carrier flies it, and no element 050 names its flight."
        )
    return None


def _require_same_carrier(record: str, carrier: _Carrier) -> None:
    if record[2:5].rstrip() != carrier.designator:
        raise Refused("other_carrier", "The carrier is not that of the carrier record before it.")


def _number(record: str) -> str:
    if record[1] != " " and not record[1].isalpha():
        raise Refused("bad_number", "The operational suffix is no letter.")
    return fields.flight_number(record[5:9].strip() + record[1].strip())


def _itinerary(record: str) -> str:
    """What legs of one itinerary have in common: flight, suffix and itinerary variation."""
    return record[1:11] + record[127:128]


def _date(text: str) -> date:
    match = _DATE.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        return date(2000 + int(match[3]), _MONTHS.index(match[2]) + 1, int(match[1]))
    except ValueError:
        raise Refused("bad_date", "A date is not written like 01JAN27.") from None


def _last_date(text: str) -> date | None:
    return None if text == _NO_END else _date(text)


def _date_variation(character: str) -> int:
    if character not in _DATE_VARIATIONS:
        raise Refused("bad_date_variation", "A date variation is not 0 to 7, A or J.")
    return _DATE_VARIATIONS[character]


def _every_weeks(character: str) -> int:
    if character not in " 12":
        raise Refused("bad_frequency", "The frequency rate is neither blank nor 2.")
    return 2 if character == "2" else 1


def _offset(text: str) -> timedelta | None:
    """How far the airport's clocks are from UTC; only a repeated hour needs it."""
    match = _OFFSET.fullmatch(text)
    if match is None:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return -offset if match[1] == "-" else offset


def _passengers_time(aircraft: str, passengers: str) -> timedelta:
    """The passengers' time, within half a day of the aircraft's, to which the dates belong."""
    by_aircraft = fields.after_midnight(aircraft)
    if not passengers.strip():
        return by_aircraft
    later = fields.after_midnight(passengers) - by_aircraft
    return by_aircraft + (later + _DAY / 2) % _DAY - _DAY / 2
