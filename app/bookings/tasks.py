"""What Beat asks for: holds that run out, and flights that people are booked on."""

from app.airports import service as airports
from app.bookings import flight_changes, repository, service
from app.core import db
from app.core.background import task
from app.flights import boards, watch

_FLIGHTS_A_RUN = 40
_CHANGES_A_BATCH = 100


@task("bookings.expire_due_holds")
async def expire_due_holds() -> None:
    """Let due holds run out, batch by batch, each in a transaction of its own."""
    while True:
        async with db.transaction() as session:
            if not await service.expire_due(session):
                return


@task("bookings.watch_flights")
async def watch_flights() -> None:
    """Look at booked flights from a day before departure on, and tell what is new about them."""
    await airports.ready()
    async with db.transaction() as session:
        ids = await repository.booked_between(session, watch.BEFORE, watch.AFTER)
    await watch.look(ids, _FLIGHTS_A_RUN)


@task("bookings.keep_flights_fresh")
async def keep_flights_fresh() -> None:
    """Booked flights are worth knowing about: their boards are renewed like those people search."""
    async with db.transaction() as session:
        await boards.want(session, await repository.booked_boards(session))


@task("bookings.apply_flight_changes")
async def apply_flight_changes() -> None:
    """Tell bookings of changes of their flights' schedules, batch by batch."""
    while True:
        async with db.transaction() as session:
            if not await flight_changes.apply(session, _CHANGES_A_BATCH):
                return
