"""Tables that move while they are read, and vendors that cannot count: nothing is lost and nothing loops."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.jobs import reference, service
from app.providers import registry
from app.providers.base import ReferencePage
from tests.jobs.support import FakeSource, Jobs, airport

pytestmark = pytest.mark.usefixtures("reference_data")

TABLE = [airport(f"Q{a}{b}") for a in "YE" for b in "ABCDEFGH"]


Turn = Callable[[int, ReferencePage[Any]], ReferencePage[Any]]


class Turned(FakeSource):
    """A `FakeSource` whose pages become what a test likes."""

    def __init__(self, size: int, turn: Turn) -> None:
        super().__init__(TABLE, size)
        self.turn = turn

    async def page(self, offset: int) -> ReferencePage[Any]:
        return self.turn(offset, await super().page(offset))

    airports_page = airlines_page = page


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch, jobs: Jobs) -> Any:
    async def run(source: FakeSource) -> dict[str, Any]:
        monkeypatch.setattr(registry, "schedules", lambda: source)
        job_id = await jobs.ask("airports.sync")
        await service.run_due()
        return await jobs.row(job_id)

    return run


async def test_rows_inserted_while_the_table_is_read_come_once(synced: Any) -> None:
    """They push others onto the next page, which come a second time."""
    source = FakeSource(list(TABLE), size=4)

    async def insert(offset: int) -> None:
        if offset in (4, 12):
            source.records.insert(0, airport(f"QF{chr(65 + offset)}"))

    source.before_answer = insert
    job = await synced(source)

    assert (job["status"], job["result"]["added"], job["result"]["refused"]) == ("succeeded", len(TABLE), 0)


async def test_rows_removed_while_the_table_is_read_are_missing_and_stay(synced: Any, sql: Any) -> None:
    """What slips past is known from last time, and is not deleted for it."""
    await synced(FakeSource(list(TABLE), size=4))
    source = FakeSource(list(TABLE), size=4)

    async def remove(offset: int) -> None:
        if offset == 4:
            del source.records[0]

    source.before_answer = remove
    job = await synced(source)

    slipped = TABLE[4].iata
    assert (job["status"], job["result"]["unchanged"]) == ("succeeded", len(TABLE) - 1)
    assert await sql("SELECT 1 AS kept FROM airports WHERE iata = :iata", iata=slipped) == [{"kept": 1}]


@pytest.mark.parametrize("total", [None, 0, 3, 10_000])
async def test_a_wrong_total_is_only_shown(synced: Any, total: int | None) -> None:
    """Neither too early nor too late an end comes of it."""

    source = Turned(5, lambda _, page: replace(page, total=total))
    job = await synced(source)

    assert (job["result"]["added"], source.asked) == (len(TABLE), [0, 5, 10, 15])
    assert (job["done"], job["total"]) == (len(TABLE), len(TABLE))


async def test_a_page_that_comes_twice_is_no_end(synced: Any) -> None:
    """A cache in between may do that; what comes after it counts."""

    def stutter(offset: int, page: ReferencePage[Any]) -> ReferencePage[Any]:
        return replace(page, records=TABLE[0:4]) if offset == 4 else page

    job = await synced(Turned(4, stutter))

    assert (job["status"], job["result"]["added"]) == ("succeeded", len(TABLE) - 4)


async def test_a_vendor_that_repeats_itself_for_good_is_left(synced: Any) -> None:
    """It gives its last page again and again."""

    def never_end(offset: int, page: ReferencePage[Any]) -> ReferencePage[Any]:
        return replace(page, records=page.records or TABLE[-4:], next_offset=offset + 4)

    source = Turned(4, never_end)
    job = await synced(source)

    assert (job["status"], job["result"]["added"]) == ("succeeded", len(TABLE))
    assert len(source.asked) <= 8


async def test_a_vendor_that_ignores_the_offset_is_left(synced: Any) -> None:
    """One page is not the table that it has."""
    source = Turned(4, lambda offset, page: replace(page, records=TABLE[:4], next_offset=offset + 4))
    job = await synced(source)

    assert (job["status"], job["error"], len(source.asked)) == ("failed", "implausible", 4)


async def test_a_table_without_an_end_is_given_up(
    synced: Any, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At some page, with nothing changed."""
    monkeypatch.setattr(reference, "_MOST_PAGES", 6)

    def go_on(offset: int, page: ReferencePage[Any]) -> ReferencePage[Any]:
        return replace(page, records=[airport(f"QT{chr(65 + offset)}")], next_offset=offset + 1)

    source = Turned(2, go_on)
    job = await synced(source)

    assert (job["status"], job["error"], len(source.asked)) == ("failed", "endless", 6)
    assert await sql("SELECT 1 FROM airports WHERE iata = 'QTA'") == []


async def test_pages_of_which_nothing_can_be_read_are_passed_over(synced: Any) -> None:
    """Many airlines have no designator, and fill whole pages."""

    def leave_holes(offset: int, page: ReferencePage[Any]) -> ReferencePage[Any]:
        return replace(page, records=[], dropped=2) if 0 < offset < 11 else page

    job = await synced(Turned(2, leave_holes))

    assert (job["status"], job["result"]["dropped"], job["result"]["added"]) == ("succeeded", 10, 6)


async def test_of_two_records_with_one_code_the_sensible_one_counts(synced: Any, sql: Any) -> None:
    """Also if it comes on a later page; between sensible ones the first."""
    twice = [airport("QEX", time_zone="Mars/Base"), *TABLE, airport("QEX", name="Good"), airport("QEX")]

    job = await synced(FakeSource(twice, size=4))

    assert job["result"]["refused"] == 0
    assert await sql("SELECT name FROM airports WHERE iata = 'QEX'") == [{"name": "Good"}]
