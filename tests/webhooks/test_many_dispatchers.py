"""Many relays and many senders share the work: each event is handed on once and sent once to each who is entitled."""

import asyncio
import os
from contextlib import ExitStack

from app import subscribers
from app.webhooks.courier import Courier
from tests.faults.workers import worker
from tests.webhooks.crowds import Crowd
from tests.webhooks.support import Hooks

EVERY = bool(os.environ.get("EVERY_FAULT"))
PATHS = ("/one", "/two", "/three")


async def test_four_relays_and_four_senders_at_once_send_everything_once(hooks: Hooks) -> None:
    """A thousand events for three receivers."""
    crowd = Crowd(hooks)
    await crowd.listens(*PATHS)
    await crowd.tell(1000)

    async def relay() -> None:
        async with asyncio.timeout(20):
            while await subscribers.relay() or await waiting(crowd):
                pass

    async def send(courier: Courier) -> None:
        async with asyncio.timeout(20):
            while (await crowd.counts()).get("delivered", 0) < 3000:
                await courier.deliver_due()

    await asyncio.gather(*(relay() for _ in range(4)), *(send(Courier()) for _ in range(4)))

    await require_each_once(crowd)


if EVERY:

    async def test_four_worker_processes_send_thirty_thousand_once(hooks: Hooks) -> None:
        """Ten thousand events for three receivers, told while they work."""
        crowd = Crowd(hooks)
        await crowd.listens(*PATHS)
        with ExitStack() as workers:
            for _ in range(2):
                workers.enter_context(worker(2))
            for _ in range(100):
                await crowd.tell(100)
            await crowd.all_delivered(200)

        await require_each_once(crowd)


async def require_each_once(crowd: Crowd) -> None:
    """In the table and at the receivers."""
    assert await crowd.counts() == {"delivered": 3 * crowd.told}
    assert len(crowd.hooks.receiver.arrivals) == 3 * crowd.told
    assert crowd.repeats() == 0
    assert await crowd.broken() == {}


async def waiting(crowd: Crowd) -> bool:
    """Whether an event was not handed on yet."""
    [found] = await crowd.hooks.sql(
        "SELECT count(*) AS n FROM outbox WHERE subject = :subject AND dispatched_at IS NULL",
        subject=crowd.subject,
    )
    return bool(found["n"])


async def test_an_event_that_is_handed_on_again_is_not_sent_again(hooks: Hooks) -> None:
    """As after a backup was restored in which it still waited."""
    crowd = Crowd(hooks)
    await crowd.listens(*PATHS)
    await crowd.tell(2)
    await hooks.delivered()
    await hooks.sql(
        "UPDATE outbox SET dispatched_at = NULL WHERE subject = :subject AND sequence = 1",
        subject=crowd.subject,
    )

    await hooks.delivered()

    assert not await waiting(crowd)
    await require_each_once(crowd)
