"""Keeping schedules: what is missing or old is fetched once for all processes, and kept.

A board is one airport's departures on one local date. Reading never waits for a board that is merely old:
the old answer is served, marked stale, while one process fetches the new one.
"""

import asyncio
import math
import random
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.airports.service import directory
from app.core import clock, db
from app.core.config import settings
from app.core.db import Row, Session
from app.core.logging import logger
from app.flights import boards, projection, repository, store, times
from app.flights.boards import Board
from app.flights.errors import ProviderUnavailable
from app.providers import governor, registry
from app.providers.base import LONGEST_WAIT_SECONDS, DateNotOffered, ProviderError

log = logger("jetway.schedule")

_LEASE_SECONDS = 40
_PATIENCE_SECONDS = 12.0
_POLL_SECONDS = 0.05
_PATTERN_RETRY_SECONDS = 60
_EMPTY_FRESH = timedelta(minutes=10)
# An empty board of an airport that has so many departures a day is a fault, not an answer.
_BUSY_DEPARTURES = 5
_FEWEST_SHARE = 0.1
# Beat renews a board a little before it is old, so that nobody meets an old one.
_EARLY = timedelta(minutes=2)
_AT_ONCE = 4
_NO_PROVIDER = "not_configured"
# Refusals that will stand for days: a pattern of other weeks is better than nothing.
_LASTING = ("date_not_offered", "plan_restricted", "quota_exhausted", "budget_spent")

_fetching: dict[Board, asyncio.Task[None]] = {}


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old the schedules behind an answer are: the oldest board decides."""

    source: str
    fetched_at: datetime
    stale: bool
    projected: bool


async def ensure(wanted: list[Board]) -> Freshness:
    """Have these boards in the database. Raises ProviderUnavailable when nothing is known of them.

    It works in short transactions of its own, so that a slow provider holds no connection.
    """
    known = await _known(wanted)
    await _note_interest(known)
    missing = [board for board in wanted if not _answers(known.get(board))]
    aged = [board for board in wanted if _answers(known.get(board)) and not known[board]["fresh"]]
    for board in aged:
        if not known[board]["waiting"]:
            _start(board)
    if missing:
        await asyncio.gather(*(_wait_for(board) for board in missing), return_exceptions=True)
        known = await _known(wanted)
    answering = [known[board] for board in wanted if _answers(known.get(board))]
    if not answering:
        return await _whatever_is_stored(wanted, known)
    stale = bool(aged) or len(answering) < len(wanted) or any(board["partial"] for board in answering)
    sources = {board["source"] or registry.schedules().name for board in answering}
    return Freshness(
        min(sources), min(b["fetched_at"] for b in answering), stale, projection.SOURCE in sources
    )


async def _note_interest(known: dict[Board, Row]) -> None:
    """Once in a board's life, so that a popular search does not write again and again.

    Who had a board fetched has it: only who comes after that makes it worth keeping fresh.
    """
    unnoted = [board for board, row in known.items() if not row["wanted"]]
    if unnoted:
        async with db.transaction() as session:
            await boards.want(session, unnoted)


async def _whatever_is_stored(wanted: list[Board], known: dict[Board, Row]) -> Freshness:
    """Flights from an operator's file, where no provider answers for the boards.

    Where there is no provider to ask, the file is the best there is, and nothing about it is old.
    """
    async with db.transaction() as session:
        stored = [await repository.newest(session, *board) for board in wanted]
    seen = [row for row in stored if row is not None]
    if not seen:
        waits = [board["wait_seconds"] for board in known.values() if board["waiting"]]
        raise ProviderUnavailable(retry_after=max(5, math.ceil(min(waits, default=0))))
    oldest = min(seen, key=lambda row: row["observed_at"])
    unasked = all(board in known and known[board]["failure"] == _NO_PROVIDER for board in wanted)
    return Freshness(oldest["schedule_source"], oldest["observed_at"], stale=not unasked, projected=False)


async def _known(wanted: list[Board]) -> dict[Board, Row]:
    async with db.transaction() as session:
        return await boards.known(session, wanted)


def _answers(board: Row | None) -> bool:
    """Whether there is something to answer with: a fetched board, or the first pages of one."""
    return board is not None and bool(board["complete"] or board["partial"])


async def _wait_for(board: Board) -> None:
    """Wait until somebody, in whatever process, has fetched the board or failed to."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        async with asyncio.timeout_at(deadline):
            await asyncio.shield(_start(board))
        state = (await _known([board])).get(board)
        if state and (state["fresh"] or state["waiting"] or _answers(state)):
            return
        await asyncio.sleep(_POLL_SECONDS)


def _start(board: Board) -> asyncio.Task[None]:
    """The one refresh of this board under way in this process, started if there is none."""
    task = _fetching.get(board)
    if task is None:
        task = _fetching[board] = asyncio.create_task(_refresh_quietly(board))
        task.add_done_callback(lambda _: _fetching.pop(board, None))
    return task


async def close() -> None:
    """Give up the refreshes under way; their leases run out by themselves."""
    for task in list(_fetching.values()):
        task.cancel()
    await asyncio.gather(*_fetching.values(), return_exceptions=True)


async def keep_fresh(most: int) -> int:
    """Renew what people have searched for since it was fetched, and go on where a fetch was interrupted.

    Nobody's request waits for it, so it is paid from the background's share; without users it does nothing.
    """
    async with db.transaction() as session:
        due = await boards.ageing(session, most) + await boards.interrupted(session, most)
    with governor.background_work():
        turns = asyncio.Semaphore(_AT_ONCE)

        async def one(board: Board) -> None:
            async with turns:
                await _refresh_quietly(board, early=_EARLY)

        await asyncio.gather(*(one(board) for board in due))
    return len(due)


async def _refresh_quietly(board: Board, early: timedelta = timedelta()) -> None:
    airport, day = board
    try:
        await refresh(airport, day, early=early)
    except ProviderError as error:
        log.warning("schedule not refreshed", airport=airport, date=day.isoformat(), reason=error.code)
    except Exception:
        log.exception("schedule not refreshed", airport=airport, date=day.isoformat())


async def refresh(airport: str, day: date, *, early: timedelta = timedelta()) -> None:
    """Fetch one board if its lease can be had. Raises ProviderError; the failure is kept with the board.

    Pages are stored as they come, and a fetch that stops between two goes on there the next time.
    """
    token, today = uuid.uuid4(), _today(airport)
    async with db.transaction() as session:
        begun = await boards.lease(session, airport, day, token, _LEASE_SECONDS, early)
    if begun is None:
        return
    try:
        try:
            await _fetch(airport, day, today, token, begun)
        except ProviderError as refusal:
            # What was published once is better than any pattern, and an outage passes.
            if begun["published"] or refusal.code not in _LASTING:
                raise
            await _project(airport, day, today, token, refusal)
    except (ProviderError, TimeoutError, store.ImplausibleTimes) as error:
        failure = _failure(error)
        # What the background may not spend, the next search may.
        wait = 0 if failure.code == "background_budget_spent" else failure.retry_after_seconds
        async with db.transaction() as session:
            await boards.failed(session, token, failure.code, min(wait, LONGEST_WAIT_SECONDS))
        raise failure from None


async def _fetch(airport: str, day: date, today: date, token: uuid.UUID, begun: Row) -> None:
    source, seen = registry.schedules(), begun["next_offset"]
    pages = source.departures(airport, day, today=today, offset=begun["next_offset"])
    while True:
        async with asyncio.timeout(_LEASE_SECONDS - 5):
            page = await anext(pages)
        async with db.transaction() as session:
            await store.keep(session, page.flights, source.name)
            seen += len(page.flights)
            if page.next_offset is None:
                await _complete(session, airport, day, today, token, begun, seen)
                return
            if not await boards.page_kept(session, token, page.next_offset, _LEASE_SECONDS):
                raise ProviderError("lease_lost", retry_after_seconds=1)


async def _complete(
    session: Session, airport: str, day: date, today: date, token: uuid.UUID, begun: Row, seen: int
) -> None:
    usual = await boards.usual_departures(session, airport)
    if usual >= _BUSY_DEPARTURES and seen < usual * _FEWEST_SHARE:
        raise ProviderError("implausibly_empty", retry_after_seconds=60)
    fresh_for = _fresh_for(day, today, seen)
    if not await boards.fetched(session, token, seen, fresh_for, registry.schedules().name, None):
        raise ProviderError("lease_lost", retry_after_seconds=1)
    if seen:
        await store.sweep(session, airport, day, begun["pass_started_at"])


async def _project(airport: str, day: date, today: date, token: uuid.UUID, refusal: ProviderError) -> None:
    """Fill a board that is not published from one of the same weekday that is, fetching that one if need be."""
    pattern = await _pattern(airport, day)
    candidate = projection.stand_in(day, today, refusal) if isinstance(refusal, DateNotOffered) else None
    if pattern is None and candidate is not None and candidate != day:
        await _wait_for((airport, candidate))
        pattern = await _pattern(airport, day)
        if pattern is None:
            raise ProviderError(refusal.code, retry_after_seconds=_PATTERN_RETRY_SECONDS)
    if pattern is None:
        raise refusal
    async with db.transaction() as session:
        published = await repository.published(session, airport, pattern["local_date"])
        found = projection.moved(published, pattern["local_date"], day)
        await store.keep(session, found, projection.SOURCE, observed_at=pattern["fetched_at"])
        await boards.fetched(
            session,
            token,
            len(found),
            _fresh_for(day, today, len(found)),
            projection.SOURCE,
            pattern["fetched_at"],
        )


async def _pattern(airport: str, day: date) -> Row | None:
    async with db.transaction() as session:
        return await boards.same_weekday(session, airport, day, projection.REACH)


def _failure(error: Exception) -> ProviderError:
    if isinstance(error, ProviderError):
        return error
    if isinstance(error, store.ImplausibleTimes):
        return ProviderError("implausible_times", retry_after_seconds=3600)
    return ProviderError("too_slow")


def _today(airport: str) -> date:
    return times.local(clock.now(), directory().find(airport).zone).date()


def _fresh_for(day: date, today: date, found: int) -> timedelta:
    """With a little jitter, so that boards fetched together do not all age together."""
    config = settings()
    fresh = (
        timedelta(minutes=config.schedule_fresh_minutes_today)
        if day <= today
        else timedelta(hours=config.schedule_fresh_hours)
    )
    return (fresh if found else min(fresh, _EMPTY_FRESH)) * random.uniform(0.9, 1.1)
