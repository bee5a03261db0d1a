"""Limits that must hold whatever becomes of Redis: each attempt is a row in PostgreSQL, and the last ones are counted.

Exact over all processes: attempts of one caller queue on a lock until the one before them is durable. Rows tell
nobody whose they are: they hold a keyed hash of the caller.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, LargeBinary, String, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core import db
from app.core.config import settings
from app.core.db import Base, Session, rows
from app.core.errors import TooManyRequests


class Attempt(Base):
    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_recent", "policy", "caller", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    policy: Mapped[str] = mapped_column(String(32))
    caller: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


@dataclass(frozen=True, slots=True)
class Policy:
    """So many attempts of one caller within so many seconds, whichever seconds these are."""

    name: str
    quota: int
    seconds: int


async def spend(policy: Policy, caller: str) -> None:
    """Count one attempt, in a transaction of its own, before it is made. Raises TooManyRequests beyond the quota.

    For what a refused or rolled back request must have spent all the same.
    """
    async with db.transaction() as session:
        wait = await _spend(session, policy, caller)
    if wait is not None:
        raise refusal(policy, wait)


async def spend_in(session: Session, policy: Policy, caller: str) -> None:
    """Count one attempt in the caller's transaction: one that is rolled back was none. Raises TooManyRequests."""
    wait = await _spend(session, policy, caller)
    if wait is not None:
        raise refusal(policy, wait)


async def check(session: Session, policy: Policy, caller: str, *, in_turn: bool = False) -> None:
    """Raises TooManyRequests where the quota is spent; counts nothing.

    `in_turn`: once those who are at it are through, and before those who come later, until the transaction ends.
    Who notes only failures decides so, and however many try at once, no more of them are answered than the quota.
    """
    if not settings().rate_limit_enabled:
        return
    hashed = _hashed(caller)
    if in_turn:
        await rows(session, _QUEUE, policy=policy.name, caller=hashed)
    known = {"policy": policy.name, "caller": hashed, "seconds": policy.seconds}
    found = await rows(session, _WAIT, **known, last=policy.quota - 1)
    if found:
        raise refusal(policy, float(found[0]["wait"]))


async def note(session: Session, policy: Policy, caller: str) -> None:
    """Count an attempt in the caller's transaction, whatever the quota."""
    await rows(
        session,
        "INSERT INTO attempts (policy, caller) VALUES (:policy, :caller)",
        policy=policy.name,
        caller=_hashed(caller),
    )


async def count_of_all(session: Session, policy: Policy, seconds: int, most: int) -> int:
    """How many attempts of all callers were made within so many seconds; counted no further than `most`."""
    [found] = await rows(session, _COUNT_OF_ALL, policy=policy.name, seconds=seconds, most=most)
    return int(found["made"])


async def count(session: Session, policy: Policy, caller: str) -> int:
    """How many attempts of this caller count at the moment."""
    [found] = await rows(session, _COUNT, policy=policy.name, caller=_hashed(caller), seconds=policy.seconds)
    return int(found["made"])


async def forget(session: Session, policy: Policy, caller: str) -> None:
    """Let this caller's attempts count no more, as after one that went well."""
    await rows(
        session,
        "DELETE FROM attempts WHERE policy = :policy AND caller = :caller",
        policy=policy.name,
        caller=_hashed(caller),
    )


async def purge(session: Session) -> None:
    """Drop what no policy looks at any more."""
    await rows(session, "DELETE FROM attempts WHERE at < now() - interval '2 days'")


def refusal(policy: Policy, wait: float) -> TooManyRequests:
    detail = f"No more than {policy.quota} of these in {policy.seconds} seconds."
    violated: dict[str, Any] = {"violated-policies": [policy.name]}
    return TooManyRequests(detail, retry_after=max(1, int(wait + 0.999)), **violated)


async def _spend(session: Session, policy: Policy, caller: str) -> float | None:
    """None, or the seconds until the oldest of the attempts that fill the quota counts no more."""
    if not settings().rate_limit_enabled:
        return None
    hashed = _hashed(caller)
    await rows(session, _QUEUE, policy=policy.name, caller=hashed)
    known = {"policy": policy.name, "caller": hashed, "seconds": policy.seconds}
    [found] = await rows(session, _SPEND, **known, quota=policy.quota, last=policy.quota - 1)
    return None if found["spent"] else float(found["wait"] or policy.seconds)


def _hashed(caller: str) -> bytes:
    return hmac.digest(settings().secret_keys[-1].encode(), b"attempt " + caller.encode(), "sha256")[:16]


_QUEUE = (
    "SELECT pg_advisory_xact_lock(hashtextextended("
    "CAST(:policy AS text) || encode(CAST(:caller AS bytea), 'hex'), 0))"
)
_COUNT = """
    SELECT count(*) AS made FROM attempts
    WHERE policy = :policy AND caller = :caller AND at > clock_timestamp() - make_interval(secs => :seconds)
"""
_COUNT_OF_ALL = """
    SELECT count(*) AS made FROM (
        SELECT FROM attempts
        WHERE at > clock_timestamp() - make_interval(secs => :seconds) AND policy = :policy LIMIT :most) recent
"""
_WAIT = """
    SELECT extract(epoch FROM at + make_interval(secs => :seconds) - clock_timestamp()) AS wait FROM attempts
    WHERE policy = :policy AND caller = :caller AND at > clock_timestamp() - make_interval(secs => :seconds)
    ORDER BY at DESC OFFSET :last LIMIT 1
"""
# The clock and not the transaction's beginning, which may be long before its turn in the queue.
_SPEND = """
    WITH recent AS (
        SELECT at FROM attempts
        WHERE policy = :policy AND caller = :caller AND at > clock_timestamp() - make_interval(secs => :seconds)
        ORDER BY at DESC LIMIT :quota),
    spent AS (
        INSERT INTO attempts (policy, caller) SELECT :policy, :caller
        WHERE (SELECT count(*) FROM recent) < :quota RETURNING id)
    SELECT EXISTS (SELECT FROM spent) AS spent,
           extract(epoch FROM (SELECT at FROM recent ORDER BY at DESC OFFSET :last LIMIT 1)
                   + make_interval(secs => :seconds) - clock_timestamp()) AS wait
"""
