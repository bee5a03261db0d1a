"""The timetable's days: mapped from files that all processes of a host share, and made again when flights change.

A file is the day of one version, so a process never reads what another one is writing. Whoever first needs a day
that has no file makes it, and the others wait; an old big day is served until somebody has made the new one.
"""

import asyncio
import fcntl
import functools
import hashlib
import math
import os
import re
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from time import monotonic

from app.core import clock, db
from app.core.config import settings
from app.core.db import Session
from app.core.logging import logger
from app.timetable import builder, repository
from app.timetable.day import Day, NotADay

log = logger("jetway.timetable")

_MOST_MAPPED = 400
# So many flights are read again in the time of a search; of more, an older version is served meanwhile.
_SMALL = 20_000
_SECONDS_BETWEEN_BUILDS = 5
_SECONDS_BETWEEN_LOOKS = 5.0
_LOCK_POLL_SECONDS = 0.02
# Somewhere on earth it is still yesterday, and a journey that began then may go on.
_KEPT_AFTER = timedelta(days=2)

_mapped: OrderedDict[date, Day] = OrderedDict()
_built_at: dict[date, float] = {}
_building: dict[date, asyncio.Task[Day]] = {}


async def days(wanted: Sequence[date]) -> list[Day]:
    """These days as they are now; a big one may be some seconds behind."""
    async with db.transaction() as session:
        versions = await repository.versions(session, list(wanted))
    return list(await asyncio.gather(*(_day(day, versions.get(day)) for day in wanted)))


async def _day(day: date, version: str | None) -> Day:
    if version is None:
        return _keep(builder.nothing(day))
    known = _mapped.get(day)
    if known is None:
        read = await asyncio.to_thread(_read, day)
        known = _mapped.get(day) or read  # What somebody has mapped meanwhile is at least as new.
    if known is not None:
        known = _keep(known)
        if known.version == version:
            return known
        if len(known.id) >= _SMALL:
            if monotonic() - _built_at.get(day, -math.inf) >= _SECONDS_BETWEEN_BUILDS:
                _start(day)
            return known
    # A building that was under way may have read the flights before this change; the one after it has not.
    for _ in range(2):
        under_way = day in _building
        known = await asyncio.shield(_start(day))
        if not under_way or known.version == version:
            break
    assert known is not None  # noqa: S101
    return known


def _start(day: date) -> asyncio.Task[Day]:
    """The one building of this day under way in this process, started if there is none."""
    task = _building.get(day)
    if task is None:
        task = _building[day] = asyncio.create_task(_made(day))
        task.add_done_callback(functools.partial(_ended, day))
    return task


def _ended(day: date, task: asyncio.Task[Day]) -> None:
    del _building[day]
    if not task.cancelled() and (error := task.exception()):
        log.warning("timetable not built", day=day.isoformat(), reason=type(error).__name__)


async def _made(day: date) -> Day:
    """The day as another process of the host has made it, or made here while they wait."""
    async with _only_one(day):
        found = await asyncio.to_thread(_read, day)
        if found is None or found.version != await builder.version(day):
            found = await asyncio.to_thread(_written, await builder.build(day))
    _built_at[day] = monotonic()
    return _keep(found)


def _keep(day: Day) -> Day:
    """The one of this version that the process holds."""
    known = _mapped.get(day.day)
    if known is not None and known.version == day.version:
        day = known
    _mapped[day.day] = day
    _mapped.move_to_end(day.day)
    while len(_mapped) > _MOST_MAPPED:
        _mapped.popitem(last=False)
    return day


def _path(day: date) -> Path:
    return folder() / f"{day.isoformat()}.day"


def _read(day: date) -> Day | None:
    """The day in its file; one that is damaged or of another format is none, and is made again."""
    try:
        return Day.read(_path(day))
    except (NotADay, OSError):
        return None


def _written(day: Day) -> Day:
    """The day mapped from its file; held by this process alone where none can be written."""
    try:
        path = _path(day.day)
        _remove_drafts(path)
        try:
            day.write(path)
        except OSError:
            _remove_drafts(path)
            raise
        remove_past((clock.now() - _KEPT_AFTER).date())
        return Day.read(path)
    except (NotADay, OSError) as error:
        log.warning("timetable not written", day=day.day.isoformat(), reason=type(error).__name__)
        return day


def _remove_drafts(path: Path) -> None:
    """What a builder left that was killed, or met a full disk; who has the lock may, for nobody else writes."""
    for draft in path.parent.glob(f".{path.name}.*"):
        draft.unlink()


@asynccontextmanager
async def _only_one(day: date) -> AsyncIterator[None]:
    """One process of the host at a time; the lock of one that was killed is gone with it.

    It is asked for again and again: a thread that waits for it could not be called back.
    """
    try:
        descriptor = os.open(_path(day).with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        yield  # Where nothing can be written, each process works for itself.
        return
    try:
        while not _taken(descriptor):  # noqa: ASYNC110  Another process holds it.
            await asyncio.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@lru_cache
def folder() -> Path:
    """Where the days lie. Raises PermissionError for a folder that somebody else made."""
    config = settings()
    address = re.sub(r"//[^@/]*@", "//", config.sqlalchemy_url)  # Without the password.
    name = hashlib.sha256(address.encode()).hexdigest()[:12]
    path = Path(config.timetable_dir or Path(tempfile.gettempdir()) / f"jetway-timetable-{name}")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Anybody can put a link where the system keeps temporary files.
    if (path.stat() if config.timetable_dir else path.lstat()).st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to another user; set TIMETABLE_DIR")
    return path


def remove_past(before: date) -> int:
    """Delete the files of days that are over; how many they were."""
    ours = (path for kind in ("day", "lock") for path in folder().glob(f"????-??-??.{kind}"))
    past = [path for path in ours if path.stem < before.isoformat()]
    for path in past:
        path.unlink(missing_ok=True)
    return len(past)


async def purge(session: Session) -> None:
    """Forget changes of days that are over, and count those of others anew."""
    await repository.compact(session, (clock.now() - _KEPT_AFTER).date())


@asynccontextmanager
async def kept_fresh() -> AsyncIterator[None]:
    """Meanwhile, make big days again as soon as their flights have changed, so that no search has to."""
    looking = asyncio.create_task(_keep_looking())
    try:
        yield
    finally:
        for task in (under_way := [looking, *_building.values()]):
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _keep_looking() -> None:
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        big = [day for day, known in _mapped.items() if len(known.id) >= _SMALL]
        try:
            if big:
                await days(big)
        except Exception as error:  # noqa: BLE001  What is mapped serves until the database is back.
            log.warning("timetable not looked at", reason=type(error).__name__)
