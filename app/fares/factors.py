"""What makes a fare dearer or cheaper than filed: when one flies, how early one buys, how one travels.

Every factor is a percentage in hundredths.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.rules.cells import ANY, HUNDRED, Cells, Reader, repeated

JOURNEYS = ("one_way", "return", "multi_city")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LEAP_YEAR = 2024
_MONTH_AND_DAY = re.compile(r"\d\d-\d\d", re.ASCII)
_COUNTRY = ("[A-Z]{2}", "two letters of ISO 3166")


@dataclass(frozen=True, slots=True)
class Season:
    """From one day of any year to another, both included; past New Year where it ends before it begins.

    `days` holds month * 100 + day of both.
    """

    code: str
    days: tuple[int, int]
    percent: int
    countries: tuple[str, str]

    def covers(self, day: int) -> bool:
        first, last = self.days
        return first <= day <= last if first <= last else day >= first or day <= last

    def overlaps(self, other: "Season") -> bool:
        return self.covers(other.days[0]) or other.covers(self.days[0])


@dataclass(frozen=True, slots=True)
class Steps:
    """The percentage of the last step that begins at or below a number."""

    starts: Sequence[int]
    percents: Sequence[int]

    def at(self, number: int) -> int:
        return self.percents[max(bisect_right(self.starts, number) - 1, 0)]


@dataclass(frozen=True, slots=True)
class Stay:
    """A return trip of at least so many days, or with a night to Sunday; either is enough."""

    min_days: int | None
    saturday_night: bool
    percent: int

    def covers(self, days: int, saturday_night: bool) -> bool:
        long_enough = self.min_days is not None and days >= self.min_days
        return long_enough or (self.saturday_night and saturday_night)


@dataclass(frozen=True, slots=True)
class Factors:
    """Seasons are the most specific first."""

    seasons: Sequence[Season]
    weekdays: Sequence[int]
    hours: Steps
    advance: Steps
    stays: Sequence[Stay]
    connections: Steps
    journeys: dict[str, int]

    def season(self, day: date, countries: tuple[str, str]) -> Season | None:
        """Of several, the one that names more of the slice's countries; then the one that names where it begins."""
        number = day.month * 100 + day.day
        for season in self.seasons:
            places = zip(season.countries, countries, strict=True)
            if season.covers(number) and all(filed in (ANY, country) for filed, country in places):
                return season
        return None

    def stay(self, days: int | None, saturday_night: bool) -> int:
        """The lowest percentage that a return trip qualifies for."""
        if days is None:
            return HUNDRED
        return min((s.percent for s in self.stays if s.covers(days, saturday_night)), default=HUNDRED)


def read_factors(book: Reader) -> Factors:
    return Factors(
        seasons=_seasons(book),
        weekdays=_named(book, "weekdays", "weekday", _WEEKDAYS),
        hours=_steps(book, "hours", "from_hour", 23),
        advance=_steps(book, "advance", "days", 366),
        stays=[_stay(cells) for cells in book.rows("stay")],
        connections=_steps(book, "connections", "connections", 2),
        journeys=dict(zip(JOURNEYS, _named(book, "journeys", "journey", JOURNEYS), strict=True)),
    )


def _seasons(book: Reader) -> list[Season]:
    found: list[Season] = []
    for cells in book.rows("seasons"):
        season = Season(
            code=cells.code("code", "[A-Z0-9]", "one capital or digit"),
            days=(_day_of_year(cells, "from"), _day_of_year(cells, "to")),
            percent=cells.percent("percent"),
            countries=(
                cells.code("from_country", *_COUNTRY, wild=True),
                cells.code("to_country", *_COUNTRY, wild=True),
            ),
        )
        if any(one.countries == season.countries and one.overlaps(season) for one in found):
            cells.fault("from", "overlaps", "An earlier season of the same countries has some of these days.")
        found.append(season)
    return sorted(found, key=lambda one: (one.countries.count(ANY), one.countries[0] == ANY))


def _day_of_year(cells: Cells, column: str) -> int:
    text = cells.text(column)
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}" if _MONTH_AND_DAY.fullmatch(text) else "")
    except ValueError:
        cells.fault(column, "bad_day", "Write a day of the year as MM-DD.")
        return 101
    return day.month * 100 + day.day


def _named(book: Reader, table: str, column: str, names: tuple[str, ...]) -> list[int]:
    """A percentage for each of these names."""
    found: dict[str, int] = {}
    for cells in book.rows(table):
        name = cells.one_of(column, names)
        if name in found:
            repeated(cells, column)
        found[name] = cells.percent("percent")
    for name in names:
        if name not in found:
            book.missing(table, f"{name} is missing.")
    return [found.get(name, HUNDRED) for name in names]


def _steps(book: Reader, table: str, column: str, most: int) -> Steps:
    found: dict[int, int] = {}
    for cells in book.rows(table):
        start = cells.number_from(column, 0, most)
        if start in found and start >= 0:
            repeated(cells, column)
        found[start] = cells.percent("percent")
    if 0 not in found:
        book.missing(table, "The step that begins at 0 is missing.")
    return Steps(*zip(*sorted((found or {0: HUNDRED}).items()), strict=True))


def _stay(cells: Cells) -> Stay:
    days = cells.number_from("min_days", 1, 366) if cells.text("min_days") else None
    saturday_night = cells.yes("saturday_night") if cells.text("saturday_night") else False
    if days is None and not saturday_night:
        cells.fault("min_days", "no_condition", "Ask for a number of days, a Saturday night, or both.")
    return Stay(days, saturday_night, cells.percent("percent", most=HUNDRED))
