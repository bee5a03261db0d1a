"""The tables of passenger rights, row by row. Everything legal is in them: which law, for whom, how much, since when.

A row says which rule it states, whose rule that is, on which dates of flight it holds, and where it is written.
`house` stands for the airline's own rules, which hold everywhere.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

import holidays

from app.rights.trips import EVENTS
from app.rules.cells import ANY, Cells, Reader

HOUSE = "house"
METHODS = ("card", "other")

_BEGINNING = ("rule", "jurisdiction")
_END = ("valid_from", "valid_to", "source", "text")
COLUMNS: dict[str, tuple[str, ...]] = {
    "jurisdictions": ("jurisdiction", "country", "valid_from", "valid_to", "source"),
    "scopes": (*_BEGINNING, "per", "from", "to", "carrier", *_END),
    "free_cancellation": (*_BEGINNING, "hours", "hours_before_departure", "applies", *_END),
    "refund_deadlines": (*_BEGINNING, "method", "days", "business_days_of", "time_zone", *_END),
    "significant_changes": (*_BEGINNING, "event", "journey", "minutes", "rebook", "refund", *_END),
    "answer_deadlines": (*_BEGINNING, "told_hours_before", "answer_hours_before", "least_hours", *_END),
    "compensation": (*_BEGINNING, "within", "up_to_km", "amount", "currency", "halved_below_minutes", *_END),
    "compensation_events": (*_BEGINNING, "event", "minutes", "can_be_halved", "excusable", *_END),
    "notices": (*_BEGINNING, "event", "days", "earlier_minutes", "later_minutes", *_END),
    "care": (*_BEGINNING, "event", "within", "up_to_km", "minutes", "told_within_hours", *_END),
    "void": (*_BEGINNING, "time_zone", *_END),
}

_WORD = ("[A-Za-z][A-Za-z0-9_-]{0,39}", "a word of letters, digits and hyphens")
_FURTHEST_KM = 99_999
_LONGEST_MINUTES = 99_999
_LONGEST_HOURS = 9_999
_LONGEST = 200

Head = tuple[str, str, date, date, str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    rule: str
    jurisdiction: str
    first_day: date
    last_day: date
    source: str
    text: str

    def holds(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class Scope(Rule):
    """Flights that a jurisdiction rules: `per` slice or leg, by groups of countries of both ends and of the carrier."""

    per: str
    origin: str
    destination: str
    carrier: str


@dataclass(frozen=True, slots=True)
class Cancelling(Rule):
    hours: int
    hours_before_departure: int
    applies: bool


@dataclass(frozen=True, slots=True)
class RefundDeadline(Rule):
    """`business` has the days on which a country works; None where all days count."""

    method: str
    days: int
    business: holidays.HolidayBase | None
    zone: ZoneInfo

    def due(self, requested_at: datetime) -> date:
        asked = requested_at.astimezone(self.zone).date()
        if self.business is None:
            return asked + timedelta(days=self.days)
        return self.business.get_nth_working_day(asked, self.days)


@dataclass(frozen=True, slots=True)
class Change(Rule):
    event: str
    journey: str
    minutes: int
    rebook: bool
    refund: str


@dataclass(frozen=True, slots=True)
class AnswerDeadline(Rule):
    told_hours: int
    answer_hours: int
    least_hours: int


@dataclass(frozen=True, slots=True)
class Amount(Rule):
    within: str
    up_to_km: int
    minor: int
    currency: str
    halved_below: int


@dataclass(frozen=True, slots=True)
class Compensated(Rule):
    event: str
    minutes: int
    can_be_halved: bool
    excusable: bool


@dataclass(frozen=True, slots=True)
class Notice(Rule):
    """Told so many days ahead, no compensation is due; where `later` is set, only if a way that is no earlier and no
    later than this was offered, in minutes.
    """

    event: str
    days: int
    earlier: int
    later: int | None


@dataclass(frozen=True, slots=True)
class Care(Rule):
    event: str
    within: str
    up_to_km: int
    minutes: int
    told_within_hours: int


@dataclass(frozen=True, slots=True)
class PointOfSale(Rule):
    zone: ZoneInfo


# Countries of each group, with the days from and to which they are in it.
Groups = Mapping[str, Mapping[str, Sequence[tuple[date, date]]]]
R = TypeVar("R", bound=Rule)


@dataclass(frozen=True, slots=True)
class RightsBook:
    version: int
    groups: Groups
    scopes: Sequence[Scope]
    cancelling: Sequence[Cancelling]
    refund_deadlines: Sequence[RefundDeadline]
    changes: Sequence[Change]
    answer_deadlines: Sequence[AnswerDeadline]
    amounts: Sequence[Amount]
    compensated: Sequence[Compensated]
    notices: Sequence[Notice]
    care: Sequence[Care]
    points_of_sale: Sequence[PointOfSale]


def read_book(reader: Reader, version: int) -> RightsBook:
    """Raises RulesRefused with all that makes no sense."""
    tables = _Tables(reader)
    book = RightsBook(
        version,
        tables.groups,
        tables.read("scopes", _scope),
        tables.read("free_cancellation", _cancelling, house=True),
        tables.read("refund_deadlines", _refund_deadline, house=True),
        tables.read("significant_changes", _change, house=True),
        tables.read("answer_deadlines", _answer_deadline, house=True),
        tables.read("compensation", _amount),
        tables.read("compensation_events", _compensated),
        tables.read("notices", _notice),
        tables.read("care", _care),
        tables.read("void", _point_of_sale, house=True),
    )
    _require(reader, book)
    reader.faults.refuse_any()
    return book


class _Tables:
    """Reads rows, and what all of them have in common."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.groups = self._groups()

    def _groups(self) -> Groups:
        found: dict[str, dict[str, list[tuple[date, date]]]] = {}
        for cells in self._reader.rows("jurisdictions"):
            group = cells.code("jurisdiction", *_WORD)
            country = cells.code("country", "[A-Z]{2}", "two letters of ISO 3166")
            if group == HOUSE:
                cells.fault("jurisdiction", "not_a_countrys", f"{HOUSE} stands for your own rules.")
            first, last = cells.period()
            periods = found.setdefault(group, {}).setdefault(country, [])
            if any(first <= end and start <= last for start, end in periods):
                cells.fault("country", "overlaps", "An earlier row has this country in the group already.")
            periods.append((first, last))
            cells.filled("source", _LONGEST)
        return found

    def read(
        self, table: str, row: Callable[["_Tables", Cells, Head], R], *, house: bool = False
    ) -> Sequence[R]:
        found: list[R] = []
        for cells in self._reader.rows(table):
            one = row(self, cells, self._head(cells, house))
            if any(_same_rule(one, other) for other in found):
                cells.fault("rule", "overlaps", "An earlier row states this rule for some of these days.")
            found.append(one)
        return tuple(found)

    def _head(self, cells: Cells, house: bool) -> Head:
        jurisdiction = cells.code("jurisdiction", *_WORD)
        if jurisdiction not in self.groups and not (house and jurisdiction == HOUSE):
            allowed = [*self.groups, *([HOUSE] if house else [])]
            cells.fault("jurisdiction", "unknown_jurisdiction", f"Write one of: {', '.join(allowed)}.")
        first, last = cells.period()
        source, text = cells.filled("source", _LONGEST), cells.filled("text", _LONGEST)
        return cells.code("rule", *_WORD), jurisdiction, first, last, source, text

    def group(self, cells: Cells, column: str) -> str:
        return cells.one_of(column, tuple(self.groups), wild=True)


def _same_rule(one: Rule, other: Rule) -> bool:
    same = (one.rule, one.jurisdiction) == (other.rule, other.jurisdiction)
    return same and one.first_day <= other.last_day and other.first_day <= one.last_day


def _scope(tables: _Tables, cells: Cells, head: Head) -> Scope:
    per = cells.one_of("per", ("slice", "leg"))
    return Scope(*head, per, *(tables.group(cells, column) for column in ("from", "to", "carrier")))


def _cancelling(_: _Tables, cells: Cells, head: Head) -> Cancelling:
    hours = cells.number_from("hours", 1, _LONGEST_HOURS)
    before = cells.number_from("hours_before_departure", 0, _LONGEST_HOURS)
    return Cancelling(*head, hours, before, cells.yes("applies"))


def _refund_deadline(_: _Tables, cells: Cells, head: Head) -> RefundDeadline:
    method, days = cells.one_of("method", METHODS, wild=True), cells.number_from("days", 1, 365)
    return RefundDeadline(*head, method, days, _business_days(cells), _zone(cells))


def _business_days(cells: Cells) -> holidays.HolidayBase | None:
    """A country's weekends and public holidays, with the days on which they are kept instead."""
    if not cells.text("business_days_of"):
        return None
    try:
        return holidays.country_holidays(
            cells.code("business_days_of", "[A-Z]{2}", "two letters of ISO 3166")
        )
    except NotImplementedError:
        cells.fault("business_days_of", "unknown_value", "The holidays of this country are not known.")
        return None


def _change(_: _Tables, cells: Cells, head: Head) -> Change:
    event = cells.one_of("event", EVENTS)
    journey = cells.one_of("journey", ("domestic", "international"), wild=True)
    minutes = cells.number_from("minutes", 0, _LONGEST_MINUTES)
    return Change(
        *head, event, journey, minutes, cells.yes("rebook"), cells.one_of("refund", ("full", "part", "no"))
    )


def _answer_deadline(_: _Tables, cells: Cells, head: Head) -> AnswerDeadline:
    told = cells.number_from("told_hours_before", 0, _LONGEST_HOURS)
    answer = cells.number_from("answer_hours_before", 0, _LONGEST_HOURS)
    if answer and answer >= told:
        cells.fault("answer_hours_before", "too_early", "An answer is not due before the news is told.")
    return AnswerDeadline(*head, told, answer, cells.number_from("least_hours", 1, _LONGEST_HOURS))


def _amount(_: _Tables, cells: Cells, head: Head) -> Amount:
    currency = cells.code("currency", "[A-Z]{3}", "three letters of ISO 4217")
    minor = cells.amount("amount", currency)
    halved = cells.number_from("halved_below_minutes", 0, _LONGEST_MINUTES)
    return Amount(*head, *_bracket(cells), minor, currency, halved)


def _compensated(_: _Tables, cells: Cells, head: Head) -> Compensated:
    event, minutes = cells.one_of("event", EVENTS), cells.number_from("minutes", 0, _LONGEST_MINUTES)
    return Compensated(*head, event, minutes, cells.yes("can_be_halved"), cells.yes("excusable"))


def _notice(_: _Tables, cells: Cells, head: Head) -> Notice:
    event, days = cells.one_of("event", EVENTS), cells.number_from("days", 0, 365)
    if not cells.text("earlier_minutes") and not cells.text("later_minutes"):
        return Notice(*head, event, days, 0, None)
    earlier = cells.number_from("earlier_minutes", 0, _LONGEST_MINUTES)
    return Notice(*head, event, days, earlier, cells.number_from("later_minutes", 0, _LONGEST_MINUTES))


def _care(_: _Tables, cells: Cells, head: Head) -> Care:
    event, bracket = cells.one_of("event", EVENTS), _bracket(cells)
    minutes = cells.number_from("minutes", 0, _LONGEST_MINUTES)
    return Care(*head, event, *bracket, minutes, cells.number_from("told_within_hours", 0, _LONGEST_HOURS))


def _point_of_sale(_: _Tables, cells: Cells, head: Head) -> PointOfSale:
    return PointOfSale(*head, _zone(cells))


def _bracket(cells: Cells) -> tuple[str, int]:
    """Whether both ends are in the jurisdiction, and how far apart they are at most."""
    within = cells.one_of("within", ("yes", "no"), wild=True)
    limited = bool(cells.text("up_to_km"))
    return within, cells.number_from("up_to_km", 1, _FURTHEST_KM) if limited else _FURTHEST_KM


def _zone(cells: Cells) -> ZoneInfo:
    name = cells.text("time_zone")
    if name not in _zones():
        cells.fault("time_zone", "unknown_time_zone", "Write an IANA time zone, such as Europe/Paris.")
        return ZoneInfo("UTC")
    return ZoneInfo(name)


@cache
def _zones() -> set[str]:
    return available_timezones()


def _require(reader: Reader, book: RightsBook) -> None:
    """The rows without which a question would have no answer."""
    for method in METHODS:
        if not any(row.method in (ANY, method) for row in _own(book.refund_deadlines)):
            reader.missing("refund_deadlines", f"A row of {HOUSE} without dates is missing for {method}.")
    if not any(row.told_hours == 0 for row in _own(book.answer_deadlines)):
        reader.missing(
            "answer_deadlines", f"A row of {HOUSE} without dates, told 0 hours before, is missing."
        )
    for jurisdiction in dict.fromkeys(row.jurisdiction for row in book.compensated):
        for within in ("yes", "no"):
            reaching = (row for row in book.amounts if row.jurisdiction == jurisdiction)
            if not any(row.within in (ANY, within) and row.up_to_km == _FURTHEST_KM for row in reaching):
                reader.missing("compensation", f"{jurisdiction} has no amount for any distance.")


def _own(rows: Iterable[R]) -> Iterable[R]:
    always = (date.min, date.max)
    return (row for row in rows if row.jurisdiction == HOUSE and (row.first_day, row.last_day) == always)
