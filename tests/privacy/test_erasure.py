"""Whoever asks to be forgotten is: nothing is left that says who they were, and the books still add up."""

from typing import Any

from tests import invariants
from tests.privacy.life import CANARIES, EMAIL, PASSWORD, SEALED, Life, found_in_tables
from tests.support.client import Client


async def test_nothing_is_left_of_a_whole_life(life: Life, api: Client, sql: Any) -> None:
    """In any column of any table, though there was much before; what was paid and flown stays."""
    await life.go_on()
    before = await found_in_tables(sql, CANARIES | SEALED)
    kept = await sums(sql, life.pnrs)

    answer = await life.client.post("/auth/erasure", {"password": PASSWORD})

    assert answer.status == 204, answer.body
    assert {hit.split(": ")[1] for hit in before} == set(CANARIES)
    assert await found_in_tables(sql, CANARIES | SEALED) == set()
    assert await sums(sql, life.pnrs) == kept
    assert await invariants.broken(sql, life.flights) == {}
    assert (await api.post("/auth/login", {"email": EMAIL, "password": PASSWORD})).status == 401


async def sums(sql: Any, pnrs: list[str]) -> list[dict[str, Any]]:
    """What the law wants kept: who was charged what is gone, what was charged is not."""
    found: list[dict[str, Any]] = await sql(
        """
        SELECT b.pnr, b.status, b.total_minor, (SELECT array_agg(number ORDER BY number) FROM tickets t
                                                WHERE t.booking_id = b.id) AS tickets,
               (SELECT sum(amount_minor - refunded_minor) FROM payments p WHERE p.booking_id = b.id
                AND p.status = 'captured') AS paid,
               (SELECT count(*) FROM booking_timeline l WHERE l.booking_id = b.id) AS steps
        FROM bookings b WHERE pnr = ANY(CAST(:pnrs AS text[])) ORDER BY pnr
        """,
        pnrs=pnrs,
    )
    return found
