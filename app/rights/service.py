"""Passenger rights: what the rules in force on the day of a flight say. Advice, never a promise."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Literal

from app.core.db import Row
from app.rights import advice as rights
from app.rights.book import COLUMNS, HOUSE, METHODS, RightsBook, read_book
from app.rights.cases import Case, on, rules_trip
from app.rights.trips import Disruption, Trip
from app.rules import service as rules
from app.rules.cells import ANY, Reader
from app.rules.kinds import Book, Kind, register

Option = Literal["accept", "rebook", "refund"]


@dataclass(frozen=True, slots=True)
class FreeCancellation:
    until: datetime
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class RefundDue:
    on: date
    rule: str
    source: str


@dataclass(frozen=True, slots=True)
class ChangeOptions:
    """What a passenger may choose, free of charge, and until when we ask for an answer."""

    options: tuple[Option, ...]
    significant: bool
    deadline: datetime
    rules: tuple[str, ...]


def build(book: Book) -> RightsBook:
    """Raises RulesRefused with all that makes no sense."""
    return read_book(Reader(book.tables), book.version)


RIGHTS = register(Kind("rights", COLUMNS, Path(__file__).with_name("data"), build))


def book() -> RightsBook:
    """The rules in force."""
    return rules.in_force(RIGHTS)


async def ready() -> None:
    """Have the rules in memory as they are now; for tasks, which a process may run before anything else."""
    await rules.ready(RIGHTS)


def free_cancellation(trip: Trip, booked_at: datetime) -> FreeCancellation | None:
    """By the rule that gives most time, if any does."""
    found = rights.free_cancellation(book(), trip, booked_at)
    best = max(found, key=lambda one: one[1], default=None)
    return FreeCancellation(best[1], best[0].rule, best[0].source) if best else None


def void_until(booked_at: datetime) -> datetime | None:
    """Until midnight at the point of sale a ticket can be made never to have been, if there is such a rule."""
    for row in sorted(book().points_of_sale, key=lambda row: row.first_day, reverse=True):
        sold_on = booked_at.astimezone(row.zone).date()
        if row.holds(sold_on):
            return datetime.combine(sold_on + timedelta(days=1), time(), row.zone).astimezone(UTC)
    return None


def refund_due(trip: Trip, method: str, requested_at: datetime) -> RefundDue:
    """The earliest day by which any rule wants the money sent; what is no `card` is `other`."""
    paid_by = method if method in METHODS else "other"
    found = [
        (row.due(requested_at), row.jurisdiction == HOUSE, row)
        for row in on(book().refund_deadlines, trip.day)
        if row.method in (ANY, paid_by) and rules_trip(book(), row.jurisdiction, trip)
    ]
    # Of two for the same day, the law is named before our own rule.
    due, _, row = min(found, key=lambda one: one[:2])
    return RefundDue(due, row.rule, row.source)


def change_options(trip: Trip, disruption: Disruption, now: datetime) -> ChangeOptions:
    """What may be chosen after a change. What is our own rule alone ends with the deadline, the law does not."""
    case = Case(book(), trip, disruption)
    reached = case.reached_changes()
    deadline = case.answer_by()
    lapsed = now > deadline and disruption.flies
    open_still = [row for row in reached if not (lapsed and row.jurisdiction == HOUSE)]
    given: dict[Option, bool] = {
        "accept": disruption.flies or disruption.rerouting is not None,
        "rebook": any(row.rebook for row in open_still),
        "refund": any(row.refund == "full" for row in open_still),
    }
    options = tuple(option for option, is_given in given.items() if is_given)
    significant = any(row.refund == "full" for row in reached)
    return ChangeOptions(options, significant, deadline, tuple(row.rule for row in open_still))


def advice(
    trip: Trip, disruption: Disruption | None, now: datetime, booked_at: datetime | None = None
) -> list[Row]:
    """What passengers may have a right to, as an answer shows it; with `booked_at`, also to cancel."""
    found = rights.cancelling(book(), trip, booked_at, now) if booked_at else []
    return found + (rights.after(Case(book(), trip, disruption)) if disruption else [])
