"""Several who want different things of one booking, or the same thing twice, at the same moment."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from inspect import unwrap
from typing import Any

import pytest

from app.bookings import repository, tasks
from app.core import db
from app.offers import repository as seats
from app.offers import service as offers
from tests.bookings.test_concurrency import deadlocks
from tests.invariants import broken, journal_of
from tests.payments.support import VISA, bought, held
from tests.support.client import Answer, Client, Sandbox, adult
from tests.support.fleet import Fleet, Flight

ROUNDS = 5


async def quoted(traveller: Client, pnr: str, kind: str, body: Any = None) -> str:
    """The path that confirms a quote."""
    answer = await traveller.post(f"/bookings/{pnr}/{kind}", body)
    assert answer.status == 201, answer.body
    return f"/bookings/{pnr}/{kind}/{answer.body['id']}/confirm"


async def to_fly(traveller: Client, fleet: Fleet, pnr: str, flight: Flight) -> str:
    """The path that confirms flying this flight instead."""
    booking = (await traveller.get(f"/bookings/{pnr}")).body
    index = booking["slices"][0]["index"]
    offer = await changeable(traveller, fleet, flight, booking["fare_brand"])
    return await quoted(traveller, pnr, "changes", {"slices": [index], "offer_id": offer["id"]})


async def changeable(
    traveller: Client, fleet: Fleet, flight: Flight, brand: str | None = None
) -> dict[str, Any]:
    """The dearest brand of a flight, which may be changed for nothing, or the one that was bought."""
    found = await fleet.offers(traveller, flight, limit=100)
    return next(
        offer
        for offer in reversed(found)
        if offer["conditions"]["change"]["allowed"]
        and brand in (None, offer["fare_brand"])
        and offer["slices"][0]["segments"][0]["flight_number"] == flight.number
    )


async def bought_changeable(
    traveller: Client, fleet: Fleet, flight: Flight, passengers: list[dict[str, Any]] | None = None
) -> str:
    held_one = await traveller.book((await changeable(traveller, fleet, flight))["id"], passengers)
    assert held_one.status == 201, held_one.body
    pnr: str = held_one.body["pnr"]
    assert (await traveller.post(f"/bookings/{pnr}/payments", VISA)).status == 201
    return pnr


async def cancelled_twenty_times(traveller: Client, fleet: Fleet, flight: Flight) -> list[Answer]:
    pnr = (await bought(traveller, fleet, flight))["pnr"]
    confirm = await quoted(traveller, pnr, "cancellations")
    return await asyncio.gather(*(traveller.post(confirm) for _ in range(20)))


async def test_twenty_cancellations_are_one_refund(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """One is done, nineteen are told that it was; the processor gives back once."""
    flight = await fleet.flight()

    answers = await cancelled_twenty_times(traveller, fleet, flight)
    await unwrap(tasks.settle_refunds)()

    assert Counter(answer.status for answer in answers) == {200: 1, 409: 19}
    assert {answer.code for answer in answers} == {None, "booking_closed"}
    journal = await journal_of(sandbox)
    assert sum(line["what"] == "refunded" for line in journal) == 1
    assert await broken(sql, [flight], journal) == {}


async def test_without_the_lock_of_the_booking_it_would_be_cancelled_more_than_once(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what reads without locking lets several through, whatever stops them after that."""

    async def unlocked(session: db.Session, user_id: Any, pnr: str) -> db.Row | None:
        found = await repository.by_pnr(session, user_id, pnr)
        await asyncio.sleep(0.05)
        return found and {**found, "due": False, "price_due": False}

    monkeypatch.setattr(repository, "lock_by_pnr", unlocked)

    answers = await cancelled_twenty_times(traveller, fleet, await fleet.flight())

    assert Counter(answer.status for answer in answers) != {200: 1, 409: 19}


async def test_paying_and_running_out_at_the_same_moment_is_one_of_both(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Confirmed and charged once, or expired and not charged."""
    flight = await fleet.flight()
    for _ in range(ROUNDS):
        pnr = (await held(traveller, fleet, flight))["pnr"]

        paid, *_ = await asyncio.gather(
            traveller.post(f"/bookings/{pnr}/payments", VISA),
            fleet.run_out(pnr),
            unwrap(tasks.expire_due_holds)(),
        )
        await unwrap(tasks.expire_due_holds)()

        status = (await traveller.get(f"/bookings/{pnr}")).body["status"]
        assert (paid.status, status) in ((201, "confirmed"), (409, "expired")), paid.body
        assert await broken(sql, [flight], await journal_of(sandbox)) == {}


async def test_cancelling_changing_and_checking_in_happen_one_after_the_other(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Whoever comes too late is told; seats, coupons and money are those of what was done."""
    for _ in range(ROUNDS):
        soon = datetime.now(UTC) + timedelta(hours=20)
        flight, later = await fleet.flight_at(soon), await fleet.flight_at(soon + timedelta(hours=1))
        pnr = await bought_changeable(traveller, fleet, flight)
        change = await to_fly(traveller, fleet, pnr, later)
        cancel = await quoted(traveller, pnr, "cancellations")
        flight_id = (await traveller.get(f"/bookings/{pnr}")).body["slices"][0]["segments"][0]["flight_id"]

        answers = await asyncio.gather(
            traveller.post(cancel),
            traveller.post(change, {"payment": VISA}),
            traveller.post(f"/bookings/{pnr}/check-in", {"flight_id": flight_id}),
        )
        await unwrap(tasks.settle_refunds)()

        assert {answer.status for answer in answers} <= {200, 409, 422}, [a.body for a in answers]
        assert [answers[0].status, answers[1].status].count(200) == 1
        assert await broken(sql, [flight, later], await journal_of(sandbox)) == {}


async def exchange(traveller: Client, fleet: Fleet, sql: Any) -> tuple[list[Answer], int, list[Flight]]:
    """Half fly A and want B, half fly B and want A, all at once; with the deadlocks that there were."""
    one = await fleet.flight(400)
    other = await fleet.flight(400, day=one.day)
    confirms = []
    for number in range(6):
        now, then = ((one, other), (other, one))[number % 2]
        pnr = await bought_changeable(traveller, fleet, now)
        confirms.append(await to_fly(traveller, fleet, pnr, then))
    before = await deadlocks(sql)
    answers = await asyncio.gather(*(traveller.post(path) for path in confirms))
    return answers, await deadlocks(sql) - before, [one, other]


async def test_who_changes_places_with_others_waits_in_one_order(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """No deadlock, also none that a repetition would hide."""
    answers, locked, flights = await exchange(traveller, fleet, sql)

    assert Counter(answer.status for answer in answers) == {200: 6}, [a.body for a in answers]
    assert locked == 0
    assert await broken(sql, flights, await journal_of(sandbox)) == {}


async def test_without_that_order_they_would_wait_for_each_other(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: who locks the new flight and then the old one meets who does it the other way round."""
    release = seats.release

    async def no_order(*_: Any) -> None:
        """Nothing is locked before."""

    async def slowly(session: db.Session, **wanted: Any) -> int:
        await asyncio.sleep(0.1)
        return await release(session, **wanted)

    monkeypatch.setattr(offers, "lock", no_order)
    monkeypatch.setattr(seats, "release", slowly)

    answers, locked, _ = await exchange(traveller, fleet, sql)

    assert locked > 0 or any(answer.status == 503 for answer in answers)


async def test_a_late_payment_does_not_book_somebody_twice_on_a_flight(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The hold ran out and its traveller is on the flight by another booking: nothing is charged."""
    flight, person = await fleet.flight(), [adult(900_001)]
    offer = await fleet.offer(traveller, flight)
    first = (await traveller.book(offer["id"], person)).body["pnr"]
    proving = {"payment_method": "pm_card_threeDSecure2Required"}
    waiting = (await traveller.post(f"/bookings/{first}/payments", proving)).body
    await fleet.run_out(first)
    again = await traveller.book(offer["id"], person)
    assert again.status == 201, again.body
    [row] = await sql(
        "SELECT intent FROM payments WHERE 'pay_' || replace(public_id::text, '-', '') = :id",
        id=waiting["id"],
    )
    await sandbox.control("POST", f"/cards/intents/{row['intent']}", {"finish": "succeed"})

    resumed = await traveller.post(f"/bookings/{first}/payments/{waiting['id']}/resume")

    assert (resumed.status, resumed.code) == (409, "hold_expired"), resumed.body
    await unwrap(tasks.expire_due_holds)()
    await unwrap(tasks.settle_payments)()
    journal = await journal_of(sandbox)
    assert [line["what"] for line in journal if line["what"] in ("charged", "released")] == ["released"]
    assert await broken(sql, [flight], journal) == {}


async def test_a_payment_of_the_old_price_is_given_up_when_the_price_has_risen(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Whoever proves who they are after that pays nothing: what is confirmed is paid for exactly."""
    flight = await fleet.flight()
    pnr = (await held(traveller, fleet, flight))["pnr"]
    await sql(
        "UPDATE bookings SET total_minor = total_minor - 100, price_stands_until = now() WHERE pnr = :pnr",
        pnr=pnr,
    )
    await sql("UPDATE bookings SET price_stands_until = now() + interval '1 hour' WHERE pnr = :pnr", pnr=pnr)
    proving = {"payment_method": "pm_card_threeDSecure2Required"}
    waiting = (await traveller.post(f"/bookings/{pnr}/payments", proving)).body
    assert waiting["status"] == "requires_action", waiting
    await sql("UPDATE bookings SET price_stands_until = now() WHERE pnr = :pnr", pnr=pnr)

    refused = await traveller.post(f"/bookings/{pnr}/payments", VISA)

    assert (refused.status, refused.code) == (409, "price_changed")
    [payment] = (await traveller.get(f"/bookings/{pnr}")).body["payments"]
    assert payment["status"] == "cancelled"
    assert (await traveller.post(f"/bookings/{pnr}/payments", VISA)).status == 201
    assert await broken(sql, [flight], await journal_of(sandbox)) == {}
