"""Which dates the vendor publishes is learned from its refusals, so that each costs one call a day at most."""

from datetime import timedelta
from typing import Any

import pytest

from app.flights import schedule
from app.providers import governor
from app.providers.aviationstack.client import AviationStack
from app.providers.base import DateNotOffered, ProviderError
from tests.flights.pattern import AIRPORT, search, window
from tests.flights.support import board, calls
from tests.support.client import Client, Sandbox, in_days

pytestmark = pytest.mark.usefixtures("nothing_known")


async def known_window() -> dict[str, Any]:
    found = await governor.endpoint("aviationstack", "flightsFuture")
    assert found is not None
    return found


async def test_what_the_vendor_said_of_its_window_is_remembered_for_the_day(
    api: Client, sandbox: Sandbox
) -> None:
    """No other date before it costs a refused call, of no airport."""
    await window(sandbox, "week_ahead_on")
    await search(api, in_days(4))
    await sandbox.control("DELETE", "/journal")

    for ahead in (2, 3, 5):
        answer = await search(api, in_days(ahead))
        assert (answer.status, answer.body["meta"]["projected"]) == (200, True)
        assert await calls(sandbox, AIRPORT, in_days(ahead)) == 0
    assert sum((await sandbox.calls()).values()) == 3


@pytest.mark.parametrize(("days_ago", "refused_unasked"), [(0, 7), (1, 8), (2, None), (-1, None)])
async def test_the_window_moves_on_with_the_days(
    sandbox: Sandbox, sql: Any, days_ago: int, refused_unasked: int | None
) -> None:
    """What was said yesterday holds a day later; what is older is asked again."""
    await window(sandbox, "week_ahead_on")
    await schedule.refresh(AIRPORT, in_days(4))
    await sql(
        "UPDATE provider_endpoints SET window_seen_on = window_seen_on - CAST(:ago AS int)", ago=days_ago
    )

    last = in_days(refused_unasked or 7)
    await schedule.refresh(AIRPORT, last)
    await schedule.refresh(AIRPORT, last + timedelta(days=1))

    assert await calls(sandbox, AIRPORT, last) == (0 if refused_unasked else 1)
    assert await calls(sandbox, AIRPORT, last + timedelta(days=1)) == 1
    assert (await board(sql, AIRPORT, last))["source"] == "projection"
    assert (await board(sql, AIRPORT, last + timedelta(days=1)))["source"] == "aviationstack"


async def test_both_ends_of_a_window_are_learned(sandbox: Sandbox) -> None:
    """One refusal names one of them; the other stays if it was heard today."""
    await window(sandbox, "week_only")
    for ahead in (60, 70):
        with pytest.raises(ProviderError, match="date_not_offered"):
            await schedule.refresh(AIRPORT, in_days(ahead))
    assert (await known_window())["last_date"] == in_days(7)
    await governor.learn_window("aviationstack", "flightsFuture", in_days(0), in_days(2), None)

    learned = await known_window()

    assert (learned["first_date"], learned["last_date"]) == (in_days(2), in_days(7))
    assert await sandbox.calls() == {"/v1/flightsFuture": 1}
    await governor.learn_window("aviationstack", "flightsFuture", in_days(1), None, in_days(9))
    assert (await known_window())["first_date"] is None


@pytest.mark.parametrize("there", [-1, 0, 1])
async def test_the_vendor_counts_from_its_own_day(sandbox: Sandbox, there: int) -> None:
    """Whether it is still yesterday at the airport that was asked for, or tomorrow already."""
    await window(sandbox, "week_ahead_on")
    source, around = AviationStack(), [in_days(ahead) for ahead in (-1, 0, 1)]
    with pytest.raises(DateNotOffered):
        await anext(source.departures(AIRPORT, in_days(7), today=in_days(there)))

    for today in around:
        with pytest.raises(DateNotOffered):
            await anext(source.departures(AIRPORT, in_days(7), today=today))
        assert (await anext(source.departures(AIRPORT, in_days(8), today=today))).flights

    assert [await calls(sandbox, AIRPORT, in_days(ahead)) for ahead in (7, 8)] == [1, 3]
