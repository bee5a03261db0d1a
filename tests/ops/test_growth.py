"""No table grows for ever unnoticed: each is in the guide, and what the guide says is dropped is dropped."""

import re
import uuid
from collections import Counter
from datetime import timedelta
from inspect import unwrap
from typing import Any

from app.core import clock
from app.core.db import Base
from app.flights import tasks as flights
from app.ops import tasks
from tests.privacy import test_holdings  # noqa: F401  It makes every feature's tables known.
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.support.stack import ROOT


def test_every_table_is_in_the_guide_once() -> None:
    """With what makes it grow, and what makes room."""
    text = (ROOT / "docs/guides/growth.md").read_text()
    named = Counter(
        table
        for row in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
        for table in re.findall(r"`(\w+)`", row)
    )

    assert named == dict.fromkeys(Base.metadata.tables, 1)


async def test_what_is_old_goes_and_what_is_younger_stays(sql: Any, fleet: Fleet) -> None:
    """Of the processor's messages, finished jobs, budgets, boards and changes of schedules."""
    mark = uuid.uuid4().hex[:8]
    flown = await fleet.flight_at(clock.now() - timedelta(days=95))
    ahead = await fleet.flight_at(clock.now() + timedelta(days=40))
    for days in (89, 91):
        await sql(
            "INSERT INTO processor_events (event_id, type, object_id, received_at)"
            " VALUES (:id, 'test', 'x', now() - make_interval(days => :days))",
            id=f"{mark}-{days}",
            days=days,
        )
        await sql(
            "INSERT INTO jobs (kind, status, arguments, finished_at)"
            " VALUES (:kind, 'succeeded', '{}', now() - make_interval(days => :days))",
            kind=f"{mark}-{days}",
            days=days,
        )
        for flight in (flown, ahead):
            await sql(
                "INSERT INTO flight_changes (flight_id, materiality, before, after, applied_at)"
                " VALUES (:id, 'none', '{}', '{}', now() - make_interval(days => :days))",
                id=flight.id,
                days=days,
            )
    for days in (99, 101):
        await sql(
            "INSERT INTO schedule_boards (airport, local_date) VALUES ('TOS', current_date - CAST(:days AS int))"
            " ON CONFLICT DO NOTHING",
            days=days,
        )
    for days in (399, 401):
        await sql(
            "INSERT INTO provider_budgets (provider, budget, period_start, spent, background_spent)"
            " VALUES ('test', :mark, now() - make_interval(days => :days), 1, 0)",
            mark=f"{mark}-{days}",
            days=days,
        )

    await unwrap(tasks.purge)()

    assert await left(sql, "event_id", "processor_events", mark) == [f"{mark}-89"]
    assert await left(sql, "kind", "jobs", mark) == [f"{mark}-89"]
    assert await left(sql, "budget", "provider_budgets", mark) == [f"{mark}-399"]
    boards = await sql("SELECT current_date - local_date AS age FROM schedule_boards WHERE airport = 'TOS'")
    assert {99, 101} & {row["age"] for row in boards} == {99}
    changes = await sql(
        "SELECT flight_id FROM flight_changes WHERE flight_id = ANY(CAST(:ids AS bigint[]))",
        ids=[flown.id, ahead.id],
    )
    assert Counter(row["flight_id"] for row in changes) == {flown.id: 1, ahead.id: 2}


async def test_a_flight_of_the_past_goes_unless_somebody_ever_held_a_seat_on_it(
    sql: Any, fleet: Fleet, traveller: Client
) -> None:
    """With all that is known of it; one that was held for a moment only stays, because its booking tells of it."""
    old = [await fleet.flight_at(clock.now() - timedelta(days=days)) for days in (99, 103, 125)]
    held = await fleet.flight()
    await traveller.book((await fleet.offer(traveller, held))["id"])
    await sql("UPDATE flights SET departure_date = current_date - 103 WHERE id = :id", id=held.id)
    await sql(
        "INSERT INTO flight_follows (user_id, flight_id) VALUES (CAST(:user AS uuid), :id)",
        user=traveller.user["id"],
        id=old[1].id,
    )
    await sql(
        "INSERT INTO flight_changes (flight_id, materiality, before, after) VALUES (:id, 'none', '{}', '{}')",
        id=old[2].id,
    )

    await unwrap(flights.drop_unbooked)()

    ids = [flight.id for flight in (*old, held)]
    found = await sql("SELECT id FROM flights WHERE id = ANY(CAST(:ids AS bigint[]))", ids=ids)
    assert {row["id"] for row in found} == {old[0].id, held.id}


async def left(sql: Any, column: str, table: str, mark: str) -> list[str]:
    found = await sql(f"SELECT {column} AS name FROM {table} WHERE {column} LIKE :mark || '-%'", mark=mark)
    return [row["name"] for row in found]


async def test_whatever_refers_to_a_flight_is_found_by_an_index(sql: Any) -> None:
    """Or each flight that goes would have whole tables read; any index will do that begins with the flight."""
    found = await sql(
        """
        SELECT r.conrelid::regclass::text AS place, EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = r.conrelid AND i.indkey[0] = r.conkey[1]
                AND i.indisvalid AND i.indpred IS NULL) AS indexed
        FROM pg_constraint r WHERE r.contype = 'f' AND r.confrelid = 'flights'::regclass
        """
    )

    assert len(found) > 9
    assert {row["place"] for row in found if not row["indexed"]} == set()
