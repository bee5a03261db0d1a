"""What happens by itself: the sweeps of a worker, without waiting for the time at which things come due."""

from typing import Any

from app.bookings import tasks


async def swept(sql: Any, *pnrs: str, times: int = 6) -> None:
    """Let everything that is still to be found out about these bookings come due, until nothing is left."""
    ids = [
        row["id"]
        for row in await sql("SELECT id FROM bookings WHERE pnr = ANY(CAST(:pnrs AS text[]))", pnrs=pnrs)
    ]
    for _ in range(times):
        if not await _come_due(sql, ids):
            break
        await run(tasks.settle_payments)
        await run(tasks.settle_refunds)
    await run(tasks.expire_due_holds)


async def run(task: Any) -> None:
    """A task's function, on the loop of the tests."""
    await task.run.__wrapped__()


async def locks_are_old(sql: Any) -> None:
    """Whoever held a key that is not finished has been silent for too long."""
    await sql("UPDATE idempotency_keys SET locked_at = locked_at - interval '61 s' WHERE status IS NULL")


async def _come_due(sql: Any, ids: list[int]) -> bool:
    due = await sql(
        """
        WITH looks AS (
            UPDATE payments SET next_look_at = now() - interval '1 s'
            WHERE booking_id = ANY(CAST(:ids AS bigint[])) AND next_look_at IS NOT NULL RETURNING id),
        tries AS (
            UPDATE refunds SET next_try_at = now() - interval '1 s'
            WHERE booking_id = ANY(CAST(:ids AS bigint[])) AND next_try_at IS NOT NULL RETURNING id)
        SELECT id FROM looks UNION ALL SELECT id FROM tries
        """,
        ids=ids,
    )
    return bool(due)
