"""Nobody waits for somebody else's receiver, however slow, dead or busy that is."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from aiohttp import web

from app.core import strangers
from app.core.config import settings
from app.webhooks import courier as couriers
from app.webhooks.courier import Courier
from tests.webhooks.crowds import Crowd
from tests.webhooks.support import Hooks

PATIENCE = 6.0


class Crossing:
    """Answers each request after a moment, and keeps the most that were there at once."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.heard = statuses, 0
        self.here, self.most = 0, Counter[int]()

    async def __call__(self, _: web.Request) -> web.StreamResponse:
        status = self.statuses[min(self.heard, len(self.statuses) - 1)]
        self.heard += 1
        self.here += 1
        self.most[status] = max(self.most[status], self.here)
        await asyncio.sleep(0.02)
        self.here -= 1
        return web.Response(status=status)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account may have a hundred subscriptions, and what hangs at the end of a test is let go at once."""
    monkeypatch.setattr(settings(), "webhook_subscriptions_per_user", 100)
    monkeypatch.setattr(couriers, "_ENDS_WITHIN_SECONDS", 0.0)
    strangers.connect(total_seconds=PATIENCE)


@asynccontextmanager
async def delivering(processes: int = 1) -> AsyncIterator[None]:
    """Senders that do not know of each other, as in so many processes."""
    stop = asyncio.Event()
    running = [asyncio.create_task(Courier().keep_delivering(stop)) for _ in range(processes)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


async def until(seen: Callable[[], bool]) -> float:
    """Wait for something; gives for how many seconds."""
    started = monotonic()
    async with asyncio.timeout(20):
        while not seen():  # noqa: ASYNC110  Receivers offer no event.
            await asyncio.sleep(0.01)
    return monotonic() - started


@pytest.mark.usefixtures("many")
async def test_receivers_that_hang_keep_nobody_waiting(hooks: Hooks) -> None:
    """Twenty of forty do: the others have everything while each of those still ponders its first request."""
    crowd = Crowd(hooks)
    hanging, well = [f"/hangs/{n}" for n in range(20)], [f"/well/{n}" for n in range(20)]
    await crowd.listens(*hanging, *well)
    for path in hanging:
        hooks.receiver.hang(path)
    await crowd.tell(10)
    await hooks.relayed()

    async with delivering(2):
        took = await until(lambda: all(len(hooks.receiver.at(path)) >= 10 for path in well))

        assert took < PATIENCE
        assert all(len(hooks.receiver.at(path)) <= 2 for path in hanging)


@pytest.mark.usefixtures("many")
async def test_thousands_that_wait_for_one_do_not_delay_anothers_first(hooks: Hooks) -> None:
    """It goes out with the next few, not behind all of them."""
    busy = Crowd(hooks)
    await busy.listens("/busy")
    await busy.tell(3000)
    await hooks.relayed()
    hooks.receiver.tarry(0.005, "/busy")

    async with delivering():
        await until(lambda: len(hooks.receiver.at("/busy")) > 100)
        await hooks.subscribed("booking.held", path="/other")
        await hooks.booked()
        await hooks.relayed()
        ahead = len(hooks.receiver.at("/busy"))
        await until(lambda: len(hooks.receiver.at("/other")) == 1)

    assert len(hooks.receiver.at("/busy")) - ahead < 300


async def test_no_receiver_is_crowded_and_one_that_fails_gets_one_at_a_time(hooks: Hooks) -> None:
    """From each process: as many as the setting says while it answers, one from its first failure on."""
    most, processes = settings().webhook_concurrency, 2
    crowd = Crowd(hooks)
    await crowd.listens("/well", "/fails", "/turns")
    well, fails = Crossing(200), Crossing(500)
    turns = Crossing(*[200] * 30, *[500] * 12, 503)
    hooks.receiver.answers |= {"/well": well, "/fails": fails, "/turns": turns}
    await crowd.tell(60)
    await hooks.relayed()

    async with delivering(processes):
        await until(lambda: min(well.heard, fails.heard, turns.heard) >= 60)

    assert well.most == {200: most * processes}
    assert fails.most == {500: processes}
    assert turns.most[200] == most * processes
    assert turns.most[503] == processes  # By then each has met a failure.
