"""An account books a traveller once on a flight, however many requests come at once."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from app.bookings import repository
from app.core import db
from tests.support.client import Client, adult, booking, in_days
from tests.support.fleet import Fleet, Flight

COPIES = 20


async def book(traveller: Client, offer: dict[str, Any], **more: Any) -> Any:
    """Ada, without a key."""
    return await traveller.book(offer["id"], [adult(**more)])


@pytest.mark.parametrize(
    "spelling",
    [
        {},
        {"given_name": "adá", "family_name": "LOVELACE"},
        {"given_name": "Ада", "latin_given_name": "Ada"},
    ],
    ids=["as before", "with accents", "in Cyrillic"],
)
async def test_the_same_traveller_is_not_booked_again(
    traveller: Client, fleet: Fleet, spelling: dict[str, str]
) -> None:
    """Judged by the ticket and the date of birth; the refusal names the booking and the passenger."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight, adults=2)
    ada = adult(given_name="Ada")
    first = await traveller.book(offer["id"], [adult(1), ada])

    again = await traveller.book(offer["id"], [ada | spelling, adult(2)])

    assert (again.status, again.code) == (409, "duplicate_trip")
    assert again.body["pnr"] == first.body["pnr"]
    assert again.body["errors"][0]["pointer"] == "/passengers/0"
    assert again.body["retryable"] is False
    assert (await fleet.counts(flight))["held"] == 2


async def test_others_fly_and_ada_flies_elsewhere(traveller: Client, api: Client, fleet: Fleet) -> None:
    """Another flight, a namesake, and whoever books her from another account, of which nothing is told."""
    flight, other_flight = await fleet.flight(), await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    assert (await book(traveller, offer)).status == 201

    assert (await book(traveller, await fleet.offer(traveller, other_flight))).status == 201
    assert (await book(traveller, offer, born_on="1960-01-01")).status == 201
    assert (await book(traveller, offer, family_name="Byron")).status == 201
    assert (await book(await api.signed_up(), offer)).status == 201


async def test_one_flight_of_a_trip_is_enough(traveller: Client, fleet: Fleet) -> None:
    """There and back cannot be booked by who is on the flight back."""
    there, back = await fleet.round_trip()
    trip = await fleet.offer(traveller, there, return_date=back.day)
    assert (await book(traveller, await fleet.offer(traveller, back))).status == 201

    assert (await book(traveller, trip)).code == "duplicate_trip"
    assert (await fleet.counts(there)) == {"capacity": 10, "held": 0, "sold": 0, "claimed": 0}


async def test_an_infant_is_a_traveller(traveller: Client, fleet: Fleet) -> None:
    """On another lap it is the same infant."""
    offer = await fleet.offer(traveller, await fleet.flight(), infants=1)
    infant = adult(7, type="infant", born_on=in_days(-200).isoformat())
    assert (await traveller.book(offer["id"], [adult(1), infant])).status == 201

    again = await traveller.book(offer["id"], [adult(2), infant])

    assert (again.code, again.body["errors"][0]["pointer"]) == ("duplicate_trip", "/passengers/1")


async def test_of_many_at_once_one_is_booked(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """In two cabins, so that they do not even queue for the same seats; the others leave nothing behind."""
    flight = await fleet.flight(COPIES)
    cabins = [await fleet.offer(traveller, flight, cabin=cabin) for cabin in ("economy", "business")]

    answers = await asyncio.gather(*(book(traveller, cabins[i % 2]) for i in range(COPIES)))

    assert Counter(answer.code for answer in answers) == {None: 1, "duplicate_trip": COPIES - 1}
    [booked] = [answer.body["pnr"] for answer in answers if answer.status == 201]
    assert {answer.body["pnr"] for answer in answers} == {booked}
    found = await sql("SELECT sum(held) AS held FROM inventory WHERE flight_id = :id", id=flight.id)
    assert found[0]["held"] == 1


async def test_a_twin_that_this_one_cannot_see_yet_wins(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first stores and dawdles; the second began before that was committed, and waits for the verdict."""
    flight = await fleet.flight()
    cabins = [await fleet.offer(traveller, flight, cabin=cabin) for cabin in ("economy", "business")]
    stored, add = asyncio.Event(), repository.add

    async def dawdles(*arguments: Any) -> Any:
        added = await add(*arguments)
        if not stored.is_set():
            stored.set()
            await asyncio.sleep(0.2)
        return added

    monkeypatch.setattr(repository, "add", dawdles)
    first = asyncio.create_task(book(traveller, cabins[0]))
    await stored.wait()
    second = await book(traveller, cabins[1])

    assert (await first).status == 201
    assert second.code == "duplicate_trip"


@pytest.mark.parametrize("ended", ["ran out", "expired", "cancelled"])
async def test_who_is_not_booked_any_more_can_be_booked(
    traveller: Client, fleet: Fleet, sql: Any, ended: str
) -> None:
    """At once, whether or not anybody has noticed that the hold ran out; and then only once again."""
    offer = await fleet.offer(traveller, await fleet.flight())
    before = (await book(traveller, offer)).body["pnr"]
    if ended == "cancelled":
        await sql("UPDATE bookings SET status = 'cancelled' WHERE pnr = :pnr", pnr=before)
    else:
        await fleet.run_out(before)
    if ended == "expired":
        assert (await traveller.get(f"/bookings/{before}")).body["status"] == "expired"

    answers = await asyncio.gather(*(book(traveller, offer) for _ in range(5)))

    assert Counter(answer.code for answer in answers) == {None: 1, "duplicate_trip": 4}


@pytest.mark.parametrize("status", ["confirmed", "completed"])
async def test_who_has_paid_stays_booked(traveller: Client, fleet: Fleet, sql: Any, status: str) -> None:
    """A ticket does not run out with its hold."""
    offer = await fleet.offer(traveller, await fleet.flight())
    pnr = (await book(traveller, offer)).body["pnr"]
    await fleet.run_out(pnr)
    for reached in ("confirmed", "completed")[: 1 + (status == "completed")]:
        await sql("UPDATE bookings SET status = :status WHERE pnr = :pnr", status=reached, pnr=pnr)

    assert (await book(traveller, offer)).code == "duplicate_trip"


async def test_a_booking_that_was_changed_holds_its_new_flights(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """The flight that was left can be booked anew, and the one that was entered cannot."""
    left, entered = await fleet.flight(), await fleet.flight()
    pnr = (await book(traveller, await fleet.offer(traveller, left))).body["pnr"]

    assert await moved(sql, pnr, left, entered)

    assert (await book(traveller, await fleet.offer(traveller, left))).status == 201
    assert (await book(traveller, await fleet.offer(traveller, entered))).body["pnr"] == pnr


async def test_a_booking_is_not_changed_to_a_flight_its_traveller_is_on(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """By another booking of the same account."""
    left, entered = await fleet.flight(), await fleet.flight()
    pnr = (await book(traveller, await fleet.offer(traveller, left))).body["pnr"]
    await book(traveller, await fleet.offer(traveller, entered))

    assert not await moved(sql, pnr, left, entered)


async def moved(sql: Any, pnr: str, left: Flight, entered: Flight) -> bool:
    """Rebook, as a change of flights does it."""
    [segment] = await sql(
        "UPDATE booking_segments SET flight_id = :entered WHERE flight_id = :left"
        " AND booking_id = (SELECT id FROM bookings WHERE pnr = :pnr) RETURNING booking_id",
        pnr=pnr,
        left=left.id,
        entered=entered.id,
    )
    async with db.transaction() as session:
        return await repository.renew_trips(session, segment["booking_id"])


@contextmanager
def statements() -> Iterator[list[str]]:
    """What the database is asked meanwhile, straight on the driver; but not who was signed out, as each process asks
    twice a second for all requests together.
    """
    asked: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def noted(connection: Any, query: str, *values: Any) -> Any:
        if "FROM revocations" not in query:
            asked.append(query)
        return await fetch(connection, query, *values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg.Connection, "fetch", noted)
        yield asked


async def test_a_booking_is_two_statements(traveller: Client, fleet: Fleet) -> None:
    """Seats and booking: passports, services and the look for twins go along with the second."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    passport = {"type": "passport", "number": "X1234567", "issuing_country": "GB"}
    person = adult(document=passport | {"expires_on": in_days(900).isoformat()}, services=[{"code": "VGML"}])

    with statements() as asked:
        assert (await traveller.post("/bookings", booking(offer["id"], [person]))).status == 201

    assert len(asked) == 2
