"""Who still has a trip ahead, or money on its way, is told so and stays."""

from typing import Any

import pytest

from tests.bookings.paid import bought, cancelled, held, settled
from tests.support.client import PASSWORD, Answer, Client
from tests.support.fleet import Fleet


async def erased(traveller: Client) -> Answer:
    return await traveller.post("/auth/erasure", {"password": PASSWORD})


async def test_a_trip_ahead(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Then its refund, until that has arrived; and nothing was forgotten meanwhile."""
    pnr = (await bought(traveller, fleet, sql))["pnr"]
    ahead = await erased(traveller)
    await cancelled(traveller, pnr)
    refunding = await erased(traveller)
    still = (await traveller.get(f"/bookings/{pnr}")).body
    await settled()
    done = await erased(traveller)

    assert (ahead.status, ahead.code) == (409, "open_trips")
    assert ahead.body["trips"] == [{"pnr": pnr, "reason": "trip_ahead"}]
    assert refunding.body["trips"] == [{"pnr": pnr, "reason": "refund_pending"}]
    assert still["contact"]["email"] == "ada@example.com"
    assert done.status == 204


async def test_a_hold_until_it_has_run_out(traveller: Client, fleet: Fleet) -> None:
    """By the database's clock, whoever has swept or not."""
    pnr = (await held(traveller, fleet))["pnr"]
    ahead = await erased(traveller)
    await fleet.run_out(pnr)

    assert ahead.body["trips"] == [{"pnr": pnr, "reason": "hold"}]
    assert (await erased(traveller)).status == 204


@pytest.mark.parametrize("status", ["processing", "requires_action", "authorised"])
async def test_a_payment_that_nobody_has_finished(
    traveller: Client, fleet: Fleet, sql: Any, status: str
) -> None:
    """The processor may have taken the money: whoever is forgotten could not be given it back."""
    pnr = (await held(traveller, fleet))["pnr"]
    await fleet.run_out(pnr)
    await sql(
        "INSERT INTO payments (booking_id, purpose, status, amount_minor, currency, payment_method)"
        " SELECT id, 'purchase', :status, total_minor, currency, 'pm_card_visa' FROM bookings WHERE pnr = :pnr",
        status=status,
        pnr=pnr,
    )

    assert (await erased(traveller)).body["trips"] == [{"pnr": pnr, "reason": "payment_pending"}]
