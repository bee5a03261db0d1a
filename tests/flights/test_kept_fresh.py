"""What people want is renewed before it gets old, and what nobody wants any more is left to age."""

import itertools
from datetime import date, timedelta
from inspect import unwrap
from typing import Any

import pytest

from app.bookings import tasks
from app.core import db
from app.core.config import settings
from app.flights import boards, schedule
from tests.flights.support import age, board, until
from tests.providers.vendor import Vendor, future, refusal
from tests.support.client import Answer, Client, in_days

_limits = itertools.cycle(range(100, 30, -1))


@pytest.fixture(autouse=True)
def rows(vendor: Vendor) -> None:
    vendor.rows = [future(600 + n, "KRS", "BGO", f"{9 + n:02}:00", f"{10 + n:02}:00") for n in range(3)]


async def search(api: Client, day: date) -> Answer:
    """Past every cache of answers."""
    answer = await api.search("KRS", "BGO", day, limit=next(_limits))
    assert answer.status == 200, answer.body
    return answer


async def nearly_old(sql: Any, day: date, **more: int) -> None:
    """A minute is left until the board is old."""
    await sql(
        "UPDATE schedule_boards SET fresh_until = now() + make_interval(mins => :left)"
        " WHERE airport = 'KRS' AND local_date = :day",
        day=day,
        left=more.get("minutes", 1),
    )


async def due(day: date) -> bool:
    """Whether Beat would renew the board now."""
    async with db.transaction() as session:
        return ("KRS", day) in await boards.ageing(session, 1000)


async def test_a_board_that_was_searched_once_is_left_to_age(
    api: Client, vendor: Vendor, sql: Any, day: date
) -> None:
    """Who had it fetched has had the answer."""
    await search(api, day)
    await nearly_old(sql, day)

    assert not await due(day)


async def test_a_board_that_was_searched_again_is_renewed_before_it_is_old(
    api: Client, vendor: Vendor, sql: Any, day: date
) -> None:
    """Nobody meets an old one, and nobody waits."""
    await search(api, day)
    await search(api, day)
    await nearly_old(sql, day)
    assert await due(day)

    await schedule.keep_fresh(1)

    assert vendor.offsets(day) == [0, 0]
    known = await board(sql, "KRS", day)
    assert known["fresh_until"] - known["fetched_at"] > timedelta(hours=12)
    assert (await search(api, day)).body["meta"]["stale"] is False
    assert vendor.offsets(day) == [0, 0]


async def test_it_is_renewed_once_for_each_time_somebody_wants_it(
    api: Client, vendor: Vendor, sql: Any, day: date
) -> None:
    """An answer that nobody has asked for again is the last one."""
    await search(api, day)
    for calls in (2, 3):
        await search(api, day)
        await nearly_old(sql, day)
        await schedule.keep_fresh(1)
        assert len(vendor.offsets(day)) == calls
        await nearly_old(sql, day)
        assert not await due(day)


async def test_a_young_board_is_not_renewed(api: Client, sql: Any, day: date) -> None:
    """However many want it."""
    for _ in range(3):
        await search(api, day)
    await nearly_old(sql, day, minutes=10)

    assert not await due(day)


async def test_yesterdays_boards_are_not_renewed(api: Client, sql: Any, day: date) -> None:
    """Nobody flies there any more."""
    past = in_days(-3)
    await sql("DELETE FROM schedule_boards WHERE airport = 'KRS' AND local_date = :past", past=past)
    await search(api, day)
    await search(api, day)
    await age(sql, "KRS", day)
    assert await due(day)
    await sql(
        "UPDATE schedule_boards SET local_date = :past WHERE airport = 'KRS' AND local_date = :day",
        past=past,
        day=day,
    )

    assert not await due(past)


async def test_the_board_of_a_booked_flight_is_wanted(
    traveller: Client, vendor: Vendor, sql: Any, day: date
) -> None:
    """As if somebody had searched for it, as long as the booking lives."""
    offer = (await search(traveller, day)).body["data"][0]
    booked = await traveller.book(offer["id"])
    assert booked.status == 201
    await age(sql, "KRS", day)
    assert not await due(day)

    await unwrap(tasks.keep_flights_fresh)()
    assert await due(day)
    await schedule.keep_fresh(1)
    assert vendor.offsets(day) == [0, 0]

    await sql("UPDATE bookings SET status = 'expired' WHERE pnr = :pnr", pnr=booked.body["pnr"])
    await age(sql, "KRS", day)
    await unwrap(tasks.keep_flights_fresh)()
    assert not await due(day)


async def test_a_provider_that_fails_is_asked_again_later(
    api: Client, vendor: Vendor, sql: Any, day: date
) -> None:
    """The board stays as it is, and due."""
    await search(api, day)
    await search(api, day)
    await nearly_old(sql, day)
    vendor.says(lambda *_: refusal(429, "rate_limit_reached"))

    await schedule.keep_fresh(1)
    assert not await due(day)
    await schedule.keep_fresh(1)

    assert vendor.offsets(day) == [0, 0]
    assert (await search(api, day)).body["meta"]["total"] == 3 * 3
    await sql("UPDATE schedule_boards SET retry_at = now() WHERE retry_at > now()")
    assert await due(day)


async def test_a_share_that_is_spent_stops_the_background_not_the_people(
    api: Client, vendor: Vendor, sql: Any, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beat renews nothing; the next search does so at once."""
    await search(api, day)
    await search(api, day)
    await age(sql, "KRS", day)
    with monkeypatch.context() as patch:
        patch.setattr(settings(), "aviationstack_background_share", 0.0)
        await schedule.keep_fresh(1)
    assert vendor.offsets(day) == [0]

    assert (await search(api, day)).body["meta"]["stale"] is True

    async def renewed() -> bool:
        return bool((await board(sql, "KRS", day))["fresh"])

    await until(renewed)
    assert vendor.offsets(day) == [0, 0]
