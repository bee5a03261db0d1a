"""The database breaks at each commit of a request, before it is durable and after it."""

import os
from typing import Any, get_args

import pytest

from tests.faults import support
from tests.faults.conftest import Api
from tests.faults.support import Flow, Request, require_whole
from tests.payments.later import locks_are_old, swept
from tests.support.client import Answer, Client, Sandbox
from tests.support.cuts import Side
from tests.support.fleet import Fleet

EVERY = bool(os.environ.get("EVERY_FAULT"))
# How many commits each has, at least.
FLOWS: dict[Flow, int] = {
    support.hold: 1,
    support.hold_and_pay: 5,
    support.pay: 6,
    support.cancel: 1,
    support.change: 6,
    support.extras: 5,
}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
async def test_a_cut_at_any_commit_leaves_one_effect_and_one_answer(
    cut_api: Api, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, flow: Flow
) -> None:
    """Repeated with its key it is answered as if nothing had happened; the sweep may come first, or not."""
    number = 0
    while await _cut(cut_api, await api.signed_up(), fleet, sandbox, sql, flow, number + 1):
        number += 1

    assert number >= FLOWS[flow]


async def _cut(
    cut_api: Api, traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, flow: Flow, number: int
) -> bool:
    """Cut on both sides of a commit, or on one of them in turn; whether there is such a commit."""
    sides: tuple[Side, ...] = get_args(Side)
    cells = [(side, swept_first) for side in sides for swept_first in (False, True)]
    chosen = cells if EVERY else [cells[number % 2 * 2 + number // 2 % 2]]
    struck = []
    for made, (side, swept_first) in enumerate(chosen, 1):
        request = await flow(traveller, fleet)
        cut_api.wire.arm(number, side)
        answer = await repeated(cut_api, traveller, request, f"{number}-{side}-{swept_first}")
        struck.append(cut_api.wire.disarm())
        assert answer.status == (503 if struck[-1] else request.status), answer.body
        await settled(
            cut_api, traveller, sandbox, sql, request, f"{number}-{side}-{swept_first}", swept_first
        )
        assert len(await _pnrs(traveller)) == made
        if not struck[-1]:
            break
    return all(struck)


async def repeated(api: Api, traveller: Client, request: Request, key: str) -> Answer:
    caller = Client(traveller.session, api.base, traveller.token)
    return await caller.post(request.path, request.body, {"Idempotency-Key": key})


async def settled(
    api: Api, traveller: Client, sandbox: Sandbox, sql: Any, request: Request, key: str, swept_first: bool
) -> None:
    """Go on as a client would, and find everything whole."""
    await locks_are_old(sql)
    if swept_first:
        await swept(sql, *await _pnrs(traveller))
    first = await repeated(api, traveller, request, key)
    assert first.status == request.status, first.body
    pnr = request.pnr or first.body["pnr"]
    await swept(sql, pnr)
    again = await repeated(api, traveller, request, key)
    assert (again.status, again.raw) == (first.status, first.raw)
    await require_whole(sandbox, sql, pnr, request)


async def _pnrs(traveller: Client) -> list[str]:
    return [one["pnr"] for one in (await traveller.get("/bookings", limit=100)).body["data"]]
