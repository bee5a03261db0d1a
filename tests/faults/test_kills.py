"""The process is killed at the instants at which it matters."""

import asyncio
import os
import signal
from typing import Any

import aiohttp
import pytest

from tests.faults import support
from tests.faults.conftest import Api
from tests.faults.support import Flow, require_whole
from tests.faults.test_commits import EVERY, repeated, settled
from tests.faults.test_sweeps import owed
from tests.payments.later import locks_are_old, swept
from tests.support.client import Client, Sandbox
from tests.support.cuts import Side, wire_to
from tests.support.fleet import Fleet
from tests.support.nursery import nursery

# The second commit writes down that the processor is about to be asked; the sixth, that the money is here.
INSTANTS: list[tuple[Flow, int, Side]] = [(support.pay, 6, "before")]
CALLS = ["/v1/payment_intents/*", "/v1/payment_intents"]
if EVERY:
    INSTANTS += [
        (support.pay, 2, "after"),
        (support.pay, 2, "before"),
        (support.pay, 4, "before"),
        (support.pay, 4, "after"),
    ]
    INSTANTS += [
        (support.pay, 6, "after"),
        (support.hold_and_pay, 1, "after"),
        (support.hold_and_pay, 5, "before"),
    ]
    INSTANTS += [(support.change, 6, "before"), (support.cancel, 1, "before"), (support.cancel, 1, "after")]

_SWEEP = "from app import worker; from app.bookings import tasks; tasks.settle_refunds()"


@pytest.mark.parametrize(
    ("flow", "number", "side"), INSTANTS, ids=lambda value: getattr(value, "__name__", str(value))
)
async def test_an_api_killed_at_a_commit_leaves_one_effect_and_one_answer(
    cut_api: Api,
    traveller: Client,
    fleet: Fleet,
    sandbox: Sandbox,
    sql: Any,
    flow: Flow,
    number: int,
    side: Side,
) -> None:
    """The next process answers the repetition as if nothing had happened."""
    request = await flow(traveller, fleet)
    cut_api.wire.arm(number, side, cut_api.kill)

    with pytest.raises(aiohttp.ClientError):
        await repeated(cut_api, traveller, request, "killed")

    assert cut_api.wire.disarm()
    await asyncio.to_thread(cut_api.start)
    await settled(cut_api, traveller, sandbox, sql, request, "killed", swept_first=side == "before")


@pytest.mark.parametrize("call", CALLS if EVERY else CALLS[:1])
async def test_an_api_killed_while_the_processor_works_charges_once(
    cut_api: Api, traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, call: str
) -> None:
    """What the processor did is found out about by the sweep, without the client."""
    request = await support.pay(traveller, fleet)
    await sandbox.fault("slow", call, times=1, delay_seconds=2)
    paying = asyncio.create_task(repeated(cut_api, traveller, request, "killed"))
    async with asyncio.timeout(10):
        while not await _asked(sandbox, call):  # noqa: ASYNC110  The sandbox offers no event.
            await asyncio.sleep(0.02)

    cut_api.kill()

    with pytest.raises(aiohttp.ClientError):
        await paying
    await swept(sql, request.pnr or "")
    await asyncio.to_thread(cut_api.start)
    await locks_are_old(sql)
    assert (await repeated(cut_api, traveller, request, "killed")).status == 201
    await require_whole(sandbox, sql, request.pnr or "", request)


async def _asked(sandbox: Sandbox, call: str) -> bool:
    """Whether the processor has this call by now."""
    paths = await sandbox.calls()
    return any(path.startswith(call[:-1]) if call.endswith("*") else path == call for path in paths)


@pytest.mark.parametrize("side", ["before", "after"] if EVERY else ["before"])
async def test_a_worker_killed_as_it_writes_down_a_refund_refunds_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, side: Side
) -> None:
    """The processor has made it: asked again under the same name it tells so."""
    request = await owed(traveller, fleet, sandbox)
    async with wire_to(os.environ["DATABASE_URL"]) as (wire, near):
        worker = nursery().start(["-c", _SWEEP], {**os.environ, "DATABASE_URL": near})
        wire.arm(2, side, lambda: worker.send_signal(signal.SIGKILL))
        assert await asyncio.to_thread(worker.wait) == -signal.SIGKILL

    await swept(sql, request.pnr or "")

    await require_whole(sandbox, sql, request.pnr or "", request)
