"""Reference data in memory, while another process changes the tables."""

import asyncio
from typing import Any

import pytest

from app.airlines import service as airlines
from app.airports import service as airports
from app.core import copies
from tests.support.client import Client


async def test_what_another_process_adds_appears_without_a_restart(
    api: Client, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the next look, which comes every few seconds."""
    monkeypatch.setattr(copies, "_SECONDS_BETWEEN_LOOKS", 0.01)
    await sql("INSERT INTO airlines (iata, name, source) VALUES ('1Z', 'One Air', 'aviationstack')")
    async with copies.kept_fresh(airlines.copy):
        found = await eventually(lambda: airlines.directory().by_iata.get("1Z"))
    await sql("DELETE FROM airlines WHERE iata = '1Z'")
    await airlines.copy.refresh()

    assert found.name == "One Air"
    assert (await api.get("/airlines/1Z")).status == 404


async def test_a_changed_airport_is_read_again(api: Client, sql: Any) -> None:
    """The time of the change tells that there is one, even if it is not the latest."""
    before = await sql("SELECT name, updated_at FROM airports WHERE iata = 'LHR'")
    await sql(
        "UPDATE airports SET name = 'Heath Row', updated_at = updated_at - interval '1 day' WHERE iata = 'LHR'"
    )
    await airports.ready()
    changed = (await api.get("/airports/LHR")).body["name"]
    await sql("UPDATE airports SET name = :name, updated_at = :updated_at WHERE iata = 'LHR'", **before[0])
    await airports.ready()

    assert changed == "Heath Row"
    assert (await api.get("/airports/LHR")).body["name"] == before[0]["name"]


async def test_what_has_not_changed_is_not_read_again(api: Client) -> None:
    """It takes a moment to build, and nobody waits for it in vain."""
    before = airports.directory()
    await airports.ready()

    assert airports.directory() is before


async def test_an_empty_table_is_not_believed(api: Client, sql: Any) -> None:
    """Somebody is putting other rows in the place of these."""
    await sql("CREATE TABLE kept AS TABLE airlines")
    await sql("DELETE FROM airlines")
    await airlines.copy.refresh()
    served = (await api.get("/airlines/BA")).status
    await sql("INSERT INTO airlines SELECT * FROM kept")
    await sql("DROP TABLE kept")
    await airlines.copy.refresh()

    assert served == 200


async def test_a_failure_to_look_leaves_what_is_known(
    api: Client, monkeypatch: pytest.MonkeyPatch, sql: Any
) -> None:
    """And the next look succeeds."""
    monkeypatch.setattr(copies, "_SECONDS_BETWEEN_LOOKS", 0.01)
    looks = []

    async def stamp(session: Any) -> Any:
        looks.append(session)
        if len(looks) == 1:
            raise ConnectionError
        return len(looks)

    async def rows(session: Any) -> list[dict[str, Any]]:
        return [{"n": len(looks)}]

    copy = copies.Copy(stamp, rows, lambda found: found[0]["n"])
    async with copies.kept_fresh(copy):
        assert await eventually(lambda: copy.value if copy.is_read else None) == 2


async def eventually(look: Any) -> Any:
    async with asyncio.timeout(10):
        while (found := look()) is None:  # noqa: ASYNC110  A copy tells nobody that it was read.
            await asyncio.sleep(0.01)
    return found
