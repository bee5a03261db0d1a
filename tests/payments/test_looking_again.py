"""What the processor says of a payment that is captured leaves nothing to be found out."""

from inspect import unwrap
from typing import Any

from app.bookings import tasks
from app.core import db
from app.payments import repository
from tests.payments.support import bought
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


async def test_a_message_of_a_captured_payment_has_nobody_look_at_it_again(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """It is kept, and the sweep leaves the payment alone."""
    pnr = (await bought(traveller, fleet))["pnr"]
    question = "SELECT p.* FROM payments p JOIN bookings b ON b.id = p.booking_id WHERE b.pnr = :pnr"
    [payment] = await sql(question, pnr=pnr)
    event = {"event_id": f"evt_{pnr}", "type": "charge.captured", "object_id": "ch_1"}
    async with db.transaction() as session:
        assert await repository.hear(
            session, event | {"intent": payment["intent"], "refund": None, "payment": None}
        )
    await unwrap(tasks.settle_payments)()

    [after] = await sql(question, pnr=pnr)

    assert after["next_look_at"] is None
    assert after == payment
