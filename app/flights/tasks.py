"""What Beat asks for to keep schedules."""

from app.airports import service as airports
from app.core.background import task
from app.flights import schedule, zones

_BOARDS_A_RUN = 20


@task("flights.keep_fresh")
async def keep_fresh() -> None:
    await airports.ready()
    await schedule.keep_fresh(_BOARDS_A_RUN)


@task("flights.check_zones")
async def check_zones() -> None:
    await airports.ready()
    await zones.recompute()
