"""Paying for bookings in tests: what the card processor did, and what our books say of it."""

from typing import Any

from tests.support.client import Client, Sandbox, booking
from tests.support.fleet import Fleet, Flight

VISA = {"payment_method": "pm_card_visa"}


async def held(
    traveller: Client, fleet: Fleet, flight: Flight | None = None, **params: Any
) -> dict[str, Any]:
    """A hold of the cheapest offer of a flight, for somebody new."""
    offer = await fleet.offer(traveller, flight or await fleet.flight(), **params)
    answer = await traveller.book(offer["id"])
    assert answer.status == 201, answer.body
    body: dict[str, Any] = answer.body
    return body


async def bought(
    traveller: Client, fleet: Fleet, flight: Flight | None = None, **params: Any
) -> dict[str, Any]:
    """A booking that is paid for."""
    pnr = (await held(traveller, fleet, flight, **params))["pnr"]
    paid = await traveller.post(f"/bookings/{pnr}/payments", VISA)
    assert paid.status == 201, paid.body
    body: dict[str, Any] = (await traveller.get(f"/bookings/{pnr}")).body
    assert body["status"] == "confirmed"
    return body


async def at_the_processor(sandbox: Sandbox, sql: Any, pnr: str) -> list[tuple[str, int]]:
    """What the card processor did for a booking, in order: charged and refunded amounts in minor units."""
    intents = {
        row["intent"]
        for row in await sql(
            "SELECT p.intent FROM payments p JOIN bookings b ON b.id = p.booking_id WHERE b.pnr = :pnr",
            pnr=pnr,
        )
    }
    journal = (await sandbox.control("GET", "/cards"))["journal"]
    return [
        (line["what"], line["amount"])
        for line in journal
        if line["payment_intent"] in intents and line["what"] in ("charged", "refunded")
    ]


async def balances(sql: Any, pnr: str) -> dict[str, int]:
    """What stands on each account for a booking."""
    rows = await sql(
        """
        SELECT l.account, sum(l.amount_minor)::bigint AS amount FROM ledger_lines l
        JOIN ledger_entries e ON e.id = l.entry_id JOIN bookings b ON b.id = e.booking_id
        WHERE b.pnr = :pnr GROUP BY l.account HAVING sum(l.amount_minor) <> 0
        """,
        pnr=pnr,
    )
    return {row["account"]: row["amount"] for row in rows}


def minor(money: dict[str, str]) -> int:
    """An amount of the wire as minor units."""
    whole, _, part = money["amount"].partition(".")
    return int(whole + part)


def paid_at_once(offer: dict[str, Any], method: str = "pm_card_visa") -> dict[str, Any]:
    return booking(offer["id"]) | {"payment": {"payment_method": method}}
