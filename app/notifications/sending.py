"""Rows that are sent, mails and pushes alike: claimed for the time of a lease, tried, and how it went is kept."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import uniform

from prometheus_client import Counter

from app.core import db, tracing
from app.core.db import Row
from app.core.logging import logger
from app.notifications import repository

log = logger("jetway.notifications")

# Longer than an attempt can take, so that who is alive is never taken for lost.
LEASE_SECONDS = 60
_MOST_ATTEMPTS = 20
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 15.0, 3600.0


class Refused(Exception):
    """This will never be taken; the message is a word of ours."""


class Delayed(Exception):
    """This was not taken, or nobody said so; the next one may be."""

    def __init__(self, reason: str, rest_seconds: float = 0) -> None:
        super().__init__(reason)
        self.rest_seconds = rest_seconds


class Unreachable(Delayed):
    """Nothing else would fare better now, nor, where it was said, in so many seconds."""


class Dropped(Exception):
    """Nobody needs to hear this any more."""


class Waits(Exception):
    """It is to be told later; nothing was tried."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Sender:
    """`send` raises one of the above; `attempts` counts how it ended."""

    table: repository.Table
    attempts: Counter
    send: Callable[[Row], Awaitable[None]]

    async def claim(self) -> Row | None:
        """A row that is this sender's for the time of a lease, which is durable before anything is sent."""
        async with db.transaction() as session:
            return await repository.claim(session, self.table, uuid.uuid4(), LEASE_SECONDS)

    async def attempt(self, row: Row) -> bool:
        """Send a claimed row and keep how it went; whether others are worth trying now."""
        if row["attempts"] > _MOST_ATTEMPTS:
            await self._finish(row, "failed", "given_up")
            return True
        told = {"jetway.kind": row["kind"], "jetway.attempt": row["attempts"]}
        try:
            with tracing.followed(f"send {self.table}", "producer", row["traceparent"], told):
                await self.send(row)
        except Refused as refusal:
            await self._finish(row, "failed", str(refusal))
        except Dropped as reason:
            await self._finish(row, "dropped", str(reason))
        except Waits as reason:
            await self._finish(row, "waits", str(reason), reason.seconds)
        except Delayed as delay:
            await self._later(row, str(delay), delay.rest_seconds)
            return not isinstance(delay, Unreachable)
        except Exception:
            # One that cannot be written must not keep the others from being sent.
            log.exception("not written", table=self.table, id=row["id"], kind=row["kind"])
            await self._later(row, "not_written")
        else:
            await self._finish(row, "sent", None)
        return True

    async def _later(self, row: Row, reason: str, rest_seconds: float = 0) -> None:
        """After twice the time of the last wait, and a little more or less, so that not all come back at once."""
        if row["attempts"] >= _MOST_ATTEMPTS:
            await self._finish(row, "failed", reason)
            return
        wait = min(_FIRST_WAIT_SECONDS * 2 ** (row["attempts"] - 1), _LONGEST_WAIT_SECONDS)
        await self._finish(row, "later", reason, max(wait * uniform(0.8, 1.2), rest_seconds))
        if rest_seconds:
            async with db.transaction() as session:
                await repository.rest(session, self.table, rest_seconds)

    async def _finish(self, row: Row, outcome: str, reason: str | None, wait_seconds: float = 0) -> None:
        state = {"later": "queued", "waits": "queued", "dropped": "failed"}.get(outcome, outcome)
        async with db.transaction() as session:
            ours = await repository.finish(
                session,
                self.table,
                row,
                state,
                reason and reason[:32],
                wait_seconds,
                tried=outcome != "waits",
            )
        # What is dropped may be gone already, with the device that it was for.
        outcome = outcome if ours or outcome == "dropped" else "lost"
        self.attempts.labels(row["kind"], outcome).inc()
        if outcome in ("failed", "lost"):
            log.warning(
                "not sent", table=self.table, id=row["id"], kind=row["kind"], outcome=outcome, reason=reason
            )
