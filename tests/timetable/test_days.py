"""Days of the timetable: made from the database, kept in files, and never older than what a search has to know."""

import asyncio
import itertools
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.core import db
from app.timetable import builder, codes, repository, service
from app.timetable.day import EPOCH, Day
from tests.support.client import in_days

DAY = in_days(830)  # Nobody searches so far ahead, so nobody else has flights then.


async def put(sql: Any, day: date, *flights: tuple[str, str, str, datetime, datetime], **more: Any) -> None:
    """Flights by number, origin, destination, and clock readings in UTC."""
    facts = {"status": "scheduled", "missed": 0, "terminal": None, "type": None} | more
    for number, origin, destination, departs, arrives in flights:
        await sql(
            """
            INSERT INTO flights (carrier, number, departure_date, origin, destination, departs_local, arrives_local,
                                 departs_at, arrives_at, status, missed, departure_terminal, aircraft_type, codeshares,
                                 source, observed_at)
            VALUES ('7T', :number, :day, :origin, :destination, :departs_local, :arrives_local, :departs_at,
                    :arrives_at, :status, :missed, :terminal, :type, '{}', 'test', now())
            """,
            number=number,
            day=day,
            origin=origin,
            destination=destination,
            departs_local=departs.replace(tzinfo=None) + timedelta(hours=2),
            arrives_local=arrives.replace(tzinfo=None) - timedelta(hours=5, minutes=30),
            departs_at=departs,
            arrives_at=arrives,
            **facts,
        )


def noon(day: date, minutes: int = 0) -> datetime:
    at_noon = datetime.combine(day, datetime.min.time(), EPOCH.tzinfo) + timedelta(hours=12)
    return at_noon + timedelta(minutes=minutes)


@pytest_asyncio.fixture
async def day(sql: Any) -> AsyncIterator[date]:
    """A day with two flights, of which nobody else has any."""
    await sql("DELETE FROM flights WHERE departure_date = :day AND carrier = '7T'", day=DAY)
    await put(
        sql,
        DAY,
        ("1", "TOS", "BGO", noon(DAY), noon(DAY, 120)),
        ("2", "TOS", "BGO", noon(DAY, 30), noon(DAY, 90)),
    )
    service._mapped.clear()
    yield DAY
    await sql("DELETE FROM flights WHERE departure_date = :day AND carrier = '7T'", day=DAY)


async def version(day: date) -> str | None:
    async with db.transaction() as session:
        return (await repository.versions(session, [day])).get(day)


async def numbers(day: date) -> list[int]:
    [found] = await service.days([day])
    return sorted(found.id.tolist())


async def test_a_day_is_what_the_table_says(sql: Any, day: date) -> None:
    """To the minute, with the clocks at both ends; unknown terminals and types are none."""
    await put(sql, day, ("3", "OSL", "JFK", noon(day), noon(day, 500)), terminal="2E", type="B789")
    await put(sql, day, ("4", "OSL", "JFK", noon(day), noon(day, 501)), terminal="Süd", type="A320")

    [found] = await service.days([day])

    stored = {
        row["id"]: row for row in await sql("SELECT * FROM flights WHERE departure_date = :day", day=day)
    }
    assert set(found.id.tolist()) == set(stored)
    for route in range(len(found.origin)):
        for place in range(found.first[route], found.first[route + 1]):
            row = stored[int(found.id[place])]
            assert codes.unpack(int(found.origin[route])) == row["origin"]
            assert codes.unpack(int(found.destination[route])) == row["destination"]
            assert codes.unpack(int(found.carrier[place])) == row["carrier"]
            departs = EPOCH + timedelta(minutes=int(found.departs[place]))
            arrives = EPOCH + timedelta(minutes=int(found.arrives[place]))
            assert (departs, arrives) == (row["departs_at"], row["arrives_at"])
            local = departs.replace(tzinfo=None) + timedelta(minutes=int(found.departs_offset[place]))
            assert local == row["departs_local"]
            landed = arrives.replace(tzinfo=None) + timedelta(minutes=int(found.arrives_offset[place]))
            assert landed == row["arrives_local"]
            told = row["departure_terminal"] if (row["departure_terminal"] or "").isascii() else None
            assert found.departure_terminal[place] == codes.pack(told)
            assert found.aircraft[place] == codes.pack(row["aircraft_type"])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE flights SET status = 'cancelled' WHERE number = '1' AND carrier = '7T' AND departure_date = :day",
        "UPDATE flights SET missed = 2 WHERE number = '1' AND carrier = '7T' AND departure_date = :day",
        "DELETE FROM flights WHERE number = '1' AND carrier = '7T' AND departure_date = :day",
    ],
)
async def test_what_is_off_sale_is_in_no_day(sql: Any, day: date, change: str) -> None:
    """Cancelled, withdrawn or gone: the next look knows."""
    before = await numbers(day)

    await sql(change, day=day)

    assert len(await numbers(day)) == len(before) - 1


@pytest.mark.parametrize(
    ("change", "tells"),
    [
        (
            "departs_at = departs_at + interval '5 minutes', departs_local = departs_local + interval '5 minutes'",
            True,
        ),
        ("departure_terminal = '5'", True),
        ("aircraft_type = 'E190'", True),
        ("missed = 1", False),
        ("departure_gate = 'B4', departure_delay_minutes = 20, observed_at = now()", False),
        ("next_look_at = now(), pending = '{x}'", False),
    ],
)
async def test_only_what_the_timetable_tells_makes_a_day_old(
    sql: Any, day: date, change: str, tells: bool
) -> None:
    """News of the day are looked at every few minutes, and change nothing here."""
    before = await version(day)

    await sql(f"UPDATE flights SET {change} WHERE carrier = '7T' AND departure_date = :day", day=day)

    assert (await version(day) != before) is tells


async def test_a_flight_moved_to_another_date_changes_both(sql: Any, day: date) -> None:
    """It is gone from the one, and in the other."""
    other = day + timedelta(days=1)
    before = await version(day), await version(other)

    await sql(
        "UPDATE flights SET departure_date = :other WHERE carrier = '7T' AND number = '2' AND departure_date = :day",
        other=other,
        day=day,
    )

    assert len(await numbers(day)) == 1
    assert len(await numbers(other)) == 1
    assert before != (await version(day), await version(other))
    await sql("DELETE FROM flights WHERE departure_date = :other AND carrier = '7T'", other=other)


async def test_a_day_that_nobody_flies_is_empty(day: date) -> None:
    """And costs no file."""
    [found] = await service.days([in_days(600)])

    assert len(found.id) == 0
    assert not (service.folder() / f"{in_days(600)}.day").exists()


async def test_after_a_restart_the_file_is_enough(day: date, monkeypatch: pytest.MonkeyPatch) -> None:
    """The flights are not read again."""
    before = await numbers(day)
    service._mapped.clear()

    async def never(_: date) -> Day:
        raise AssertionError("built again")

    monkeypatch.setattr(builder, "build", never)

    assert await numbers(day) == before


@pytest.mark.parametrize("damage", [b"", b"JETWAY01", b"\0" * 5000, None])
async def test_a_damaged_file_is_made_again(day: date, damage: bytes | None) -> None:
    """Emptied, cut off, overwritten: nothing of it is believed."""
    before = await numbers(day)
    path = service.folder() / f"{day}.day"
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:-20] if damage is None else damage)
    service._mapped.clear()

    assert await numbers(day) == before
    assert Day.read(path).version == await version(day)


async def test_without_a_place_for_files_searches_are_answered(
    day: date, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each process then holds its days for itself."""
    gone = tmp_path / "gone"
    monkeypatch.setattr(service, "folder", lambda: gone)

    assert len(await numbers(day)) == 2
    assert not gone.exists()


async def test_many_who_ask_at_once_build_once(day: date, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process they wait for the same, and who looks for its file at that time gets the same too."""
    (service.folder() / f"{day}.day").unlink(missing_ok=True)
    build, read, written, built, waits = builder.build, service._read, service._written, [], itertools.count()

    async def counted(wanted: date) -> Day:
        built.append(wanted)
        return await build(wanted)

    def late(wanted: date) -> Day | None:
        time.sleep(next(waits) * 0.01)
        return read(wanted)

    def slowly(made: Day) -> Day:
        found = written(made)
        time.sleep(0.05)
        return found

    monkeypatch.setattr(builder, "build", counted)
    monkeypatch.setattr(service, "_read", late)
    monkeypatch.setattr(service, "_written", slowly)

    found = await asyncio.gather(*(service.days([day]) for _ in range(20)))

    assert built == [day]
    assert len({id(one) for [one] in found}) == 1


_PROGRAM = """
import asyncio, sys
from datetime import date
from app.core import db
from app.timetable import builder, service

real = builder.build

async def told(day):
    print("building", flush=True)
    await asyncio.sleep(float(sys.argv[2]))
    return await real(day)

async def main():
    builder.build = told
    db.connect()
    [day] = await service.days([date.fromisoformat(sys.argv[1])])
    print(len(day.id), flush=True)
    await db.disconnect()

asyncio.run(main())
"""


async def process(day: date, seconds: float) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROGRAM,
        day.isoformat(),
        str(seconds),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "LOG_LEVEL": "ERROR"},
    )


async def test_two_processes_build_once(day: date) -> None:
    """The second waits, and finds the file."""
    (service.folder() / f"{day}.day").unlink(missing_ok=True)

    running = [await process(day, 1.0) for _ in range(2)]
    told = [(await one.communicate())[0].decode().split() for one in running]

    assert sorted(len(lines) for lines in told) == [1, 2]
    assert {lines[-1] for lines in told} == {"2"}


async def test_a_killed_builder_harms_nobody(day: date) -> None:
    """Its lock is gone with it, and the next one makes the day."""
    (service.folder() / f"{day}.day").unlink(missing_ok=True)
    doomed = await process(day, 60)
    assert doomed.stdout is not None
    assert await doomed.stdout.readline() == b"building\n"

    doomed.send_signal(signal.SIGKILL)
    await doomed.wait()

    async with asyncio.timeout(5):
        assert len(await numbers(day)) == 2


async def test_a_big_day_is_served_while_it_is_made_again(
    sql: Any, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it; a moment later it is new."""
    monkeypatch.setattr(service, "_SMALL", 2)
    monkeypatch.setattr(service, "_SECONDS_BETWEEN_BUILDS", 0)
    before = await numbers(day)
    await put(sql, day, ("5", "TOS", "BGO", noon(day), noon(day, 60)))

    assert await numbers(day) == before
    async with asyncio.timeout(5):
        while await numbers(day) == before:  # noqa: ASYNC110  It happens in another task.
            await asyncio.sleep(0.02)
    assert len(await numbers(day)) == 3


async def test_changes_are_forgotten_and_none_is_missed(sql: Any, day: date) -> None:
    """Of a day with many changes one row is left, which is a version of its own."""
    await sql("INSERT INTO timetable_changes (day) SELECT :day FROM generate_series(1, 600)", day=day)
    await sql("INSERT INTO timetable_changes (day) VALUES (:day)", day=in_days(-3))
    before = await version(day)

    async with db.transaction() as session:
        await repository.compact(session, in_days(-2))

    assert await version(day) != before
    assert (await version(day) or "").startswith("1:")
    assert await version(in_days(-3)) is None


async def test_files_of_past_days_are_removed(day: date) -> None:
    """Nobody searches them any more."""
    await numbers(day)
    old = service.folder() / "2020-01-01.day"
    old.write_bytes(b"old")

    service.remove_past(in_days(-2))

    assert not old.exists()
    assert (service.folder() / f"{day}.day").exists()
