"""Somebody who tries one card after another."""

from tests.payments.support import VISA, held
from tests.support.client import Client
from tests.support.fleet import Fleet


async def test_after_ten_declined_cards_a_booking_takes_no_more(traveller: Client, fleet: Fleet) -> None:
    """Not even a good one: that is how stolen numbers are tried out."""
    pnr = (await held(traveller, fleet))["pnr"]
    tried = [
        await traveller.post(f"/bookings/{pnr}/payments", {"payment_method": "pm_card_chargeDeclined"})
        for _ in range(10)
    ]
    assert {answer.code for answer in tried} == {"payment_declined"}

    refused = await traveller.post(f"/bookings/{pnr}/payments", VISA)

    assert (refused.status, refused.code) == (409, "too_many_attempts")


async def test_a_declined_card_leaves_the_hold_to_another(traveller: Client, fleet: Fleet) -> None:
    """It stays payable until it runs out."""
    pnr = (await held(traveller, fleet))["pnr"]
    declined = {"payment_method": "pm_card_chargeDeclinedInsufficientFunds"}

    first = await traveller.post(f"/bookings/{pnr}/payments", declined)
    second = await traveller.post(f"/bookings/{pnr}/payments", VISA)

    assert (first.status, first.body["decline_code"]) == (402, "insufficient_funds")
    assert (second.status, second.body["status"]) == (201, "captured")
