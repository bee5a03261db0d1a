"""What is known of an airline from several sources: the better one's word, completed by the others'."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.airlines import service
from app.airlines.service import load
from app.core import db
from app.providers.base import AirlineRecord


@pytest_asyncio.fixture
async def airlines(sql: Any) -> AsyncIterator[Any]:
    """One row by its designator; afterwards the table is as it was."""
    await sql("CREATE TABLE kept AS TABLE airlines")

    async def row(iata: str) -> dict[str, Any] | None:
        found = await sql("SELECT * FROM airlines WHERE iata = :iata", iata=iata)
        return found[0] if found else None

    yield row
    await sql("DELETE FROM airlines")
    await sql("INSERT INTO airlines SELECT * FROM kept")
    await sql("DROP TABLE kept")
    await service.copy.refresh()


async def told(source: str, **facts: Any) -> None:
    async with db.transaction() as session:
        await service.store(session, [AirlineRecord(**facts)], source)


async def learned(iata: str, name: str, icao: str | None = None) -> None:
    async with db.transaction() as session:
        await service.learn(session, {iata: (name, icao)})


async def test_packaged_airlines_are_seeded_where_they_are_missing(airlines: Any, sql: Any) -> None:
    """Whatever happened to the table before."""
    await sql("DELETE FROM airlines WHERE iata <> 'LH'")
    await load()

    assert (await airlines("BA"))["source"] == "packaged"
    assert service.directory().find("BA").callsign == "SPEEDBIRD"


async def test_processes_that_start_together_seed_once(airlines: Any, sql: Any) -> None:
    """Each of them finds an empty table, and one of them fills it."""
    await sql("DELETE FROM airlines")
    await asyncio.gather(*[load() for _ in range(5)])
    filled = await sql("SELECT count(*) AS rows, count(DISTINCT updated_at) AS times FROM airlines")

    assert filled == [{"rows": len(service.directory().by_iata), "times": 1}]


async def test_seeding_again_changes_nothing(airlines: Any, sql: Any) -> None:
    """Not even the time of the last change, at which other processes look."""
    await load()
    before = await sql("SELECT max(updated_at) AS latest, count(*) AS rows FROM airlines")
    await load()

    assert await sql("SELECT max(updated_at) AS latest, count(*) AS rows FROM airlines") == before


async def test_a_provider_does_not_change_a_packaged_airline(airlines: Any) -> None:
    """Neither with other facts nor with none."""
    before = await airlines("BA")
    await told(
        "aviationstack",
        iata="BA",
        name="Brit. Airw.",
        icao="BAW",
        country="IE",
        callsign="BIRD",
        active=False,
    )
    await told("aviationstack", iata="BA", name="British", icao=None)

    assert await airlines("BA") == before


async def test_a_provider_completes_a_packaged_airline(airlines: Any) -> None:
    """Where we were not sure of a fact and left it open."""
    assert (await airlines("FR"))["accounting_code"] is None
    await told("aviationstack", iata="FR", name="Ryanair", icao="RYR", accounting_code="224")

    after = await airlines("FR")
    assert (after["accounting_code"], after["callsign"], after["source"]) == ("224", "RYANAIR", "packaged")


async def test_another_airlines_facts_do_not_complete_ours(airlines: Any) -> None:
    """Designators are given out again: the provider speaks of who had this one before."""
    await told("aviationstack", iata="FR", name="Somebody Else", icao="XYZ", accounting_code="224")

    assert (await airlines("FR"))["accounting_code"] is None


async def test_a_providers_own_airline_follows_the_provider(airlines: Any) -> None:
    """What it leaves out it does not take back."""
    await told("aviationstack", iata="1Z", name="One", icao="ZQA", country="GB", callsign="ONE")
    await told("aviationstack", iata="1Z", name="One Air", icao="ZQA", active=False)

    after = await airlines("1Z")
    assert (after["name"], after["country"], after["callsign"]) == ("One Air", "GB", "ONE")
    assert (after["active"], after["source"]) == (False, "aviationstack")


async def test_a_schedule_teaches_only_what_nobody_knows(airlines: Any) -> None:
    """The name in a flight's row is often short for something."""
    await learned("BA", "BRITISH A/W")
    await learned("1Z", "ONE A/W", "ZQA")

    assert (await airlines("BA"))["name"] == "British Airways"
    one = await airlines("1Z")
    assert (one["name"], one["icao"], one["source"], one["active"]) == ("ONE A/W", "ZQA", "schedule", True)
    assert service.directory().find("1Z").name == "ONE A/W"


async def test_a_better_source_replaces_a_poorer_one(airlines: Any) -> None:
    """Who was learned from a flight is described by a provider later."""
    await learned("1Z", "ONE A/W", "ZQA")
    await told("aviationstack", iata="1Z", name="One Air", country="GB")

    after = await airlines("1Z")
    assert (after["name"], after["icao"], after["source"]) == ("One Air", "ZQA", "aviationstack")


@pytest.mark.parametrize("better", ["aviationstack", "schedule"])
async def test_what_was_there_before_gives_way_to_the_package(airlines: Any, sql: Any, better: str) -> None:
    """An airline that a new version brings was known from elsewhere till then."""
    await sql(
        "UPDATE airlines SET name = 'Old', callsign = NULL, source = :better WHERE iata = 'BA'", better=better
    )
    await load()

    after = await airlines("BA")
    assert (after["name"], after["callsign"], after["source"]) == ("British Airways", "SPEEDBIRD", "packaged")


async def test_several_airlines_may_share_icaos_letters(airlines: Any) -> None:
    """A flight's callsign leads to all of them."""
    await told("aviationstack", iata="1Z", name="Two Brands", icao="BAW")

    assert {airline.iata for airline in service.directory().by_icao["BAW"]} == {"BA", "1Z"}
