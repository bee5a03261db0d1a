"""What befalls the files of days: full disks, other people's folders, bits that fall over, slow writers."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.core import db
from app.core.config import settings
from app.timetable import builder, repository, service
from app.timetable.day import Day, NotADay
from tests.support.client import in_days
from tests.timetable import rows

DAY = in_days(838)  # Nobody searches so far ahead, so nobody else has flights then.


@pytest_asyncio.fixture
async def day(sql: Any) -> AsyncIterator[date]:
    """A day with one flight, of which this process knows nothing yet."""
    await rows.clear(sql, DAY)
    await rows.put(sql, DAY, 1)
    service._mapped.clear()
    for path in service.folder().glob(f"*{DAY}.day*"):
        path.unlink()
    yield DAY
    await rows.clear(sql, DAY)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Path]:
    """The folder that the operator has named."""
    monkeypatch.setattr(settings(), "timetable_dir", str(tmp_path / "days"))
    service.folder.cache_clear()
    yield tmp_path / "days"
    service.folder.cache_clear()


async def flights(day: date) -> int:
    [found] = await service.days([day])
    return len(found.id)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def version(day: date) -> str:
    return await builder.version(day)


async def test_a_full_disk_costs_no_search(day: date, monkeypatch: pytest.MonkeyPatch) -> None:
    """The day is held in memory, nothing of the draft is left, and the next change is noticed."""

    def full(one: Day, path: Path) -> None:
        path.with_name(f".{path.name}.1").write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Day, "write", full)

    assert await flights(day) == 1
    assert list(service.folder().glob(f"*{day}.day*")) == []
    monkeypatch.undo()
    assert await flights(day) == 1


async def test_drafts_of_the_dead_are_swept(day: date) -> None:
    """A builder that was killed while it wrote leaves one."""
    draft = service.folder() / f".{day}.day.999999"
    draft.write_bytes(b"half of it")

    assert await flights(day) == 1

    assert not draft.exists()


async def test_the_folder_is_for_our_eyes(day: date, elsewhere: Path) -> None:
    """It tells what is flown, and who can write it decides what is sold."""
    assert await flights(day) == 1

    assert mode(elsewhere) == 0o700
    assert names(elsewhere) == {f"{day}.day", f"{day}.lock"}


async def test_a_folder_of_somebody_else_is_not_believed(
    day: date, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever lies in it; searches are answered from memory."""
    monkeypatch.setattr(os, "getuid", lambda: 54_321)

    assert await flights(day) == 1

    assert names(elsewhere) == set()


async def test_every_byte_of_a_file_is_checked(day: date) -> None:
    """One bit that fell over anywhere makes it no day."""
    await flights(day)
    path = service.folder() / f"{day}.day"
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.unlink()
        path.write_bytes(damaged)
        with pytest.raises(NotADay):
            Day.read(path)


async def test_a_file_of_another_database_is_not_taken(sql: Any, day: date) -> None:
    """A database that was made anew counts its changes from one again; the table behind the count is another."""
    told = await version(day)
    table = await sql("SELECT CAST('timetable_changes'::regclass AS oid) AS number")

    assert told.endswith(f".{table[0]['number']}")
    assert len(told.split(":")) == 3


async def test_who_waits_for_a_building_sees_what_came_after_it_began(
    sql: Any, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that has just stored flights finds them, though somebody was reading before it had."""
    read, go_on, real = asyncio.Event(), asyncio.Event(), builder.build

    async def slow(wanted: date) -> Day:
        built = await real(wanted)
        read.set()
        await go_on.wait()
        return built

    monkeypatch.setattr(builder, "build", slow)
    first = asyncio.create_task(flights(day))
    await read.wait()
    await rows.put(sql, day, 2)
    second = asyncio.create_task(flights(day))
    await asyncio.sleep(0.05)
    go_on.set()

    assert (await first, await second) == (1, 2)


async def test_a_slow_writer_is_noticed_after_a_fast_one(sql: Any, day: date) -> None:
    """Its number was drawn first and is seen last."""
    async with db.transaction() as slow:
        await db.rows(slow, "INSERT INTO timetable_changes (day) VALUES (:day)", day=day)
        await rows.put(sql, day, 2)
        between = await version(day)

    assert await version(day) != between


async def test_changes_are_left_alone_while_somebody_writes_one(sql: Any, day: date) -> None:
    """Nobody waits for a long import; it is done an hour later."""
    await sql("INSERT INTO timetable_changes (day) SELECT :day FROM generate_series(1, 600)", day=day)
    before = await version(day)
    async with db.transaction() as writer:
        await db.rows(
            writer, "INSERT INTO timetable_changes (day) VALUES (:day)", day=day + timedelta(days=1)
        )
        async with db.transaction() as session:
            await repository.compact(session, in_days(-2))
        assert await version(day) == before

    async with db.transaction() as session:
        await service.purge(session)
    assert (await version(day)).startswith("1:")


async def test_a_big_day_is_fresh_before_anybody_searches(
    sql: Any, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each process looks every few seconds at what it has mapped."""
    for name, seconds in (("_SECONDS_BETWEEN_LOOKS", 0.02), ("_SECONDS_BETWEEN_BUILDS", 0), ("_SMALL", 1)):
        monkeypatch.setattr(service, name, seconds)
    await flights(day)

    async with service.kept_fresh():
        await rows.put(sql, day, 2)
        async with asyncio.timeout(5):
            while len(service._mapped[day].id) < 2:  # noqa: ASYNC110  Nothing tells.
                await asyncio.sleep(0.01)
