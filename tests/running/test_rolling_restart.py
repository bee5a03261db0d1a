"""Every process is replaced under load, and nobody notices: `ROLLING_RESTARTS=20` for more of it than the suite has."""

import asyncio
import os
from typing import Any

from tests.bookings.paid import held
from tests.bookings.streamed import happens
from tests.running.rolling import DRAIN_SECONDS, People, behind_traefik
from tests.support.client import Client
from tests.support.fleet import Fleet

RESTARTS = int(os.environ.get("ROLLING_RESTARTS", "2"))
_DRAIN_SECONDS = float(os.environ.get("ROLLING_DRAIN_SECONDS", DRAIN_SECONDS))


async def test_rolling_restarts_lose_no_request(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Searches, holds and a stream of events go on, through the balancer, while one process after the other goes."""
    watched = (await held(traveller, fleet))["pnr"]
    flight = await fleet.flight(seats=5000)
    offer = await fleet.offer(traveller, flight)
    async with behind_traefik(2, _DRAIN_SECONDS) as processes:
        through = Client(traveller.session, processes.balancer, traveller.token)
        people = People(through, flight, offer["id"])
        using = [
            asyncio.create_task(work)
            for work in (people.keep(people.search, 0.05), people.keep(people.hold, 0.25))
        ]
        watching = asyncio.create_task(people.watch(watched, RESTARTS + 1))
        await asyncio.sleep(0.5)
        for turn in range(RESTARTS):
            await processes.restart(processes.ports[turn % 2])
            await happens(sql, watched, "booking.changed")
        people.enough.set()
        await asyncio.gather(*using)
        await asyncio.wait_for(watching, 10)

    print(dict(people.done), people.failed, dict(processes.codes))  # noqa: T201  For whoever runs it with -s.
    assert people.failed == []
    assert processes.codes == {0: RESTARTS}
    assert people.heard == list(range(2, RESTARTS + 2))
    assert people.done["stream"] > 1
    assert people.done["search"] > 20 * RESTARTS
    assert people.done["hold"] > 5 * RESTARTS
