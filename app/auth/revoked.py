"""Sessions and API keys that are honoured no more, as every API process knows them without asking for each request.

A task reads on in `revocations` twice a second. Where that falls behind, because the database or this process is slow,
nothing is taken on trust: requests read on themselves, all that wait at a moment together. So a revocation counts
within a second for what writes and within five seconds for what reads, whatever happens.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from app.auth import repository
from app.auth.errors import InvalidToken
from app.core import db
from app.core.config import settings
from app.core.db import Session
from app.core.logging import logger
from app.core.together import Together

log = logger("jetway.revoked")

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_PAUSE_SECONDS = 0.5
_TRUSTED_SECONDS_TO_WRITE, _TRUSTED_SECONDS_TO_READ = 0.9, 4.5
_MARGIN_SECONDS = 60


@dataclass(slots=True)
class _State:
    """The ids with when they were learned; up to when everything was read, by our clock and by the database's."""

    ids: dict[uuid.UUID, float] = field(default_factory=dict)
    read_at: float = float("-inf")
    since: datetime | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)


_state = _State()


@asynccontextmanager
async def kept_fresh() -> AsyncIterator[None]:
    """Meanwhile this process learns of every revocation."""
    global _state
    _state = _State()
    reading = asyncio.create_task(_keep_reading())
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        _state.read_at = float("-inf")


async def require_good(session_id: uuid.UUID, *, writing: bool) -> None:
    """Raises InvalidToken once the session or key is revoked."""
    trusted = _TRUSTED_SECONDS_TO_WRITE if writing else _TRUSTED_SECONDS_TO_READ
    if monotonic() - _state.read_at > trusted and session_id not in _state.ids:
        await _catch_up()
    if session_id in _state.ids:
        raise InvalidToken("The session or the key has been ended. Sign in again.")


def after_commit(session: Session, ids: Iterable[uuid.UUID]) -> None:
    """Let revocations of the caller's transaction count in this process as soon as they are durable."""
    learned = list(ids)

    async def learn() -> None:
        _learn(learned)

    if learned:
        db.after_commit(session, learn)


async def revocation(session_id: uuid.UUID) -> None:
    """Return once this process learns that the session or key is revoked."""
    while session_id not in _state.ids:
        await _state.news.wait()


def _learn(ids: Iterable[uuid.UUID]) -> None:
    new = {one: monotonic() for one in ids if one not in _state.ids}
    if new:
        _state.ids |= new
        _state.news.set()
        _state.news = asyncio.Event()


def _forget() -> None:
    """Drop ids whose tokens have all expired since; they come in the order in which they are forgotten."""
    long_ago = monotonic() - settings().access_token_seconds - _MARGIN_SECONDS
    while _state.ids and next(iter(_state.ids.values())) < long_ago:
        del _state.ids[next(iter(_state.ids))]


async def _keep_reading() -> None:
    is_well = True
    while True:
        try:
            await _read_on()
            is_well = True
        except Exception as error:  # noqa: BLE001  Requests try for themselves until it is back.
            if is_well:
                log.warning("revocations not read", reason=type(error).__name__)
            is_well = False
        await asyncio.sleep(_PAUSE_SECONDS)


async def _read_on() -> None:
    kept = settings().access_token_seconds + _MARGIN_SECONDS
    async with db.direct() as session:
        began = monotonic()
        now, found = await repository.revocations(session, _state.since, kept)
    _learn(found)
    _forget()
    if began > _state.read_at:
        _state.read_at, _state.since = began, now


_catch_up = Together(_read_on)
