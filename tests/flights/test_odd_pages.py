"""Whatever the vendor says of its pages, every row is read and no fetch goes on for ever."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from app.flights import schedule
from app.providers.aviationstack.client import AviationStack
from app.providers.base import ProviderError
from tests.flights.support import board
from tests.providers.vendor import Answer, Params, Reply, Vendor, future, page, refusal
from tests.support.client import in_days

ROWS = [future(200 + n, "HAU", "BGO", f"{6 + n:02}:00", f"{7 + n:02}:00") for n in range(9)]
SIZE = 4


@pytest.fixture(autouse=True)
def small_pages(page_size: Callable[[int], None]) -> None:
    page_size(SIZE)


async def read(day: date) -> list[str]:
    """The numbers of a board's flights, in the order in which they came."""
    source = AviationStack().departures("HAU", day, today=in_days(0))
    return [flight.number for one in [page async for page in source] for flight in one.flights]


def numbers(rows: list[dict[str, Any]]) -> list[str]:
    return [row["flight"]["number"] for row in rows]


@pytest.mark.parametrize("total", [None, 0, 1, 3, 9, 10, 10_000, 10**9, "9", -1, 4.5, True])
async def test_the_total_is_not_believed(vendor: Vendor, day: date, total: Any) -> None:
    """It is capped, wrong, text or nothing; at most one call finds out that there is no more."""
    vendor.says(lambda _, params: page(ROWS, params, total=total))

    assert await read(day) == numbers(ROWS)
    assert vendor.offsets() in ([0, 4, 8], [0, 4, 8, 9])


@pytest.mark.parametrize("rows", [0, 1, 4, 8])
async def test_a_board_may_end_with_a_full_page(vendor: Vendor, day: date, rows: int) -> None:
    """Then the next one is empty."""
    vendor.says(lambda _, params: page(ROWS[:rows], params, total=None))

    assert await read(day) == numbers(ROWS[:rows])
    assert len(vendor.asked) == rows // SIZE + 1


@pytest.mark.parametrize(
    "beyond",
    [
        refusal(404, "404_not_found"),
        refusal(400, "validation_error", context={"offset": [{"key": "invalid_offset"}]}),
        Reply(404, b"<h1>Not Found</h1>"),
    ],
)
async def test_an_offset_beyond_the_end_may_be_refused(vendor: Vendor, day: date, beyond: Answer) -> None:
    """The board is complete all the same."""
    vendor.says(lambda _, p: page(ROWS[:8], p, total=None) if int(p["offset"]) < 8 else beyond)

    assert await read(day) == numbers(ROWS[:8])
    assert vendor.offsets() == [0, 4, 8]


async def test_a_refused_first_page_is_no_empty_board(vendor: Vendor, day: date) -> None:
    """Nothing came before it."""
    vendor.says(lambda *_: refusal(404, "404_not_found"))

    with pytest.raises(ProviderError, match="refused"):
        await read(day)


@pytest.mark.parametrize("pagination", [None, [], "1", {}, {"limit": None, "offset": None}, {"limit": "4"}])
async def test_the_pagination_may_be_missing(vendor: Vendor, day: date, pagination: Any) -> None:
    """Or null in parts, as it is where nobody asked for a limit."""
    vendor.says(lambda _, params: page(ROWS, params) | {"pagination": pagination})

    assert await read(day) == numbers(ROWS)


@pytest.mark.parametrize("most", [1, 3])
async def test_a_vendor_may_give_less_than_was_asked_for(vendor: Vendor, day: date, most: int) -> None:
    """It says so, and the next page begins where this one ended."""
    vendor.says(lambda _, params: page(ROWS, params | {"limit": str(most)}))

    assert await read(day) == numbers(ROWS)
    assert vendor.offsets()[:3] == [0, most, 2 * most]


async def test_a_vendor_may_give_less_and_say_nothing(vendor: Vendor, day: date) -> None:
    """As long as the total says that there is more."""
    vendor.says(lambda _, params: page(ROWS, params | {"limit": "3"}, limit=4))

    assert await read(day) == numbers(ROWS)


async def test_a_page_that_is_longer_than_asked_for_skips_nothing(vendor: Vendor, day: date) -> None:
    """Rows come twice then, which makes no second flight."""
    vendor.says(lambda _, params: page(ROWS, params | {"limit": "6"}, limit=4))

    assert list(dict.fromkeys(await read(day))) == numbers(ROWS)
    assert len(vendor.asked) <= 4


async def test_an_offset_that_is_ignored_ends_the_fetch(vendor: Vendor, sql: Any, day: date) -> None:
    """The first page again and again: it is read once more, and that is the board."""
    vendor.says(lambda _, params: page(ROWS, params | {"offset": "0"}))

    await schedule.refresh("HAU", day)

    assert vendor.offsets() == [0, 4]
    assert (await board(sql, "HAU", day))["fetched_at"] is not None


async def test_pages_without_end_are_given_up(vendor: Vendor, day: date) -> None:
    """Every page is new and full; a board has no more than a hundred."""
    vendor.says(lambda _, p: {"data": [future(int(p["offset"]) + n + 1, "HAU", "BGO") for n in range(SIZE)]})

    with pytest.raises(ProviderError, match="endless"):
        await read(day)

    assert len(vendor.asked) == 100


@hypothesis(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.lists(st.integers(0, 8), unique=True),
    moves=st.lists(st.integers(-3, 3), min_size=12, max_size=12),
    total=st.none() | st.integers(0, 12),
)
async def test_rows_that_move_between_pages_never_stop_the_fetch(
    vendor: Vendor, day: date, before: list[int], moves: list[int], total: int | None
) -> None:
    """Rows are added and removed while pages are read: some come twice, none is invented, and it ends."""
    vendor.asked.clear()

    def answer(_: str, params: Params) -> Answer:
        drift = sum(moves[: len(vendor.asked)])
        rows = [ROWS[n] for n in before]
        shifted = [future(900 + n, "HAU", "BGO") for n in range(drift)] + rows[max(0, -drift) :]
        return page(shifted, params, total=total)

    vendor.says(answer)

    found = await read(day)

    assert set(found) <= {ROWS[n]["flight"]["number"] for n in before} | {str(900 + n) for n in range(40)}
    assert len(vendor.asked) <= 100


async def test_a_row_that_moves_to_the_next_page_is_one_flight(vendor: Vendor, sql: Any, day: date) -> None:
    """A flight was added at the front between two pages; the last row of the first page comes again."""

    def answer(_: str, params: Params) -> Answer:
        return page(ROWS if params["offset"] == "0" else [future(199, "HAU", "BGO"), *ROWS], params)

    vendor.says(answer)

    await schedule.refresh("HAU", day)

    stored = await sql(
        "SELECT number FROM flights WHERE origin = 'HAU' AND departure_date = :day ORDER BY number", day=day
    )
    assert [row["number"] for row in stored] == numbers(ROWS)


async def test_rows_of_other_airports_and_days_are_left_out(vendor: Vendor, day: date) -> None:
    """The vendor passes over parameters it does not know, and knows cities by airports' codes."""
    elsewhere = future(301, "BGO", "HAU")
    tomorrow = future(302, "HAU", "BGO", f"{day + timedelta(days=1)} 10:00:00")
    dated = future(303, "HAU", "BGO", f"{day} 10:00:00", f"{day} 11:00:00")
    vendor.rows = [elsewhere, tomorrow, dated]

    assert await read(day) == ["303"]
