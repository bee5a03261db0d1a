"""What Beat asks for: holds that run out, and flights that people are booked on or follow."""

from collections.abc import Awaitable

from app.airlines import service as airlines
from app.airports import service as airports
from app.bookings import (
    airline_changes,
    booked,
    changing,  # noqa: F401  Its payments are known from here on.
    documents,
    extras,  # noqa: F401
    flight_changes,
    paying,
    quotes,
    refunding,
    repository,
    service,
)
from app.bookings.refunding import SETTLE_REFUNDS
from app.core import db, doorbell
from app.core.background import task
from app.core.logging import logger
from app.flights import boards, followed, watch
from app.payments import service as payments
from app.rules import service as rules
from app.tickets import service as tickets

log = logger("jetway.bookings")

SETTLE_PAYMENTS = "bookings.settle_payments"

_FLIGHTS_A_RUN = 40
_CHANGES_A_BATCH = 100
_PAYMENTS_A_BATCH = 20
_DOCUMENTS_A_BATCH = 500


@task("bookings.expire_due_holds")
async def expire_due_holds() -> None:
    """Let due holds run out, batch by batch, each in a transaction of its own."""
    while True:
        async with db.transaction() as session:
            if not await service.expire_due(session):
                return


@task(SETTLE_PAYMENTS)
async def settle_payments() -> None:
    """Find out what became of payments that nobody finished, and let what is theirs happen."""
    await doorbell.heard(SETTLE_PAYMENTS)
    if not payments.offered():
        return
    while True:
        async with db.transaction() as session:
            due = await payments.take_due(session, _PAYMENTS_A_BATCH)
        if due:
            await _ready()
        for payment_id in due:
            await _whatever_comes(paying.carry_on(payment_id), payment_id=payment_id)
        if len(due) < _PAYMENTS_A_BATCH:
            return


@task(SETTLE_REFUNDS)
async def settle_refunds() -> None:
    """Send what is owed back on its way, and find out what became of what was sent."""
    await doorbell.heard(SETTLE_REFUNDS)
    if not payments.offered():
        return
    while True:
        async with db.transaction() as session:
            due = await payments.take_due_refunds(session, _PAYMENTS_A_BATCH)
        for refund in due:
            await _whatever_comes(refunding.settle(refund), refund=refund["id"])
        if len(due) < _PAYMENTS_A_BATCH:
            return


@task("bookings.lapse_airline_changes")
async def lapse_airline_changes() -> None:
    """Take silence for an answer where the time to answer is over, each in a transaction of its own."""
    async with db.transaction() as session:
        due = await quotes.unanswered(session, _CHANGES_A_BATCH)
    if due:
        await _ready()
    for change in due:
        async with db.transaction() as session:
            await airline_changes.lapse(session, change)


@task("bookings.complete_flown")
async def complete_flown() -> None:
    """Let coupons of flights that have landed be flown, and bookings whose last flight has be completed."""
    async with db.transaction() as session:
        await tickets.fly(session, await booked.landed(session))
    while True:
        async with db.transaction() as session:
            flown = await booked.flown(session, _CHANGES_A_BATCH)
            for booking in flown:
                event = {"type": "booking.completed", "data": None}
                await repository.step(session, booking["id"], [event], leaving=["confirmed"], to="completed")
        if len(flown) < _CHANGES_A_BATCH:
            return


async def _whatever_comes(step: Awaitable[object], **about: int) -> None:
    """One that fails keeps nobody else's money waiting: it is due again, and the others are looked at now."""
    try:
        await step
    except Exception:
        log.exception("left for the next sweep", **about)


async def _ready() -> None:
    """What a worker process has to know of the world before it can tell what is due."""
    await airports.ready()
    await airlines.ready()
    await rules.ready_all()


@task("bookings.watch_flights")
async def watch_flights() -> None:
    """Look at booked and followed flights from a day before departure on, and tell what is new about them."""
    await airports.ready()
    async with db.transaction() as session:
        ids = {
            *await booked.booked_between(session, watch.BEFORE, watch.AFTER),
            *await followed.between(session, watch.BEFORE, watch.AFTER),
        }
    await watch.look(list(ids), _FLIGHTS_A_RUN)


@task("bookings.keep_flights_fresh")
async def keep_flights_fresh() -> None:
    """Booked and followed flights are worth knowing about: their boards are renewed like those people search."""
    async with db.transaction() as session:
        wanted = {*await booked.booked_boards(session), *await followed.boards(session)}
        await boards.want(session, sorted(wanted))


@task("bookings.apply_flight_changes")
async def apply_flight_changes() -> None:
    """Tell bookings of changes of their flights' schedules, batch by batch."""
    await _ready()
    while True:
        async with db.transaction() as session:
            if not await flight_changes.apply(session, _CHANGES_A_BATCH):
                return


@task("bookings.purge_documents")
async def purge_documents() -> None:
    """Forget passports of trips that ended a month ago, batch by batch."""
    while True:
        async with db.transaction() as session:
            if not await documents.purge(session, _DOCUMENTS_A_BATCH):
                return
