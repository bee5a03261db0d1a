"""A day of our books beside the card processor's, both ways: nothing may be in one and not in the other."""

from datetime import UTC, date, datetime, time, timedelta

from app.core import clock, cursors, db, money
from app.core.db import Row, Session
from app.core.logging import logger
from app.payments import compared
from app.providers import registry
from app.providers.cards import BookLine

log = logger("jetway.reconciliation")

# The processor's clock and ours part at midnight: what is ours of a day is looked for this much around it.
_AROUND = timedelta(hours=1)
# A day is compared once it is over and its last payments are settled.
_AFTER = timedelta(hours=2)
_MOST_DAYS = 7


async def catch_up() -> int:
    """Compare the days that are over and were not compared yet; returns how many."""
    last = (clock.now() - _AFTER).date() - timedelta(days=1)
    async with db.transaction() as session:
        done = await compared.last_reconciled(session)
        if done is None and not await compared.any_captured(session):
            return 0  # Who has never taken a payment has no books to compare.
    first = max(done + timedelta(days=1), last - timedelta(days=_MOST_DAYS - 1)) if done else last
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for day in days:
        await compare(day)
    return len(days)


async def compare(day: date) -> Row:
    """Compare one UTC day, and keep what differs."""
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    lines = [line async for line in registry.cards().books(start - _AROUND, end + _AROUND)]
    charges = [line for line in lines if line.kind == "charge"]
    refunds = [line for line in lines if line.kind == "refund"]
    async with db.transaction() as session:
        differences = await _charges(session, charges, start, end) + await _refunds(
            session, refunds, start, end
        )
        await compared.keep_reconciliation(session, day, len(charges), len(refunds), differences)
    if differences:
        log.error("books differ from the card processor's", day=str(day), differences=len(differences))
    return {"day": str(day), "charges": len(charges), "refunds": len(refunds), "differences": differences}


async def page(session: Session, cursor: str | None, size: int) -> Row:
    """The latest days first."""
    before = cursors.decode(cursor, last=date.max.toordinal())
    found = await compared.reconciliations(session, date.fromordinal(before) if before else None, size + 1)
    following = cursors.encode(found[size - 1]["day"].toordinal()) if len(found) > size else None
    return {
        "data": [
            {**row, "day": str(row["day"]), "checked_at": clock.rfc3339(row["checked_at"])}
            for row in found[:size]
        ],
        "next_cursor": following,
    }


async def _charges(session: Session, theirs: list[BookLine], start: datetime, end: datetime) -> list[Row]:
    named = {line.intent: line for line in theirs if line.intent}
    known = {row["intent"]: row for row in await compared.by_intents(session, list(named))}
    ours = {row["intent"]: row for row in await compared.captured_between(session, start, end)}
    captured = {intent: row for intent, row in known.items() if row["status"] == "captured"}
    return _differences("charge", named, captured, ours, 1)


async def _refunds(session: Session, theirs: list[BookLine], start: datetime, end: datetime) -> list[Row]:
    named = {line.refund: line for line in theirs if line.refund}
    known = {row["reference"]: row for row in await compared.by_references(session, list(named))}
    ours = {row["reference"]: row for row in await compared.refunded_between(session, start, end)}
    return _differences("refund", named, known, ours, -1)


def _differences(
    what: str, theirs: dict[str, BookLine], known: dict[str, Row], ours: dict[str, Row], sign: int
) -> list[Row]:
    found = [
        _difference("missing_here", what, name, None, line)
        for name, line in theirs.items()
        if name not in known
    ]
    found += [
        _difference("missing_there", what, name, row, None)
        for name, row in ours.items()
        if name not in theirs
    ]
    for name, row in known.items():
        line = theirs[name]
        # What the processor pays out in another currency, it books in that one: then only its presence is compared.
        if row["currency"] == line.currency and row["amount_minor"] != sign * line.amount:
            found.append(_difference("amount_differs", what, name, row, line))
    return found


def _difference(kind: str, what: str, name: str, ours: Row | None, theirs: BookLine | None) -> Row:
    return {
        "kind": kind,
        "what": what,
        "reference": name,
        "ours": money.wire(ours["amount_minor"], ours["currency"]) if ours else None,
        "theirs": money.wire(abs(theirs.amount), theirs.currency) if theirs else None,
    }
