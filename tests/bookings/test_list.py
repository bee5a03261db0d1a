"""The traveller's own bookings, page by page."""

from typing import Any

import pytest
import pytest_asyncio

from tests.support.client import Client
from tests.support.fleet import Fleet


@pytest_asyncio.fixture
async def pnrs(traveller: Client, fleet: Fleet) -> list[str]:
    """Five bookings, newest first."""
    offer = await fleet.offer(traveller, await fleet.flight())
    return [(await traveller.book(offer["id"])).body["pnr"] for _ in range(5)][::-1]


async def pages(traveller: Client, **params: Any) -> list[list[str]]:
    found, cursor = [], None
    while True:
        answer = await traveller.get("/bookings", cursor=cursor, **params)
        assert answer.status == 200, answer.body
        found.append([one["pnr"] for one in answer.body["data"]])
        cursor = answer.body["next_cursor"]
        if cursor is None:
            return found


async def test_without_bookings_the_list_is_empty(traveller: Client) -> None:
    """An empty page, not an error."""
    answer = await traveller.get("/bookings")

    assert answer.body == {"data": [], "next_cursor": None}
    assert answer.headers["Cache-Control"] == "no-store"


async def test_the_newest_comes_first(traveller: Client, pnrs: list[str]) -> None:
    """Each as it reads alone."""
    listed = (await traveller.get("/bookings")).body["data"]

    assert [one["pnr"] for one in listed] == pnrs
    assert listed[2] == (await traveller.get(f"/bookings/{pnrs[2]}")).body


@pytest.mark.parametrize(
    ("limit", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (4, [4, 1]), (5, [5]), (100, [5])]
)
async def test_pages_hold_every_booking_once(
    traveller: Client, pnrs: list[str], limit: int, sizes: list[int]
) -> None:
    """And the last page says that it is the last."""
    found = await pages(traveller, limit=limit)

    assert [len(page) for page in found] == sizes
    assert [pnr for page in found for pnr in page] == pnrs


async def test_a_booking_made_meanwhile_shifts_no_page(
    traveller: Client, pnrs: list[str], fleet: Fleet
) -> None:
    """A cursor is a position, not a count."""
    cursor = (await traveller.get("/bookings", limit=2)).body["next_cursor"]
    await traveller.book((await fleet.offer(traveller, await fleet.flight()))["id"])

    following = await traveller.get("/bookings", limit=2, cursor=cursor)

    assert [one["pnr"] for one in following.body["data"]] == pnrs[2:4]


async def test_only_bookings_in_one_state(traveller: Client, pnrs: list[str], fleet: Fleet) -> None:
    """Also page by page."""
    await fleet.run_out(pnrs[0], pnrs[3])

    assert await pages(traveller, status="expired", limit=1) == [[pnrs[0]], [pnrs[3]]]
    assert await pages(traveller, status="held") == [[pnrs[1], pnrs[2], pnrs[4]]]
    assert await pages(traveller, status="confirmed") == [[]]


@pytest.mark.parametrize(
    "cursor", ["", "x", "nonsense", "é", "LTE", "dHJ1ZQ", "W10", "OTIyMzM3MjAzNjg1NDc3NTgwOA", "MS41"]
)
async def test_a_cursor_that_is_not_ours_is_refused(traveller: Client, cursor: str) -> None:
    """Among them -1, true, [], 2**63 and 1.5 in our own encoding."""
    answer = await traveller.get("/bookings", cursor=cursor)

    assert (answer.status, answer.code) == (422, "validation_error")
    assert answer.body["errors"][0]["pointer"] == "cursor"


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"status": "HELD"}])
async def test_other_values_are_refused(traveller: Client, params: dict[str, Any]) -> None:
    """With the parameter's name."""
    answer = await traveller.get("/bookings", **params)

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, next(iter(params)))


async def test_a_cursor_shows_nobody_elses_bookings(traveller: Client, api: Client, pnrs: list[str]) -> None:
    """It holds a position, not a right."""
    cursor = (await traveller.get("/bookings", limit=2)).body["next_cursor"]
    stranger = await api.signed_up()

    assert (await stranger.get("/bookings", cursor=cursor)).body["data"] == []
