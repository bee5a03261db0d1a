"""Two people must never get the same seat."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core import db
from app.offers import repository
from tests.support.client import Client, Sandbox, in_days, patiently

BUYERS, SEATS = 200, 10


async def flight_with_few_seats(api: Client, sandbox: Sandbox, sql: Any, day_ahead: int) -> dict[str, Any]:
    """An offer for a flight with ten seats left in economy."""
    departs = datetime.combine(in_days(day_ahead), datetime.min.time(), UTC) + timedelta(hours=11)
    await sandbox.flight("KEF", "OSL", departs, departs + timedelta(hours=2, minutes=40), number="9700")
    offers = (await api.search("KEF", "OSL", in_days(day_ahead), limit=100)).body["data"]
    offer: dict[str, Any] = next(
        o for o in offers if o["slices"][0]["segments"][0]["flight_number"] == "ZZ9700"
    )
    await sql(
        "INSERT INTO inventory (flight_id, cabin, capacity)"
        " SELECT id, 'economy', :seats FROM flights WHERE number = '9700' AND departure_date = :day",
        seats=SEATS,
        day=in_days(day_ahead),
    )
    return offer


async def counted(sql: Any, day_ahead: int) -> dict[str, Any]:
    rows: list[dict[str, Any]] = await sql(
        """
        SELECT i.capacity, i.held, i.sold,
               (SELECT coalesce(sum(s.seats), 0) FROM seat_claims s
                WHERE s.flight_id = f.id AND s.released_at IS NULL) AS claimed,
               (SELECT count(*) FROM booking_segments b WHERE b.flight_id = f.id) AS bookings
        FROM flights f JOIN inventory i ON i.flight_id = f.id
        WHERE f.number = '9700' AND f.departure_date = :day
        """,
        day=in_days(day_ahead),
    )
    return rows[0]


async def test_two_hundred_buyers_share_ten_seats(traveller: Client, sandbox: Sandbox, sql: Any) -> None:
    """Exactly ten bookings, a clear refusal for everybody else, and nothing left over."""
    offer = await flight_with_few_seats(traveller, sandbox, sql, 50)

    answers = await asyncio.gather(*(patiently(lambda: traveller.book(offer["id"])) for _ in range(BUYERS)))

    assert Counter(answer.status for answer in answers) == {201: SEATS, 409: BUYERS - SEATS}
    assert {answer.code for answer in answers if answer.status == 409} == {"sold_out"}
    counts = await counted(sql, 50)
    assert counts == {"capacity": SEATS, "held": SEATS, "sold": 0, "claimed": SEATS, "bookings": SEATS}


async def test_the_race_would_oversell_if_nothing_guarded_it(
    traveller: Client, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: with a check before the act, as in many shops, the test above must fail."""
    offer = await flight_with_few_seats(traveller, sandbox, sql, 51)

    async def check_then_act(session: db.Session, ids: list[int], cabin: str, seats: int, _: float) -> Any:
        known = await repository.flights(session, ids, cabin)
        if any(known[flight]["seats_left"] < seats for flight in ids):
            return []
        await asyncio.sleep(0.02)
        claims = await db.rows(
            session,
            "INSERT INTO seat_claims (flight_id, cabin, seats, expires_at)"
            " SELECT id, 'economy', 1, now() + interval '1 hour' FROM flights WHERE id = ANY(CAST(:ids AS bigint[]))"
            " RETURNING id AS claim_id, flight_id, expires_at AS claim_expires_at",
            ids=ids,
        )
        return [known[claim["flight_id"]] | claim for claim in claims]

    monkeypatch.setattr(repository, "claim", check_then_act)
    answers = await asyncio.gather(*(traveller.book(offer["id"]) for _ in range(BUYERS)))

    assert sum(answer.status == 201 for answer in answers) > SEATS


async def test_the_database_itself_refuses_to_oversell(sql: Any, traveller: Client, sandbox: Sandbox) -> None:
    """Whatever the code does, the CHECK constraint stands."""
    await flight_with_few_seats(traveller, sandbox, sql, 52)

    with pytest.raises(Exception, match="never_oversold"):
        await sql(
            "UPDATE inventory SET held = capacity + 1 WHERE flight_id IN"
            " (SELECT id FROM flights WHERE number = '9700' AND departure_date = :day)",
            day=in_days(52),
        )
