"""A hundred people want the same at once, in two processes, and nobody has asked before: that is one call."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flights.support import calls
from tests.support import stack
from tests.support.client import Client, Sandbox, in_days


@pytest.fixture(scope="module")
def new_process() -> Iterator[str]:
    """An API process that nobody has asked anything yet."""
    with stack.api_process() as address:
        yield address


@pytest.fixture
def both(api: Client, new_process: str) -> list[Client]:
    """One that has been at work for a while, and the new one."""
    return [api, Client(api.session, new_process)]


async def test_a_hundred_equal_searches_are_one_call(both: list[Client], sandbox: Sandbox, sql: Any) -> None:
    """While the vendor takes its time; one call is paid for as well."""
    day = in_days(275)
    await sandbox.fault("slow", delay_seconds=0.5)
    [before] = await sql("SELECT coalesce(sum(spent), 0) AS calls FROM provider_budgets")

    answers = await asyncio.gather(*(both[n % 2].search("RIX", "LHR", day) for n in range(100)))

    [after] = await sql("SELECT coalesce(sum(spent), 0) AS calls FROM provider_budgets")
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["meta"]["fetched_at"] for answer in answers}) == 1
    assert {answer.body["meta"]["total"] for answer in answers} == {answers[0].body["meta"]["total"]}
    assert await calls(sandbox, "RIX", day) == 1
    assert sum((await sandbox.calls()).values()) == 1
    assert after["calls"] - before["calls"] == 1


async def test_what_one_process_has_learned_the_other_knows(both: list[Client], sandbox: Sandbox) -> None:
    """A pause, for one: the second process does not find out for itself."""
    await sandbox.fault("rate_limited")

    answers = [await one.search("VNO", "CPH", in_days(276 + n)) for n, one in enumerate(both)]

    assert {(answer.status, answer.code) for answer in answers} == {(503, "provider_unavailable")}
    assert await sandbox.calls() == {"/v1/flightsFuture": 1}
