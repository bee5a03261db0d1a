"""What passengers may have a right to, as advice with its sources and never as a promise."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from app.core import money
from app.core.clock import rfc3339
from app.core.db import Row
from app.rights.book import HOUSE, Amount, Change, Compensated, RightsBook, Rule
from app.rights.cases import Applies, Case, on, rules_trip
from app.rights.trips import Trip

# An answer, how good it is for the passenger, and the row that shows it.
Found = tuple[Applies, int, Row]


def free_cancellation(book: RightsBook, trip: Trip, booked_at: datetime) -> Iterator[tuple[Rule, datetime]]:
    """The rules by which a booking can be given back for nothing, and until when."""
    for row in on(book.cancelling, trip.day):
        early = trip.departs_at - booked_at >= timedelta(hours=row.hours_before_departure)
        if early and row.applies and rules_trip(book, row.jurisdiction, trip):
            yield row, booked_at + timedelta(hours=row.hours)


def cancelling(book: RightsBook, trip: Trip, booked_at: datetime, now: datetime) -> list[Row]:
    """One row for each rule that gives or gave a right to cancel."""
    return [
        _wire(
            row,
            "free_cancellation",
            min(rules_trip(book, row.jurisdiction, trip), Applies.YES if now <= until else Applies.NO),
            {
                "booked_at": rfc3339(booked_at),
                "departs_at": rfc3339(trip.departs_at),
                "until": rfc3339(until),
            },
        )
        for row, until in free_cancellation(book, trip, booked_at)
        if row.jurisdiction != HOUSE
    ]


def after(case: Case) -> list[Row]:
    """For each jurisdiction and each right that the case touches, the row that says most for the passenger."""
    rows: list[Row] = []
    for jurisdiction in case.rulers:
        if jurisdiction == HOUSE:
            continue  # What we give of our own accord is no right.
        for candidates in (
            _compensation(case, jurisdiction),
            _care(case, jurisdiction),
            _by_change(case, jurisdiction, "reimbursement"),
            _by_change(case, jurisdiction, "rebooking"),
        ):
            best = max(candidates, key=lambda found: found[:2], default=None)
            if best is not None:
                rows.append(best[2])
    return rows


def _compensation(case: Case, jurisdiction: str) -> Iterator[Found]:
    amount = case.bracket(case.book.amounts, jurisdiction)
    if amount is None:
        return
    for row in case.rows(case.book.compensated, jurisdiction):
        if row.event in case.events:
            yield _compensated(case, row, amount)


def _compensated(case: Case, row: Compensated, amount: Amount) -> Found:
    notice = case.notice(row.jurisdiction, row.event)
    excused = notice is not None and case.excused_by(notice)
    applies = Applies.NO
    if case.reaches(row.event, row.minutes) and not excused:
        applies = Applies.MAYBE if row.excusable else Applies.YES
    applies = min(applies, case.rulers[row.jurisdiction])
    late = case.late_minutes
    halved = row.can_be_halved and late is not None and late < amount.halved_below
    minor = money.share(amount.minor, 1, 2) if halved else amount.minor
    inputs = _inputs(case, row.event, row.minutes) | {
        "amount_rule": amount.rule,
        "late_minutes": late,
        "notice_rule": notice.rule if notice else None,
        "halved": halved,
    }
    told = money.wire(minor, amount.currency) if applies else None
    wire = _wire(row, "compensation", applies, inputs, told)
    return applies, minor, wire | {"source": f"{row.source}; {amount.source}"}


def _care(case: Case, jurisdiction: str) -> Iterator[Found]:
    for event in case.events:
        row = case.bracket([row for row in case.book.care if row.event == event], jurisdiction)
        if row is None:
            continue
        due = case.reaches(event, row.minutes) and case.told_within(row.told_within_hours)
        applies = min(Applies.YES if due else Applies.NO, case.rulers[jurisdiction])
        yield applies, 0, _wire(row, "care", applies, _inputs(case, event, row.minutes))


def _by_change(case: Case, jurisdiction: str, right: str) -> Iterator[Found]:
    for row in case.changes(jurisdiction):
        if _gives(row, right):
            reached = Applies.YES if case.reaches(row.event, row.minutes) else Applies.NO
            applies = min(reached, case.rulers[jurisdiction])
            full = int(row.refund == "full")
            yield applies, full, _wire(row, right, applies, _inputs(case, row.event, row.minutes))


def _gives(row: Change, right: str) -> bool:
    return row.refund != "no" if right == "reimbursement" else row.rebook


def _inputs(case: Case, event: str, needed: int) -> Row:
    return {
        "event": event,
        "minutes": case.events[event],
        "minutes_needed": needed,
        "origin": case.slice.origin.iata,
        "destination": case.slice.destination.iata,
        "distance_km": case.slice.metres // 1000,
        "carrier": case.leg.carrier,
        "date": case.day.isoformat(),
        "known_at": rfc3339(case.disruption.known_at),
    }


def _wire(row: Rule, right: str, applies: Applies, inputs: Row, amount: money.Wire | None = None) -> Row:
    return {
        "rule": row.rule,
        "jurisdiction": row.jurisdiction,
        "right": right,
        "applies": applies.name.lower(),
        "amount": amount,
        "inputs": inputs,
        "source": row.source,
        "valid_from": None if row.first_day == date.min else row.first_day.isoformat(),
        "text": row.text,
    }
