"""Who may call a vendor now: budgets, rate windows and breakers, one truth for all processes.

Each call is admitted first, in a transaction of its own that is committed before the call is made, and its
outcome is noted after. Everything is in PostgreSQL, so it is exact under concurrency and outlives restarts.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from app.core import db
from app.core.db import Row, Session
from app.providers import repository
from app.providers.base import ProviderError

WHOLE_PROVIDER = "*"
# What a call may spend of a period that has only just begun, where spending follows the clock.
_HEAD_START = 0.1
_FAILURES_TO_PAUSE = 5
_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 600.0
_PROBE_SECONDS = 15.0
_TRANSIENT = ("no_answer", "server_error", "unreadable")
# What concerns the account concerns every endpoint.
_ACCOUNT_PAUSES = {"access_refused": 300, "quota_exhausted": 86_400}
_ENDPOINT_PAUSES = {"plan_restricted": 86_400}

_background: ContextVar[bool] = ContextVar("background", default=False)


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many calls or credits in a UTC day, or in a month that begins on `starts_on`.

    `paced` spreads the whole allowance over its period, so that a busy morning leaves something for the
    evening. Background work may spend `background_share` of it, always spread.
    """

    provider: str
    budget: str
    limit: int
    period: Literal["day", "month"]
    background_share: float
    starts_on: int = 1
    paced: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call to come: what it costs, and how far apart calls to its endpoint must be."""

    endpoint: str
    allowance: Allowance
    cost: int = 1
    spacing_seconds: float = 0.0
    patience_seconds: float = 0.0

    @property
    def provider(self) -> str:
        return self.allowance.provider


@contextmanager
def background_work() -> Iterator[None]:
    """Calls made inside are nobody's request, and are paid from the background's share."""
    token = _background.set(True)
    try:
        yield
    finally:
        _background.reset(token)


async def admit(call: Call) -> None:
    """Pay for a call and wait for its turn. Raises ProviderError, and then nothing is spent."""
    async with db.transaction() as session:
        turn = await repository.take_turn(
            session,
            call.provider,
            call.endpoint,
            call.spacing_seconds,
            call.patience_seconds,
            _PROBE_SECONDS,
        )
        if turn["pause_reason"]:
            raise ProviderError(turn["pause_reason"], retry_after_seconds=turn["wait_seconds"])
        if not turn["taken"]:
            raise ProviderError("rate_limited", retry_after_seconds=turn["wait_seconds"])
        await _pay(session, call)
    if turn["wait_seconds"] > 0:
        await asyncio.sleep(turn["wait_seconds"])


async def _pay(session: db.Session, call: Call) -> None:
    allowance, background = call.allowance, _background.get()
    elapsed, left_seconds = await repository.period(session, allowance.period, allowance.starts_on)
    so_far = min(1.0, _HEAD_START + elapsed)
    paid = await repository.spend(
        session,
        allowance,
        cost=call.cost,
        background_cost=call.cost if background else 0,
        ceiling=int(allowance.limit * (so_far if allowance.paced else 1)),
        background_ceiling=int(allowance.limit * allowance.background_share * so_far),
    )
    if not paid:
        code = "background_budget_spent" if background else "budget_spent"
        soon = min(left_seconds, 60.0) if allowance.paced or background else left_seconds
        raise ProviderError(code, retry_after_seconds=max(1, int(soon)))


async def succeeded(call: Call) -> None:
    async with db.transaction() as session:
        await repository.note_success(session, call.provider, call.endpoint, _PROBE_SECONDS)


async def failed(call: Call, error: ProviderError) -> None:
    """Note a failure, and pause what it says must not be called for a while."""
    code = error.code
    async with db.transaction() as session:
        failures = await repository.note_failure(
            session, call.provider, call.endpoint, code, _PROBE_SECONDS, transient=code in _TRANSIENT
        )
        if code in _ACCOUNT_PAUSES:
            await repository.pause(session, call.provider, WHOLE_PROVIDER, code, _ACCOUNT_PAUSES[code])
        elif code in _ENDPOINT_PAUSES:
            await repository.pause(session, call.provider, call.endpoint, code, _ENDPOINT_PAUSES[code])
        elif code == "rate_limited":
            seconds = error.retry_after_seconds
            await repository.pause(session, call.provider, call.endpoint, code, seconds)
        elif failures >= _FAILURES_TO_PAUSE:
            doubled = _PAUSE_SECONDS * 2 ** min(failures - _FAILURES_TO_PAUSE, 8)
            jittered = min(doubled, _LONGEST_PAUSE_SECONDS) * random.uniform(0.8, 1.2)
            await repository.pause(session, call.provider, call.endpoint, "failing", jittered)


async def keep_apart(call: Call, seconds: float) -> None:
    """Remember that the vendor wants calls to this endpoint so far apart."""
    async with db.transaction() as session:
        await repository.learn_spacing(session, call.provider, call.endpoint, seconds)


async def vendor_counts(allowance: Allowance, left: int) -> None:
    """The vendor says how much is left: others may be spending from the same account."""
    async with db.transaction() as session:
        await repository.spent_at_least(session, allowance, allowance.limit - left)


async def learn_window(
    provider: str, endpoint: str, today: date, first: date | None, last: date | None
) -> None:
    """Remember which dates the vendor publishes, counted from the day on which it said so."""
    async with db.transaction() as session:
        await repository.learn_window(session, provider, endpoint, today, first, last)


async def endpoint(provider: str, name: str) -> Row | None:
    async with db.transaction() as session:
        return await repository.endpoint(session, provider, name)


async def last_outcomes(provider: str) -> tuple[datetime | None, datetime | None]:
    """When the vendor last answered and last failed, whichever endpoint it was."""
    async with db.transaction() as session:
        return await repository.last_outcomes(session, provider)


async def overview(allowances: list[Allowance]) -> tuple[list[Row], list[Row]]:
    """Every budget in its present period with what is left, and every endpoint that was ever called."""
    async with db.transaction() as session:
        budgets = []
        for allowance in allowances:
            spent = await repository.spent(session, allowance)
            budgets.append(
                {
                    "provider": allowance.provider,
                    "budget": allowance.budget,
                    "period": allowance.period,
                    "limit": allowance.limit,
                    "background_limit": int(allowance.limit * allowance.background_share),
                    **spent,
                    "left": max(0, allowance.limit - spent["spent"]),
                }
            )
        return budgets, await repository.endpoints(session)


async def purge(session: Session) -> None:
    await repository.purge(session)
