"""What is published counts more than a pattern, and an operator's own schedule more than both."""

from datetime import timedelta
from typing import Any

import pytest

from app.core import db
from app.flights import schedule, store
from app.providers.base import FlightRecord, Movement, ProviderError
from tests.flights.pattern import AIRPORT, OTHER, assert_true, departures, search, window
from tests.flights.support import age, at, board, until
from tests.support.client import Client, Sandbox, in_days

pytestmark = pytest.mark.usefixtures("nothing_known")


async def test_what_is_published_replaces_what_was_projected(api: Client, sandbox: Sandbox, sql: Any) -> None:
    """And a projected flight that nobody publishes has gone at once."""
    day, pattern = in_days(4), in_days(11)
    departs = at(AIRPORT, pattern, "10:00")
    await sandbox.flight(AIRPORT, OTHER, departs, departs + timedelta(minutes=55), number="9850")
    await window(sandbox, "week_ahead_on")
    await search(api, day)
    assert "ZZ9850" in await departures(sql, day)
    await window(sandbox, "tomorrow_to_year")
    await sql("DELETE FROM provider_endpoints")
    await age(sql, AIRPORT, day)

    await search(api, day)

    async def published() -> bool:
        return bool((await board(sql, AIRPORT, day))["source"] == "aviationstack")

    await until(published)
    answer = await search(api, day)
    assert (answer.body["meta"]["projected"], answer.body["meta"]["stale"]) == (False, False)
    assert {row["schedule_source"] for row in (await departures(sql, day)).values()} == {"aviationstack"}
    await assert_true(sandbox, sql, day)
    gone = (await api.get(f"/flights/ZZ9850-{day:%Y%m%d}-{AIRPORT}")).body
    assert gone["status"] == "unknown"
    noted = await sql(
        "SELECT materiality FROM flight_changes c JOIN flights f ON f.id = flight_id"
        " WHERE f.number = '9850' AND f.origin = :airport",
        airport=AIRPORT,
    )
    assert [row["materiality"] for row in noted] == ["withdrawn"]


async def test_a_published_board_is_never_projected(sandbox: Sandbox, sql: Any) -> None:
    """The vendor no longer offers the date; what it said when it did is kept, as old as it is."""
    day = in_days(4)
    await schedule.refresh(AIRPORT, day)
    published = await departures(sql, day)
    await window(sandbox, "week_ahead_on")
    await age(sql, AIRPORT, day)

    with pytest.raises(ProviderError, match="date_not_offered"):
        await schedule.refresh(AIRPORT, day)

    assert await departures(sql, day) == published
    assert (await board(sql, AIRPORT, day))["source"] == "aviationstack"


async def test_an_operators_own_flight_is_never_projected_over(sandbox: Sandbox, sql: Any) -> None:
    """Neither its times nor its status, nor who vouches for it."""
    day, pattern = in_days(4), in_days(11)
    departs = at(AIRPORT, pattern, "10:00")
    await sandbox.flight(AIRPORT, OTHER, departs, departs + timedelta(minutes=55), number="9851")
    own = FlightRecord(
        "ZZ",
        "9851",
        Movement(AIRPORT, at(AIRPORT, day, "12:00").replace(tzinfo=None)),
        Movement(OTHER, at(AIRPORT, day, "13:00").replace(tzinfo=None)),
        status="cancelled",
    )
    async with db.transaction() as session:
        await store.keep(session, [own], "import")
    before = (await departures(sql, day))["ZZ9851"]
    await window(sandbox, "week_ahead_on")

    await schedule.refresh(AIRPORT, day)

    projected = await departures(sql, day)
    assert len(projected) > 1
    kept = ("departs_at", "arrives_at", "status", "source", "schedule_source", "observed_at")
    assert {name: projected["ZZ9851"][name] for name in kept} == {name: before[name] for name in kept}
