"""Whether a rule is about a trip at all, and what it says of what happened there."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import IntEnum
from functools import cached_property
from typing import TypeVar

from app.rights.book import HOUSE, Amount, AnswerDeadline, Care, Change, Notice, RightsBook, Rule, Scope
from app.rights.trips import Disruption, Leg, Slice, Trip
from app.rules.cells import ANY

R = TypeVar("R", bound=Rule)
B = TypeVar("B", Amount, Care)


class Applies(IntEnum):
    """In the order of what a passenger hopes for, so that `min` finds the weakest part of a claim."""

    NO = 0
    MAYBE = 1
    YES = 2


def on(rows: Iterable[R], day: date) -> list[R]:
    """The rows that hold on a day, those first that were made last."""
    return sorted((row for row in rows if row.holds(day)), key=lambda row: row.first_day, reverse=True)


def in_group(book: RightsBook, group: str, country: str | None, day: date) -> Applies:
    """Whether a country is in a group on a day; of an unknown country nobody can say."""
    if group == ANY:
        return Applies.YES
    if country is None:
        return Applies.MAYBE
    periods = book.groups[group].get(country, ())
    return Applies.YES if any(first <= day <= last for first, last in periods) else Applies.NO


def rules_trip(book: RightsBook, jurisdiction: str, trip: Trip) -> Applies:
    """Whether a jurisdiction rules any flight of a trip."""
    return max(rules_leg(book, jurisdiction, one, leg) for one in trip.slices for leg in one.legs)


def rules_leg(book: RightsBook, jurisdiction: str, one: Slice, leg: Leg) -> Applies:
    """Whether a jurisdiction rules what happens to this leg of a slice."""
    if jurisdiction == HOUSE:
        return Applies.YES
    day = one.day
    scopes = (scope for scope in book.scopes if scope.jurisdiction == jurisdiction and scope.holds(day))
    return max((_matches(book, scope, one, leg, day) for scope in scopes), default=Applies.NO)


def _matches(book: RightsBook, scope: Scope, one: Slice, leg: Leg, day: date) -> Applies:
    ends = [(one.origin, one.destination)]
    if scope.per == "leg":
        ends = [(flown.origin, flown.destination) for flown in one.legs]
    return max(
        min(
            in_group(book, scope.origin, origin.country, day),
            in_group(book, scope.destination, destination.country, day),
            in_group(book, scope.carrier, leg.carrier_country, day),
        )
        for origin, destination in ends
    )


class Case:
    """A disruption of one leg of a trip, as the rules look at it."""

    def __init__(self, book: RightsBook, trip: Trip, disruption: Disruption) -> None:
        self.book, self.disruption = book, disruption
        self.slice = trip.slices[disruption.slice]
        self.leg = self.slice.legs[disruption.leg]
        self.day = self.slice.day

    @cached_property
    def late_minutes(self) -> int | None:
        """How late the last airport is reached; None where there is no way there."""
        if self.disruption.rerouting is not None:
            late = self.disruption.rerouting.arrives_at - self.slice.arrives_at
            return late // timedelta(minutes=1)
        return self.disruption.arrival_minutes if self.disruption.flies else None

    @cached_property
    def events(self) -> dict[str, int]:
        """What befell the flight, in the words of the tables, with the minutes that it comes to."""
        disruption = self.disruption
        if not disruption.flies:
            return {disruption.kind: 0}
        found: dict[str, int] = dict.fromkeys(disruption.changes, 0)
        if disruption.kind == "downgraded":
            found["downgraded"] = 0
        if disruption.kind == "diverted":
            found["other_airport"] = 0
        shifts = {
            "earlier_departure": -disruption.departure_minutes,
            "later_departure": disruption.departure_minutes,
            "later_arrival": self.late_minutes or 0,
        }
        return found | {event: minutes for event, minutes in shifts.items() if minutes > 0}

    @cached_property
    def rulers(self) -> dict[str, Applies]:
        """The jurisdictions that rule the flight, or may rule it, and our own rules."""
        asked = (*self.book.groups, HOUSE)
        found = {one: rules_leg(self.book, one, self.slice, self.leg) for one in asked}
        return {one: applies for one, applies in found.items() if applies}

    def rows(self, rows: Iterable[R], jurisdiction: str) -> list[R]:
        return [row for row in on(rows, self.day) if row.jurisdiction == jurisdiction]

    def is_within(self, jurisdiction: str) -> bool:
        """Whether the slice begins and ends in the jurisdiction."""
        return self._all_in(jurisdiction, (self.slice.origin.country, self.slice.destination.country))

    def _all_in(self, jurisdiction: str, countries: Iterable[str]) -> bool:
        return all(in_group(self.book, jurisdiction, country, self.day) for country in countries)

    def bracket(self, rows: Iterable[B], jurisdiction: str) -> B | None:
        """Of rows by distance, the one for the least distance that the slice is within."""
        within = "yes" if self.is_within(jurisdiction) else "no"
        fitting = [
            row
            for row in self.rows(rows, jurisdiction)
            if row.within in (ANY, within) and self.slice.metres <= row.up_to_km * 1000
        ]
        return min(fitting, key=lambda row: row.up_to_km, default=None)

    def changes(self, jurisdiction: str) -> list[Change]:
        """The rows about what happened, reached or not."""
        return [
            row
            for row in self.rows(self.book.changes, jurisdiction)
            if row.event in self.events and row.journey in (ANY, self._journey(jurisdiction))
        ]

    def reached_changes(self) -> list[Change]:
        """What any law that rules the flight, and our own rules, give for what happened."""
        return [
            row
            for jurisdiction in self.rulers
            for row in self.changes(jurisdiction)
            if self.reaches(row.event, row.minutes)
        ]

    def _journey(self, jurisdiction: str) -> str:
        """Domestic for a country is what stays on its soil, its territories included."""
        countries = {airport.country for airport in self.slice.airports}
        at_home = len(countries) == 1 if jurisdiction == HOUSE else self._all_in(jurisdiction, countries)
        return "domestic" if at_home else "international"

    def reaches(self, event: str, minutes: int) -> bool:
        return self.events[event] >= minutes

    def told_within(self, hours: int) -> bool:
        """Whether the passengers learned of it so shortly before that they are at the airport, or on their way."""
        return self.leg.departs_at - self.disruption.known_at <= timedelta(hours=hours)

    def notice(self, jurisdiction: str, event: str) -> Notice | None:
        """The row about how early it was told: days by the clock at the airport; too late counts as no days."""
        rows = [row for row in self.rows(self.book.notices, jurisdiction) if row.event == event]
        told = [row for row in rows if row.days == 0 or self._told_days_before(row.days)]
        return max(told, key=lambda row: row.days, default=None)

    def _told_days_before(self, days: int) -> bool:
        departs_local = self.leg.departs_at.astimezone(self.leg.origin.zone)
        # Subtracted from the local reading, so that a day is a day although clocks were changed in between.
        return self.disruption.known_at <= departs_local - timedelta(days=days)

    def excused_by(self, notice: Notice) -> bool:
        """Whether it was told early, and another way, or the flight itself, is near enough to what was booked."""
        if notice.later is None:
            return True
        if self.late_minutes is None:
            return False
        earlier = -self.disruption.departure_minutes
        if self.disruption.rerouting is not None:
            earlier = -((self.disruption.rerouting.departs_at - self.leg.departs_at) // timedelta(minutes=1))
        return earlier <= notice.earlier and self.late_minutes < notice.later

    def answer_by(self) -> datetime:
        """Until when the passengers may answer: the earlier they are told, the earlier, and never at once."""
        shift = timedelta(minutes=min(0, self.disruption.departure_minutes))
        departs_at, known_at = self.leg.departs_at + shift, self.disruption.known_at
        row = self._step(on(self.book.answer_deadlines, self.day), departs_at - known_at)
        due = departs_at - timedelta(hours=row.answer_hours)
        return max(due, known_at + timedelta(hours=row.least_hours))

    def _step(self, ladder: Sequence[AnswerDeadline], ahead: timedelta) -> AnswerDeadline:
        """The highest step that is reached; news that come after departure are on the lowest."""
        reached = [row for row in ladder if row.told_hours == 0 or timedelta(hours=row.told_hours) <= ahead]
        return max(reached, key=lambda row: row.told_hours)
