"""A board of many pages is stored as they come, and an interrupted fetch loses nothing it has paid for."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from app.core import db
from app.flights import boards, schedule
from app.providers.base import ProviderError
from tests.flights.support import board, time_to_try_again, until
from tests.providers.vendor import Answer, Params, Vendor, future, page, refusal
from tests.support.client import Client

ROWS = [future(100 + n, "SVG", "BGO", f"{8 + n:02}:00", f"{9 + n:02}:00") for n in range(8)]
NUMBERS = [f"ZZ{100 + n}" for n in range(8)]


class Pages:
    """A day's pages of three rows, of which those that begin at `broken` fail; `given` are those that did not."""

    def __init__(self, vendor: Vendor, day: date, answer: Answer) -> None:
        self.day, self.answer, self.broken = str(day), answer, {6}
        self.given: list[int] = []
        vendor.says(self._page)

    def _page(self, _endpoint: str, params: Params) -> Answer:
        offset = int(params["offset"])
        if offset in self.broken:
            return self.answer
        if params["date"] == self.day:
            self.given.append(offset)
        return page(ROWS, params)


@pytest.fixture(autouse=True)
def small_pages(page_size: Callable[[int], None]) -> None:
    page_size(3)


async def known(sql: Any, origin: str, day: date) -> list[str]:
    found = await sql(
        "SELECT carrier || number AS flight FROM flights WHERE origin = :origin AND departure_date = :day ORDER BY 1",
        origin=origin,
        day=day,
    )
    return [row["flight"] for row in found]


async def test_the_first_pages_answer_while_the_last_is_missing(
    api: Client, vendor: Vendor, sql: Any, day: date
) -> None:
    """Marked stale; the next attempt asks for the rest only."""
    pages = Pages(vendor, day, refusal(500, "internal_error"))

    first = await api.search("SVG", "BGO", day, limit=100)

    assert (first.status, first.body["meta"]["stale"], first.body["meta"]["total"]) == (200, True, 6 * 3)
    state = await board(sql, "SVG", day)
    assert (state["next_offset"], state["fetched_at"], state["failure"]) == (6, None, "server_error")

    pages.broken.clear()
    await time_to_try_again(sql)
    second = await api.search("SVG", "BGO", day, limit=99)
    assert (second.status, second.body["meta"]["stale"]) == (200, True)

    async def complete() -> bool:
        return bool((await board(sql, "SVG", day))["fetched_at"])

    await until(complete)
    assert pages.given == [0, 3, 6]
    third = await api.search("SVG", "BGO", day, limit=98)
    assert (third.body["meta"]["stale"], third.body["meta"]["total"]) == (False, 8 * 3)
    assert (await board(sql, "SVG", day))["next_offset"] == 0


async def test_a_month_that_is_used_up_between_two_pages_keeps_what_came(
    api: Client, vendor: Vendor, sql: Any, day: date
) -> None:
    """Nothing is asked until the pause is over; then it goes on there."""
    pages = Pages(vendor, day, refusal(429, "usage_limit_reached"))

    answers = [await api.search("SVG", "BGO", day, limit=100 - n) for n in range(4)]

    assert {(a.status, a.body["meta"]["stale"], a.body["meta"]["total"]) for a in answers} == {
        (200, True, 18)
    }
    assert vendor.offsets() == [0, 3, 6]

    pages.broken.clear()
    await time_to_try_again(sql)
    await schedule.refresh("SVG", day)

    assert pages.given == [0, 3, 6]
    assert await known(sql, "SVG", day) == NUMBERS


async def test_pages_that_have_become_old_are_fetched_again(vendor: Vendor, sql: Any, day: date) -> None:
    """A board is one look at the vendor, not two that lie hours apart."""
    pages = Pages(vendor, day, refusal(503, "internal_error"))
    with pytest.raises(ProviderError):
        await schedule.refresh("SVG", day)
    await sql(
        "UPDATE schedule_boards SET pass_started_at = now() - interval '2 hours', retry_at = now()"
        " WHERE airport = 'SVG' AND local_date = :day",
        day=day,
    )
    await time_to_try_again(sql)
    pages.broken.clear()

    await schedule.refresh("SVG", day)

    assert pages.given == [0, 3, 0, 3, 6]


async def test_an_interrupted_fetch_is_resumed_without_a_user(vendor: Vendor, sql: Any, day: date) -> None:
    """Beat goes on with it, once the failure may be repeated."""
    pages = Pages(vendor, day, refusal(500, "internal_error"))
    with pytest.raises(ProviderError):
        await schedule.refresh("SVG", day)
    pages.broken.clear()

    async with db.transaction() as session:
        assert ("SVG", day) not in await boards.interrupted(session, 1000)
    await time_to_try_again(sql)
    async with db.transaction() as session:
        assert ("SVG", day) in await boards.interrupted(session, 1000)
    await schedule.keep_fresh(1000)

    assert pages.given == [0, 3, 6]
    assert await known(sql, "SVG", day) == NUMBERS


async def test_who_has_lost_the_lease_stores_nothing_more(vendor: Vendor, sql: Any, day: date) -> None:
    """The process slept between two pages, and another one took over."""
    await lose_the_lease_at(vendor, sql, day, offset=3)

    with pytest.raises(ProviderError, match="lease_lost"):
        await schedule.refresh("SVG", day)

    assert await known(sql, "SVG", day) == NUMBERS[:3]
    assert vendor.offsets() == [0, 3]
    assert (await board(sql, "SVG", day))["failure"] is None


async def test_not_even_the_last_page(vendor: Vendor, sql: Any, day: date) -> None:
    """It would put old flights beside the newer ones of whoever has the lease."""
    await lose_the_lease_at(vendor, sql, day, offset=6)

    with pytest.raises(ProviderError, match="lease_lost"):
        await schedule.refresh("SVG", day)

    assert await known(sql, "SVG", day) == NUMBERS[:6]
    assert (await board(sql, "SVG", day))["fetched_at"] is None


async def lose_the_lease_at(vendor: Vendor, sql: Any, day: date, offset: int) -> None:
    async def answer(_endpoint: str, params: Params) -> Answer:
        if params["offset"] == str(offset):
            await sql(
                "UPDATE schedule_boards SET lease_token = gen_random_uuid(), lease_until = now() + :lease"
                " WHERE airport = 'SVG' AND local_date = :day",
                day=day,
                lease=timedelta(seconds=40),
            )
        return page(ROWS, params)

    vendor.answer = answer


async def test_the_same_flight_on_two_pages_is_one_flight(vendor: Vendor, sql: Any, day: date) -> None:
    """Each page names other carriers that sell it, in whatever order."""
    marketing = [
        future(5000 + n, "SVG", "BGO", "10:00", "11:00", carrier=carrier, operated_as=("zz", 102))
        for n, carrier in enumerate(("ba", "lh", "af"))
    ]
    operating = future(102, "SVG", "BGO", "10:00", "11:00")
    vendor.rows = [marketing[0], ROWS[0], ROWS[1], operating, ROWS[3], marketing[1], ROWS[4], marketing[2]]

    await schedule.refresh("SVG", day)

    [flight] = await sql(
        "SELECT * FROM flights WHERE origin = 'SVG' AND departure_date = :day AND number = '102'", day=day
    )
    assert flight["codeshares"] == ["AF5002", "BA5000", "LH5001"]
    assert await known(sql, "SVG", day) == ["ZZ100", "ZZ101", "ZZ102", "ZZ103", "ZZ104"]
    assert vendor.offsets() == [0, 3, 6]
