"""What the processor took and we have forgotten, as after a restore: found, and settled where a booking waits."""

import uuid
from datetime import UTC, datetime
from typing import Any

from app.bookings import console, recovering
from app.bookings.recovering import Forgotten
from tests.payments.support import balances, held, minor
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


async def charged(sandbox: Sandbox, amount: int, description: str, name: str | None = None) -> str:
    """A payment that was made under a name of ours, of which no row is left."""
    form = {
        "amount": str(amount),
        "currency": "usd",
        "confirm": "true",
        "payment_method": "pm_card_visa",
        "payment_method_types[]": "card",
        "description": description,
        "metadata[payment]": name or f"pay_{uuid.uuid4().hex}",
    }
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    async with sandbox.session.post(
        f"{sandbox.base}/v1/payment_intents", data=form, headers=headers
    ) as answer:
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["id"])


async def forgotten(*, take_in: bool) -> dict[str, Forgotten]:
    found = await recovering.forgotten(datetime.now(UTC), take_in=take_in)
    return {one.reference: one for one in found}


async def test_what_is_found_is_left_alone_until_it_is_to_be_taken_in(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Looking changes nothing; what was taken in is forgotten no more."""
    booking = await held(traveller, fleet)
    total = minor(booking["price"]["total"])
    intent = await charged(sandbox, total, f"Booking {booking['pnr']}")

    found = (await forgotten(take_in=False))[intent]

    assert (found.what, found.booking, found.can_be, found.taken_in) == ("charge", "held", True, None)
    assert found.amount == booking["price"]["total"]
    assert (await traveller.get(f"/bookings/{booking['pnr']}")).body["status"] == "held"

    taken = (await forgotten(take_in=True))[intent]
    assert (taken.booking, taken.taken_in) == ("confirmed", "captured")
    assert (await balances(sql, booking["pnr"]))["processor"] > 0
    assert intent not in await forgotten(take_in=True)


async def test_money_for_seats_that_are_gone_goes_back(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The hold has run out since, and somebody else has the only seat."""
    flight = await fleet.flight(1)
    booking = await held(traveller, fleet, flight)
    intent = await charged(sandbox, minor(booking["price"]["total"]), f"Booking {booking['pnr']}")
    await fleet.run_out(booking["pnr"])
    await held(await traveller.signed_up(), fleet, flight)

    taken = (await forgotten(take_in=True))[intent]

    assert taken.taken_in == "captured"
    assert "the seats were gone, so the money goes back" in console._line(taken)
    [refund] = (await traveller.get(f"/bookings/{booking['pnr']}")).body["refunds"]
    assert (refund["reason"], refund["amount"]) == ("late_payment", booking["price"]["total"])


async def test_what_fits_no_booking_is_for_people_to_decide(
    traveller: Client, fleet: Fleet, sandbox: Sandbox
) -> None:
    """Of another amount, for a booking that is gone, or of a description that says nothing; others' are not ours."""
    booking = await held(traveller, fleet)
    other = await charged(sandbox, minor(booking["price"]["total"]) + 1, f"Booking {booking['pnr']}")
    gone = await charged(sandbox, 5000, "Booking ZZZZZZ")
    nameless = await charged(sandbox, 6000, "Something")
    foreign = await charged(sandbox, 7000, f"Booking {booking['pnr']}", name="order-17")

    found = await forgotten(take_in=True)

    assert {(found[one].booking, found[one].taken_in) for one in (other, gone, nameless)} == {
        ("held", None),
        (None, None),
    }
    assert foreign not in found
    assert "costs something else" in console._line(found[other])
    assert "ZZZZZZ, which is not here" in console._line(found[gone])
    assert (await traveller.get(f"/bookings/{booking['pnr']}")).body["status"] == "held"
