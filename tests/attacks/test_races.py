"""Attack: the same thing many times at once, or two things that exclude each other."""

import asyncio
from typing import Any

from tests.bookings.paid import bought
from tests.payments.support import VISA, at_the_processor, balances, held
from tests.support.client import Client, Sandbox, adult, booking
from tests.support.fleet import Fleet


async def test_paying_twenty_times_at_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """One charge; the others are told that it is paid, or being paid."""
    pnr = (await held(traveller, fleet))["pnr"]

    answers = await asyncio.gather(*(traveller.post(f"/bookings/{pnr}/payments", VISA) for _ in range(20)))

    assert [answer.status for answer in answers].count(201) == 1
    assert {answer.code for answer in answers} - {None} <= {
        "already_paid",
        "payment_in_progress",
        "try_again",
    }
    assert [what for what, _ in await at_the_processor(sandbox, sql, pnr)] == ["charged"]


async def test_confirming_a_cancellation_twenty_times_at_once(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """One refund is owed, once."""
    flight = await fleet.flight()
    pnr = (await bought(traveller, fleet, sql, flight))["pnr"]
    quote = (await traveller.post(f"/bookings/{pnr}/cancellations")).body["id"]
    path = f"/bookings/{pnr}/cancellations/{quote}/confirm"

    answers = await asyncio.gather(*(traveller.post(path) for _ in range(20)))

    assert [answer.status for answer in answers].count(200) == 1
    [refunds] = await sql(
        "SELECT count(*) AS n FROM refunds r JOIN bookings b ON b.id = r.booking_id WHERE b.pnr = :pnr",
        pnr=pnr,
    )
    assert refunds["n"] == 1
    assert (await fleet.counts(flight))["sold"] == 0


async def test_paying_and_cancelling_at_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Either there is a ticket that is paid for, or no money; never both gone and never both kept."""
    for _ in range(3):
        flight = await fleet.flight()
        pnr = (await held(traveller, fleet, flight))["pnr"]
        quote = (await traveller.post(f"/bookings/{pnr}/cancellations")).body["id"]

        await asyncio.gather(
            traveller.post(f"/bookings/{pnr}/payments", VISA),
            traveller.post(f"/bookings/{pnr}/cancellations/{quote}/confirm"),
        )

        status = (await traveller.get(f"/bookings/{pnr}")).body["status"]
        charged = [what for what, _ in await at_the_processor(sandbox, sql, pnr)]
        assert (status, charged) in (("confirmed", ["charged"]), ("cancelled", []))
        assert (await fleet.counts(flight))["sold"] == (status == "confirmed")
        assert bool(await balances(sql, pnr)) == (status == "confirmed")


async def test_two_prices_in_one_moment(traveller: Client, fleet: Fleet) -> None:
    """The last seat goes to one of two offers, at that one's price."""
    flight = await fleet.flight(seats=1)
    cheap, dear = (await fleet.offers(traveller, flight))[:2]
    people = [[adult(1)], [adult(2)]]

    answers = await asyncio.gather(
        *(
            traveller.post("/bookings", booking(one["id"], who))
            for one, who in zip((cheap, dear), people, strict=True)
        )
    )

    assert sorted(answer.status for answer in answers) == [201, 409]
    [(won, offer)] = [(a, o) for a, o in zip(answers, (cheap, dear), strict=True) if a.status == 201]
    assert won.body["price"]["total"] == offer["price"]["total"]


async def test_devices_and_subscriptions_beyond_their_number(traveller: Client) -> None:
    """A limit that is counted and then written would be passed by fifty at once."""
    hook = {"url": "http://127.0.0.1:9999/", "events": ["*"]}

    answers = await asyncio.gather(*(traveller.post("/webhooks/subscriptions", hook) for _ in range(40)))

    assert [answer.status for answer in answers].count(201) <= 20
    assert len((await traveller.get("/webhooks/subscriptions", limit=100)).body["data"]) <= 20
