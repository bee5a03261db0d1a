"""Reads that may be a moment old, answered by a streaming replica where there is one.

Only what nobody could tell from the primary's answer asks here: never seats, money, accounts, or what a caller has just
written and now looks at. The replica is asked while it is a few seconds behind at most, which is looked at once a
second. Whatever goes wrong with it, as with a recovery conflict that the primary has no such thing as, the primary
answers instead.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core import db
from app.core.db import GONE_WRONG, Session, rows
from app.core.logging import logger
from app.core.metrics import REPLICA_LAG

log = logger("jetway.replica")

P = ParamSpec("P")
T = TypeVar("T")

# Who is further behind is not asked.
MOST_SECONDS = 5.0
_SECONDS_BETWEEN_LOOKS = 1.0
# One that did not answer is left alone for a while, so that its absence costs nobody anything.
_REST_SECONDS = 5.0
_PATIENCE_SECONDS = 1.0

_PRIMARY = "SELECT CAST(pg_current_wal_lsn() AS text) AS written"
_REPLICA = """
    SELECT pg_is_in_recovery() AS follows,
           coalesce(pg_last_wal_replay_lsn() >= CAST(CAST(:written AS text) AS pg_lsn), false) AS level,
           coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 'Infinity') AS seconds
"""


class _Seen:
    """What the last look found: how far behind, None where it cannot be used; when it was level; when to look again."""

    def __init__(self) -> None:
        self.lag: float | None = None
        self.level_at = -math.inf
        self.look_at = -math.inf
        self.looking = asyncio.Lock()


_seen = _Seen()


async def read(
    question: Callable[Concatenate[Session, P], Awaitable[T]], *arguments: P.args, **named: P.kwargs
) -> T:
    """What a question finds on the replica, or else on the primary. It writes nothing, and may be asked twice."""
    replica = db.replica()
    behind = await lag()
    if replica is not None and behind is not None and behind <= MOST_SECONDS:
        try:
            async with db.transaction(replica) as session:
                return await question(session, *arguments, **named)
        except GONE_WRONG as error:
            log.warning("replica not read", reason=type(error).__name__)
            _seen.look_at = -math.inf
    async with db.transaction() as session:
        return await question(session, *arguments, **named)


async def lag() -> float | None:
    """How many seconds the replica is behind; None where there is none, or it cannot be asked, or follows nobody."""
    replica = db.replica()
    if replica is None:
        return None
    if monotonic() >= _seen.look_at:
        async with _seen.looking:
            if monotonic() >= _seen.look_at:
                await _look(replica)
    return _seen.lag


async def _look(replica: AsyncEngine) -> None:
    before = _seen.lag
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            _seen.lag = await _measured(replica)
    except GONE_WRONG as error:
        _seen.lag = None
        if before is not None:
            log.warning("replica does not answer", reason=type(error).__name__)
    rest = _REST_SECONDS if _seen.lag is None else _SECONDS_BETWEEN_LOOKS
    _seen.look_at = monotonic() + rest
    REPLICA_LAG.set(math.inf if _seen.lag is None else _seen.lag)


async def _measured(replica: AsyncEngine) -> float | None:
    """By what the primary has written: a replica whose connection is cut believes that it has replayed everything.

    When it replayed its last transaction says nothing where there was none for a while, so that it is never called
    further behind than for as long as it has not been seen level.
    """
    async with db.transaction() as session:
        [primary] = await rows(session, _PRIMARY)
    now = monotonic()
    async with db.transaction(replica) as session:
        [found] = await rows(session, _REPLICA, written=primary["written"])
    if not found["follows"]:
        return None
    if found["level"]:
        _seen.level_at = now
        return 0.0
    return min(float(found["seconds"]), monotonic() - _seen.level_at)
