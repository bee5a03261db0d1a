"""A payment that cannot be looked at, whatever the reason, beside others that can."""

from typing import Any

import pytest

from app.bookings import paying, tasks
from tests.payments.later import run, swept
from tests.payments.support import VISA, held
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


async def test_the_others_are_settled_and_it_is_by_the_next_sweep(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody's money does not wait because of somebody else's."""
    pnrs = [(await held(traveller, fleet))["pnr"] for _ in range(2)]
    for pnr in pnrs:
        await sandbox.fault("card_500_after", "/v1/payment_intents", times=1)
        assert (await traveller.post(f"/bookings/{pnr}/payments", VISA)).status == 202
    found = await sql(
        "UPDATE payments SET next_look_at = now() - interval '1 s' FROM bookings b WHERE b.id = booking_id"
        " AND b.pnr = ANY(CAST(:pnrs AS text[])) RETURNING payments.id, b.pnr",
        pnrs=pnrs,
    )
    broken = next(row["id"] for row in found if row["pnr"] == pnrs[0])
    carry_on = paying.carry_on

    async def breaks(payment_id: int) -> Any:
        if payment_id == broken:
            raise RuntimeError("cannot be looked at")
        return await carry_on(payment_id)

    with monkeypatch.context() as patch:
        patch.setattr(paying, "carry_on", breaks)
        await run(tasks.settle_payments)
    after = [(await traveller.get(f"/bookings/{pnr}")).body["status"] for pnr in pnrs]
    await swept(sql, *pnrs)

    assert after == ["held", "confirmed"]
    assert (await traveller.get(f"/bookings/{pnrs[0]}")).body["status"] == "confirmed"
