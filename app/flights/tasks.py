"""What Beat asks for to keep schedules."""

from app.airports import service as airports
from app.core.background import task
from app.core.logging import logger
from app.flights import schedule, service, zones

log = logger("jetway.flights")

_BOARDS_A_RUN = 20


@task("flights.keep_fresh")
async def keep_fresh() -> None:
    await airports.ready()
    await schedule.keep_fresh(_BOARDS_A_RUN)


@task("flights.check_zones")
async def check_zones() -> None:
    await airports.ready()
    await zones.recompute()


@task("flights.drop_unbooked")
async def drop_unbooked() -> None:
    """Flights of the past that nobody was ever booked on would be most of the database some day."""
    if dropped := await service.drop_unbooked():
        log.info("past flights dropped", flights=dropped)
