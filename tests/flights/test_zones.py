"""When a government moves its clocks, flights to come leave at the same reading and at another instant."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.airports.service import Directory, directory
from app.core import db
from app.core.db import Row
from app.flights import repository, store, zones
from app.providers.base import FlightRecord, Movement
from tests.support.client import in_days

HERE, THERE = "LDH", "NLK"
ZONE = "Australia/Lord_Howe"


@pytest.fixture(autouse=True)
async def two_airports(address: str, sql: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two islands, and nobody else's zones: to look at all of the world's takes a while."""
    islands = Directory([directory().find(iata) for iata in (HERE, THERE)])
    monkeypatch.setattr(zones, "directory", lambda: islands)
    flights = "SELECT id FROM flights WHERE origin IN ('LDH', 'NLK')"
    await sql(f"DELETE FROM flight_changes WHERE flight_id IN ({flights})")
    await sql(f"DELETE FROM flights WHERE id IN ({flights})")
    await zones.recompute()


async def timetable(days: int, first: int = 30) -> None:
    """A flight out and one back on so many days."""
    records = []
    for ahead in range(first, first + days):
        noon = datetime.combine(in_days(ahead), datetime.min.time()) + timedelta(hours=12)
        for number, (origin, to) in enumerate([(HERE, THERE), (THERE, HERE)], 1):
            landing = noon + timedelta(hours=2 if origin == HERE else 1)
            records.append(FlightRecord("ZZ", str(number), Movement(origin, noon), Movement(to, landing)))
    async with db.transaction() as session:
        assert (await store.keep(session, records, "import")).stored == 2 * days


async def flights(sql: Any) -> list[Row]:
    found: list[Row] = await sql("SELECT * FROM flights WHERE origin IN ('LDH', 'NLK') ORDER BY id")
    return found


async def computed_by_older_rules(sql: Any) -> None:
    """As if the zone had been half an hour behind when instants were last computed."""
    await sql("UPDATE zone_rules SET fingerprint = 'older' WHERE time_zone = :zone", zone=ZONE)
    await sql(
        """
        UPDATE flights SET departs_at = departs_at + CASE WHEN origin = 'LDH' THEN interval '30 minutes' ELSE '0' END,
            arrives_at = arrives_at + CASE WHEN destination = 'LDH' THEN interval '30 minutes' ELSE '0' END
        WHERE 'LDH' IN (origin, destination)
        """
    )


async def changes(sql: Any) -> list[Row]:
    found: list[Row] = await sql(
        "SELECT c.*, f.origin FROM flight_changes c JOIN flights f ON f.id = c.flight_id"
        " WHERE f.origin IN ('LDH', 'NLK') ORDER BY c.id"
    )
    return found


async def test_instants_follow_the_new_rules_and_readings_stay(sql: Any) -> None:
    """Departures of the zone, and arrivals; each change is noted with what it was and is."""
    await timetable(1)
    right = await flights(sql)
    await computed_by_older_rules(sql)
    wrong = await flights(sql)

    assert await zones.recompute() == 2

    assert await flights(sql) == right
    noted = {change["origin"]: change for change in await changes(sql)}
    assert noted.keys() == {HERE, THERE}
    for change, before, after in zip(noted.values(), wrong, right, strict=True):
        assert change["materiality"] == "notable"
        for end in ("departs_at", "arrives_at"):
            assert change["before"][end] == before[end].strftime("%Y-%m-%dT%H:%M:%SZ")
            assert change["after"][end] == after[end].strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_it_is_done_once(sql: Any) -> None:
    """The new rules are kept, and the next run finds nothing to do."""
    await timetable(1)
    await computed_by_older_rules(sql)
    await zones.recompute()

    assert await zones.recompute() == 0

    assert len(await changes(sql)) == 2


async def test_where_nothing_has_changed_nothing_moves(sql: Any) -> None:
    """Not a row is written."""
    await timetable(2)
    before = await sql(
        "SELECT id, xmin::text AS written FROM flights WHERE origin IN ('LDH', 'NLK') ORDER BY id"
    )

    assert await zones.recompute() == 0

    after = await sql(
        "SELECT id, xmin::text AS written FROM flights WHERE origin IN ('LDH', 'NLK') ORDER BY id"
    )
    assert (after, await changes(sql)) == (before, [])


async def test_a_zone_that_is_seen_for_the_first_time_moves_nothing(sql: Any) -> None:
    """It only becomes known."""
    await timetable(1)
    await computed_by_older_rules(sql)
    before = await flights(sql)
    await sql("DELETE FROM zone_rules WHERE time_zone = :zone", zone=ZONE)

    assert await zones.recompute() == 0

    assert await flights(sql) == before


async def test_rules_that_change_where_nobody_flies_then_move_nothing(sql: Any) -> None:
    """Another fingerprint is a reason to look, not to write."""
    await timetable(1)
    await sql("UPDATE zone_rules SET fingerprint = 'older' WHERE time_zone = :zone", zone=ZONE)

    assert await zones.recompute() == 0
    assert await changes(sql) == []


async def test_flights_that_have_left_stay_as_they_were(sql: Any) -> None:
    """History is not rewritten."""
    await timetable(1, first=-3)
    await computed_by_older_rules(sql)
    before = await flights(sql)

    assert await zones.recompute() == 0

    assert await flights(sql) == before


async def test_a_run_that_is_killed_is_completed_by_the_next(
    sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had moved is not moved or told again; the rules are kept last."""
    await timetable(5)
    right = await flights(sql)
    await computed_by_older_rules(sql)
    monkeypatch.setattr(zones, "_BATCH", 3)
    add, done = repository.add_changes, []

    async def killed(session: db.Session, found: list[Row]) -> None:
        if len(done) == 2:
            raise RuntimeError("killed here")
        done.append(len(found))
        await add(session, found)

    with monkeypatch.context() as patch:
        patch.setattr(repository, "add_changes", killed)
        with pytest.raises(RuntimeError, match="killed"):
            await zones.recompute()
    assert (done, len(await changes(sql))) == ([3, 3], 6)
    assert await flights(sql) != right

    assert await zones.recompute() == 4

    assert await flights(sql) == right
    assert len(await changes(sql)) == len({change["flight_id"] for change in await changes(sql)}) == 10


async def test_an_airport_that_is_given_another_zone_moves_alone(sql: Any) -> None:
    """Somebody has corrected the airport, not the zone."""
    await timetable(1)
    right = await flights(sql)
    await zones.recompute()
    await computed_by_older_rules(sql)
    await sql("UPDATE airports SET updated_at = now() WHERE iata = :here", here=HERE)

    assert await zones.recompute() == 2

    assert await flights(sql) == right
    assert await zones.recompute() == 0


@pytest.mark.parametrize("zone", ["Europe/Oslo", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
def test_a_fingerprint_is_of_the_rules_not_of_the_moment(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same all year, another one only for other rules."""
    place, seen = zones.ZoneInfo(zone), set()
    for now in (date(2026, 1, 1), date(2026, 7, 1), date(2026, 12, 31)):
        moment = datetime.combine(now, datetime.min.time(), UTC)
        monkeypatch.setattr(zones.clock, "now", lambda moment=moment: moment)
        seen.add(zones.fingerprint(place))

    assert len(seen) == 1
    assert seen != {zones.fingerprint(zones.ZoneInfo("Asia/Tehran"))}
