"""A delivery belongs to one sender at a time, and comes back from one that is lost."""

import asyncio
import uuid
from typing import Any

from aiohttp import web

from app import subscribers
from app.core import db
from app.webhooks import health, leases
from app.webhooks.courier import Courier
from tests.webhooks.support import Hooks


async def leased(hooks: Hooks) -> list[dict[str, Any]]:
    """What is due now, leased by a sender of which nothing more will be heard."""
    await hooks.relayed()
    async with db.transaction() as session:
        return await leases.claim(session, uuid.uuid4(), {}, 100)


async def leases_are_over(hooks: Hooks) -> None:
    await hooks.sql("UPDATE webhook_deliveries SET lease_until = now() WHERE state = 'sending'")


async def test_what_a_lost_sender_had_comes_back(hooks: Hooks) -> None:
    """After its lease; nobody knows whether it was sent, so it is sent, and the history says so."""
    subscription = await hooks.subscribed("booking.held")
    await hooks.booked()
    assert len(await leased(hooks)) == 1
    await hooks.delivered()
    assert hooks.receiver.arrivals == []

    await leases_are_over(hooks)
    await health.sweep()
    [waiting] = await hooks.deliveries(subscription)
    assert (waiting["state"], waiting["attempts"], waiting["last_error"]) == ("pending", 1, "worker_lost")
    await hooks.waits_are_over()
    await hooks.delivered()

    assert [one.headers["webhook-attempt"] for one in hooks.receiver.arrivals] == ["2"]
    history = (await hooks.details(waiting))["attempt_history"]
    assert [(one["number"], one["error"], one["status"]) for one in history] == [
        (1, "worker_lost", None),
        (2, None, 200),
    ]
    assert history[0]["request_headers"] == {}


async def test_the_tenth_that_is_lost_is_the_last(hooks: Hooks) -> None:
    """What kills its sender does not do so for ever."""
    subscription = await hooks.subscribed("booking.held")
    await hooks.booked()
    for _ in range(10):
        assert len(await leased(hooks)) == 1
        await leases_are_over(hooks)
        await health.sweep()
        await hooks.waits_are_over()

    assert await leased(hooks) == []
    [delivery] = await hooks.deliveries(subscription)
    assert (delivery["state"], delivery["last_error"]) == ("exhausted", "worker_lost")


async def test_a_sender_that_was_given_up_writes_nothing(hooks: Hooks) -> None:
    """It sent, was frozen meanwhile, and wakes up when somebody else has the delivery."""
    subscription = await hooks.subscribed("booking.held")
    await hooks.booked()
    await hooks.relayed()

    async def frozen(_: web.Request) -> web.StreamResponse:
        hooks.receiver.answers.clear()
        await leases_are_over(hooks)
        await health.sweep()
        await hooks.waits_are_over()
        await Courier().deliver_due()
        return web.Response(status=500)

    hooks.receiver.answers["/"] = frozen
    await hooks.delivered()

    [delivery] = await hooks.deliveries(subscription)
    assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == ("delivered", 2, 200)
    history = (await hooks.details(delivery))["attempt_history"]
    assert [(one["number"], one["error"]) for one in history] == [(1, "worker_lost"), (2, None)]
    read = await hooks.traveller.get(f"/webhooks/subscriptions/{subscription['id']}")
    assert read.body["status"] == "active"


async def test_senders_at_once_share_the_work(hooks: Hooks) -> None:
    """Each delivery is one's alone."""
    subscription = await hooks.subscribed("*")
    pnr = await hooks.booked()
    for _ in range(30):
        await hooks.happens("booking.changed", pnr, pnr=pnr)
    await hooks.relayed()

    await asyncio.gather(*(Courier().deliver_due() for _ in range(4)))
    await hooks.delivered()

    assert len(hooks.receiver.arrivals) == len({one.id for one in hooks.receiver.arrivals}) == 31
    assert {one["attempts"] for one in await hooks.deliveries(subscription, limit=100)} == {1}


async def test_a_sender_that_ends_gives_back_what_waits(hooks: Hooks) -> None:
    """What is in flight is finished; the rest is as if it had never been taken."""
    subscription = await hooks.subscribed("*")
    pnr = await hooks.booked()
    await hooks.delivered()
    hooks.receiver.arrivals.clear()
    for _ in range(30):
        await hooks.happens("booking.changed", pnr, pnr=pnr)
    await hooks.relayed()
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_: web.Request) -> web.StreamResponse:
        arrived.set()
        await go_on.wait()
        return web.Response()

    hooks.receiver.answers["/"] = slow
    stop = asyncio.Event()
    delivering = asyncio.create_task(hooks.courier.keep_delivering(stop))
    await asyncio.wait_for(arrived.wait(), 5)
    stop.set()
    await asyncio.sleep(0.1)
    go_on.set()
    await asyncio.wait_for(delivering, 5)

    states = [one["state"] for one in await hooks.deliveries(subscription, limit=100)]
    sent = len(hooks.receiver.arrivals)
    assert 1 <= sent < 30
    assert (states.count("delivered"), states.count("pending")) == (1 + sent, 30 - sent)
    await hooks.courier.deliver_due()
    assert len({one.id for one in hooks.receiver.arrivals}) == len(hooks.receiver.arrivals) == 30


async def test_whoever_keeps_delivering_looks_by_himself(hooks: Hooks) -> None:
    """Without a broker, without Beat, within a second."""
    await hooks.subscribed("booking.held")
    stop = asyncio.Event()
    working = asyncio.gather(subscribers.keep_relaying(stop), hooks.courier.keep_delivering(stop))
    await hooks.booked()
    async with asyncio.timeout(5):
        while not hooks.receiver.arrivals:  # noqa: ASYNC110  The receiver offers no event.
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.wait_for(working, 5)
