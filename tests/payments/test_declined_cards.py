"""A card that is declined leaves the hold as it was, to be paid for with another."""

from typing import Any

import pytest

from sandbox.cards.methods import CARDS
from tests.faults.support import moved_at_the_processor
from tests.payments.later import swept
from tests.payments.support import VISA, balances, held, minor, paid_at_once
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet

REASONS = {
    card.decline[1]: name
    for name, card in CARDS.items()
    if card.decline and not card.processes and not card.authenticates
}


async def test_each_reason_is_told_and_another_card_pays(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """402 with the bank's own code, nothing in the books, the seat still held; then the same hold is paid."""
    flight = await fleet.flight()
    hold = await held(traveller, fleet, flight)
    path = f"/bookings/{hold['pnr']}/payments"

    for reason, method in REASONS.items():
        refused = await traveller.post(path, {"payment_method": method})
        assert (refused.status, refused.code, refused.body["decline_code"]) == (
            402,
            "payment_declined",
            reason,
        )

    read = (await traveller.get(f"/bookings/{hold['pnr']}")).body
    assert (read["status"], [one["failure"] for one in read["payments"]]) == ("held", list(REASONS))
    assert {one["status"] for one in read["payments"]} == {"failed"}
    assert "pay" in read["available_actions"]
    assert await balances(sql, hold["pnr"]) == {}
    assert (await fleet.counts(flight))["held"] == 1
    assert (await traveller.post(path, VISA)).status == 201
    await swept(sql, hold["pnr"])
    total = minor(hold["price"]["total"])
    assert await moved_at_the_processor(sandbox, sql, hold["pnr"]) == (("charged", total),)


async def test_a_decline_is_an_event_of_the_booking(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """With its reason, numbered among the others."""
    hold = await held(traveller, fleet)
    await traveller.post(f"/bookings/{hold['pnr']}/payments", {"payment_method": "pm_card_chargeDeclined"})

    told = await sql(
        "SELECT sequence, type, data FROM outbox WHERE subject = :pnr ORDER BY sequence", pnr=hold["pnr"]
    )

    assert [(one["sequence"], one["type"]) for one in told] == [(1, "booking.held"), (2, "payment.failed")]
    assert told[1]["data"]["reason"] == "generic_decline"


async def test_a_decline_is_kept_under_its_key(traveller: Client, fleet: Fleet, sandbox: Sandbox) -> None:
    """Repeated, the bank is not asked again; the next card takes the next key."""
    hold = await held(traveller, fleet)
    path, key = f"/bookings/{hold['pnr']}/payments", {"Idempotency-Key": f"card-of-{hold['pnr']}"}
    body = {"payment_method": "pm_card_chargeDeclined"}
    first = await traveller.post(path, body, key)

    again = await traveller.post(path, body, key)

    assert (again.status, again.raw) == (402, first.raw)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len((await sandbox.control("GET", "/cards"))["intents"]) == 1
    assert (await traveller.post(path, VISA, key)).code == "idempotency_key_reused"


async def test_a_decline_while_booking_says_which_hold_is_left(traveller: Client, fleet: Fleet) -> None:
    """The problem has its reference, and another card pays for it."""
    offer = await fleet.offer(traveller, await fleet.flight())

    refused = await traveller.post("/bookings", paid_at_once(offer, "pm_card_chargeDeclinedIncorrectCvc"))

    assert (refused.status, refused.body["decline_code"]) == (402, "incorrect_cvc")
    assert (await traveller.post(f"/bookings/{refused.body['pnr']}/payments", VISA)).status == 201


async def test_a_capture_that_is_declined_takes_nothing_and_frees_the_seat(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The seat was made sure of already, so it is let go and the booking has ended."""
    flight = await fleet.flight()
    hold = await held(traveller, fleet, flight)

    refused = await traveller.post(
        f"/bookings/{hold['pnr']}/payments", {"payment_method": "pm_sandbox_captureFails"}
    )

    assert (refused.status, refused.code) == (402, "payment_declined")
    await swept(sql, hold["pnr"])
    assert (await traveller.get(f"/bookings/{hold['pnr']}")).body["status"] == "expired"
    assert await moved_at_the_processor(sandbox, sql, hold["pnr"]) == ()
    counts = await fleet.counts(flight)
    assert (counts["held"], counts["sold"]) == (0, 0)


@pytest.mark.parametrize(
    ("method", "code"), [("4242424242424242", None), ("pm_of_nobody", "resource_missing")]
)
async def test_what_is_no_payment_method_is_refused(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, method: str, code: str | None
) -> None:
    """Before or by the processor, never with a 5xx; a card's number is not even passed on."""
    hold = await held(traveller, fleet)

    refused = await traveller.post(f"/bookings/{hold['pnr']}/payments", {"payment_method": method})

    assert refused.status == (402 if code else 422), refused.body
    assert refused.body.get("decline_code") == code
    assert method not in str(await sandbox.control("GET", "/journal")) or code
