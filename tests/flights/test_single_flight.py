"""However many ask at once, in however many processes, the provider is asked once."""

import asyncio
import uuid
from typing import Any

import pytest

from tests.flights.support import board, calls, until
from tests.support.client import Client, Sandbox, in_days


@pytest.fixture
def both(api: Client, second_api: str) -> list[Client]:
    return [api, Client(api.session, second_api)]


async def test_sixty_equal_searches_in_two_processes_are_one_call(
    both: list[Client], sandbox: Sandbox
) -> None:
    """On a cold cache, while the provider takes its time."""
    day = in_days(230)
    await sandbox.fault("slow", delay_seconds=0.3)

    answers = await asyncio.gather(*(both[i % 2].search("FAE", "KEF", day) for i in range(60)))

    assert {answer.status for answer in answers} == {200}
    assert await calls(sandbox, "FAE", day) == 1
    assert {(a.body["meta"]["total"], a.body["meta"]["fetched_at"]) for a in answers} == {
        (answers[0].body["meta"]["total"], answers[0].body["meta"]["fetched_at"])
    }


async def test_different_questions_about_one_board_share_the_call(
    both: list[Client], sandbox: Sandbox
) -> None:
    """Other destinations, cabins and pages: the board is what is fetched."""
    day = in_days(231)
    await sandbox.fault("slow", delay_seconds=0.3)
    questions = [("KEF", {"limit": i + 1}) for i in range(30)] + [
        ("CPH", {"adults": i % 9 + 1}) for i in range(30)
    ]

    answers = await asyncio.gather(
        *(both[i % 2].search("FAE", to, day, **asked) for i, (to, asked) in enumerate(questions))
    )

    assert {answer.status for answer in answers} == {200}
    assert await calls(sandbox, "FAE", day) == 1


async def test_a_failure_is_shared_as_well(both: list[Client], sandbox: Sandbox) -> None:
    """Everybody hears of it; nobody asks again at once."""
    day = in_days(232)
    await sandbox.fault("rate_limited")

    answers = await asyncio.gather(
        *(both[i % 2].search("FAE", "KEF", day, limit=i % 5 + 1) for i in range(60))
    )

    assert {answer.status for answer in answers} == {503}
    assert await calls(sandbox, "FAE", day) == 1


async def test_an_aged_board_is_renewed_once(both: list[Client], sandbox: Sandbox, sql: Any) -> None:
    """By one process, while both serve what they have."""
    day = in_days(233)
    await both[0].search("FAE", "KEF", day)
    await sql(
        "UPDATE schedule_boards SET fresh_until = now() WHERE airport = 'FAE' AND local_date = :day", day=day
    )
    await sandbox.fault("slow", delay_seconds=1.5)

    answers = await asyncio.gather(
        *(both[i % 2].search("FAE", "KEF", day, limit=i % 50 + 30) for i in range(60))
    )

    assert {answer.body["meta"]["stale"] for answer in answers} == {True}

    async def renewed() -> bool:
        return bool((await board(sql, "FAE", day))["fresh"])

    await until(renewed)
    assert await calls(sandbox, "FAE", day) == 2


async def leased(sql: Any, airport: str, day: Any, seconds: float) -> None:
    """A process took the lease of a board that nobody has fetched, and died."""
    await sql(
        "INSERT INTO schedule_boards (airport, local_date, lease_token, lease_until)"
        " VALUES (:airport, :day, :token, now() + make_interval(secs => :seconds))",
        airport=airport,
        day=day,
        token=uuid.uuid4(),
        seconds=seconds,
    )


async def test_an_expired_lease_is_taken_over(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """At once."""
    day = in_days(234)
    await leased(sql, "FAE", day, -1.0)

    assert (await api.search("FAE", "KEF", day)).status == 200
    assert await calls(sandbox, "FAE", day) == 1


async def test_a_running_lease_is_waited_for_and_then_taken_over(
    api: Client, sandbox: Sandbox, sql: Any
) -> None:
    """Not before it has run out."""
    day = in_days(235)
    await leased(sql, "FAE", day, 0.5)

    search = asyncio.create_task(api.search("FAE", "KEF", day))
    await asyncio.sleep(0.2)
    assert await calls(sandbox, "FAE", day) == 0

    assert (await search).status == 200
    assert await calls(sandbox, "FAE", day) == 1
    assert (await board(sql, "FAE", day))["lease_token"] is None


async def test_an_airport_without_flights_is_asked_for_once(api: Client, sandbox: Sandbox) -> None:
    """It exists, and nobody flies there."""
    day = in_days(236)

    first = await api.search("GBI", "FAE", day)
    second = await api.search("GBI", "FAE", day, limit=5)

    assert (first.status, first.body["data"], first.body["meta"]["stale"]) == (200, [], False)
    assert second.body["meta"]["fetched_at"] == first.body["meta"]["fetched_at"]
    assert await calls(sandbox, "GBI", day) == 1
