"""The database breaks at each commit of a sweep, and of the processor's message."""

import asyncio
import json
from typing import Any, get_args

import pytest

from app.bookings import tasks
from tests.faults import support
from tests.faults.conftest import Api
from tests.faults.support import Request, require_whole
from tests.payments.later import run, swept
from tests.payments.test_messages import event, told
from tests.support.client import Client, Sandbox
from tests.support.cuts import Side, Wire
from tests.support.fleet import Fleet

SIDES: tuple[Side, ...] = get_args(Side)


async def owed(traveller: Client, fleet: Fleet, sandbox: Sandbox) -> Request:
    """A cancelled booking whose refund has not been sent."""
    request = await support.cancel(traveller, fleet)
    assert (await traveller.post(request.path)).status == 200
    return request


async def unknown(traveller: Client, fleet: Fleet, sandbox: Sandbox) -> Request:
    """A payment whose answer was lost."""
    request = await support.pay(traveller, fleet)
    await sandbox.fault("reset", "/v1/payment_intents", times=1)
    assert (await traveller.post(request.path, request.body)).status == 202
    return request


async def run_out(traveller: Client, fleet: Fleet, sandbox: Sandbox) -> Request:
    """A hold that has ended, which nobody has noticed."""
    request = await support.pay(traveller, fleet)
    await fleet.run_out(request.pnr or "")
    return Request(request.path, None, 201, "expired", (), request.pnr)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("before", "sweep", "commits"),
    [
        (owed, tasks.settle_refunds, 2),
        (unknown, tasks.settle_payments, 5),
        (run_out, tasks.expire_due_holds, 1),
    ],
    ids=["refunds", "payments", "holds"],
)
async def test_a_sweep_that_is_cut_is_made_good_by_the_next(
    traveller: Client,
    fleet: Fleet,
    sandbox: Sandbox,
    sql: Any,
    wire: Wire,
    before: Any,
    sweep: Any,
    commits: int,
    side: Side,
) -> None:
    """At each of its commits: money moves once, seats are free once, everything is told once."""
    number, struck = 0, True
    while struck:
        number += 1
        request = await before(traveller, fleet, sandbox)
        await sql("UPDATE payments SET next_look_at = now() WHERE next_look_at IS NOT NULL")
        wire.arm(number, side)
        [outcome] = await asyncio.gather(run(sweep), return_exceptions=True)
        struck = wire.disarm()
        assert struck or outcome is None
        await swept(sql, request.pnr or "")
        await require_whole(sandbox, sql, request.pnr or "", request)

    assert number > commits


@pytest.mark.parametrize("side", SIDES)
async def test_a_message_that_is_cut_is_sent_again_and_kept_once(
    cut_api: Api, traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, side: Side
) -> None:
    """The processor is told that we failed, and repeats it; the payment is found out about."""
    request = await unknown(traveller, fleet, sandbox)
    [intent] = (await sandbox.control("GET", "/cards"))["intents"]
    body = event(intent["id"], intent["metadata"]["payment"])
    api = Client(traveller.session, cut_api.base)
    cut_api.wire.arm(1, side)

    first = await told(api, body)

    assert cut_api.wire.disarm()
    assert first.status == 503
    assert (await told(api, body)).status == 204
    count = "SELECT count(*) AS n FROM processor_events WHERE event_id = :id"
    assert await sql(count, id=json.loads(body)["id"]) == [{"n": 1}]
    await swept(sql, request.pnr or "")
    await require_whole(sandbox, sql, request.pnr or "", request)
