"""What a transaction did is counted when it is durable: a sale whose commit fails is none, and the next one is one."""

import asyncio
from typing import Any

import pytest
from prometheus_client import REGISTRY

from app.bookings import tasks
from tests.faults.test_sweeps import owed, unknown
from tests.payments.later import run, swept
from tests.support.client import Client, Sandbox
from tests.support.cuts import Wire
from tests.support.fleet import Fleet

_DONE = """
    SELECT (SELECT count(*) FROM payments WHERE status = 'captured') AS payments,
           (SELECT coalesce(sum(amount_minor), 0) FROM payments WHERE status = 'captured') AS captured,
           (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE status = 'succeeded') AS refunded,
           (SELECT count(*) FROM booking_timeline WHERE type = 'booking.confirmed') AS confirmed
"""


def counted() -> dict[str, float]:
    """The same as this process has counted it, in which everything here happens."""
    totals: dict[str, float] = {}
    for metric in REGISTRY.collect():
        for sample in metric.samples:
            match sample.name, sample.labels:
                case "jetway_payments_total", {"outcome": "captured"}:
                    name = "payments"
                case "jetway_payments_amount_minor_total", {"outcome": name}:
                    pass
                case "jetway_bookings_total", {"status": "confirmed"}:
                    name = "confirmed"
                case _:
                    continue
            totals[name] = totals.get(name, 0) + sample.value
    return totals


async def uncounted(sql: Any) -> dict[str, float]:
    """How much more was done than counted, from before this process was there."""
    [done], told = await sql(_DONE), counted()
    return {name: float(value) - told.get(name, 0) for name, value in done.items()}


@pytest.mark.parametrize(
    ("before", "sweep", "commits"),
    [(unknown, tasks.settle_payments, 5), (owed, tasks.settle_refunds, 2)],
    ids=["payments", "refunds"],
)
async def test_what_a_failed_commit_undoes_is_not_counted(
    traveller: Client,
    fleet: Fleet,
    sandbox: Sandbox,
    sql: Any,
    wire: Wire,
    before: Any,
    sweep: Any,
    commits: int,
) -> None:
    """At each commit of a sweep: money and bookings are counted as often as they are in the books."""
    begun, number, struck = await uncounted(sql), 0, True
    while struck:
        number += 1
        request = await before(traveller, fleet, sandbox)
        await sql("UPDATE payments SET next_look_at = now() WHERE next_look_at IS NOT NULL")
        wire.arm(number, "before")
        await asyncio.gather(run(sweep), return_exceptions=True)
        struck = wire.disarm()
        assert await uncounted(sql) == begun, number
        await swept(sql, request.pnr)
        assert await uncounted(sql) == begun, number

    assert number > commits
