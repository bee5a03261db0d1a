"""A flight that two complete boards in a row do not list has gone; one board proves nothing."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

import pytest

from app.core import db
from app.flights import schedule, store
from app.providers.aviationstack import records
from app.providers.base import ProviderError
from tests.flights.support import age, time_to_try_again
from tests.providers.vendor import Vendor, future, page, refusal
from tests.support.client import Client

ROWS = [future(400 + n, "AES", "BGO", f"{8 + n:02}:00", f"{9 + n:02}:00") for n in range(12)]


class Board:
    """One airport's board, whose publication a test decides."""

    def __init__(self, vendor: Vendor, sql: Any, day: date) -> None:
        self.vendor, self.sql, self.day = vendor, sql, day

    async def lists(self, *numbers: int) -> None:
        """The vendor publishes these flights, and the board is fetched."""
        self.vendor.rows = [row for row in ROWS if int(row["flight"]["number"]) in numbers]
        await age(self.sql, "AES", self.day)
        await schedule.refresh("AES", self.day)

    async def changes(self) -> list[tuple[str, str]]:
        """What was noted of the day's flights, in order."""
        found = await self.sql(
            """
            SELECT f.number, c.materiality FROM flight_changes c JOIN flights f ON f.id = c.flight_id
            WHERE f.origin = 'AES' AND f.departure_date = :day ORDER BY c.id
            """,
            day=self.day,
        )
        return [(row["number"], row["materiality"]) for row in found]

    async def on_sale(self, api: Client) -> set[str]:
        self.asked = getattr(self, "asked", 100) - 1
        answer = await api.search("AES", "BGO", self.day, limit=self.asked)
        assert answer.status == 200, answer.body
        return {offer["slices"][0]["segments"][0]["flight_number"] for offer in answer.body["data"]}

    async def status(self, api: Client, number: int) -> str:
        flight = (await api.get(f"/flights/ZZ{number}-{self.day:%Y%m%d}-AES")).body
        shown: str = flight["status"]
        return shown


@pytest.fixture
def listed(vendor: Vendor, sql: Any, day: date) -> Board:
    return Board(vendor, sql, day)


async def test_two_boards_without_a_flight_withdraw_it(api: Client, listed: Board) -> None:
    """It is not sold any more and nothing is known of it; who has booked it hears of it, once."""
    await listed.lists(400, 401, 402)

    await listed.lists(400, 402)
    assert await listed.status(api, 401) == "scheduled"
    assert await listed.changes() == []

    await listed.lists(400, 402)
    assert await listed.status(api, 401) == "unknown"
    assert await listed.on_sale(api) == {"ZZ400", "ZZ402"}
    assert await listed.changes() == [("401", "withdrawn")]

    await listed.lists(400, 402)
    assert await listed.changes() == [("401", "withdrawn")]


async def test_one_board_without_it_does_not(api: Client, listed: Board) -> None:
    """Rows drift between pages; the count begins anew when it is seen."""
    await listed.lists(400, 401)
    for _ in range(3):
        await listed.lists(400)
        await listed.lists(400, 401)

    assert await listed.status(api, 401) == "scheduled"
    assert await listed.on_sale(api) == {"ZZ400", "ZZ401"}
    assert await listed.changes() == []


async def test_a_flight_that_comes_back_is_sold_again(api: Client, listed: Board) -> None:
    """Under the same id, and those who were told that it had gone are told that it is back."""
    await listed.lists(400, 401)
    await listed.lists(400)
    await listed.lists(400)

    await listed.lists(400, 401)

    assert await listed.status(api, 401) == "scheduled"
    assert await listed.on_sale(api) == {"ZZ400", "ZZ401"}
    assert await listed.changes() == [("401", "withdrawn"), ("401", "reinstated")]


async def test_an_empty_board_withdraws_nothing(api: Client, listed: Board) -> None:
    """However often it comes: that is an outage, not a schedule."""
    await listed.lists(400, 401, 402, 403, 404)
    for _ in range(3):
        with suppress(ProviderError):
            await listed.lists()

    assert await listed.status(api, 401) == "scheduled"
    assert await listed.changes() == []


async def test_a_board_that_has_lost_more_than_half_withdraws_nothing(api: Client, listed: Board) -> None:
    """That is a fault of whoever made it, until the rest comes back."""
    await listed.lists(*range(400, 412))
    for _ in range(3):
        await listed.lists(400, 401, 402)

    assert len(await listed.on_sale(api)) == 12
    assert await listed.changes() == []


async def test_an_interrupted_board_withdraws_nothing(
    api: Client, listed: Board, page_size: Callable[[int], None]
) -> None:
    """What was not read is not missing."""
    await listed.lists(400, 401, 402, 403)
    page_size(2)
    listed.vendor.says(
        lambda _, p: page(ROWS[:4], p) if p["offset"] == "0" else refusal(500, "internal_error")
    )
    for _ in range(3):
        await age(listed.sql, "AES", listed.day)
        await time_to_try_again(listed.sql)
        with pytest.raises(ProviderError):
            await schedule.refresh("AES", listed.day)

    assert await listed.status(api, 403) == "scheduled"
    assert await listed.changes() == []


async def test_a_board_that_was_read_in_two_goes_lists_what_both_have_read(
    api: Client, listed: Board, page_size: Callable[[int], None]
) -> None:
    """The first pages of an interrupted fetch count as seen."""
    await listed.lists(400, 401, 402, 403)
    page_size(2)
    for _ in range(2):
        listed.vendor.says(
            lambda _, p: page(ROWS[:4], p) if p["offset"] == "0" else refusal(500, "internal_error")
        )
        await age(listed.sql, "AES", listed.day)
        with pytest.raises(ProviderError):
            await schedule.refresh("AES", listed.day)
        await time_to_try_again(listed.sql)
        listed.vendor.says(lambda _, p: page(ROWS[:4], p))
        await schedule.refresh("AES", listed.day)

    assert await listed.on_sale(api) == {"ZZ400", "ZZ401", "ZZ402", "ZZ403"}
    assert await listed.changes() == []


async def test_an_operators_own_flight_is_never_withdrawn_by_a_board(api: Client, listed: Board) -> None:
    """The vendor does not know every airline."""
    own = records.future_flights([ROWS[4]], listed.day)
    async with db.transaction() as session:
        await store.keep(session, own, "import")

    for _ in range(3):
        await listed.lists(400)

    assert await listed.on_sale(api) == {"ZZ400", "ZZ404"}
    assert await listed.changes() == []
