"""Access keys: which plan each has, what the plan allows, how much is used."""

from __future__ import annotations

import re
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from sandbox.aviationstack.envelope import Refusal

BOARDS = frozenset({"timetable", "flightsFuture"})
REFERENCE = frozenset({"airports", "airlines", "airplanes", "aircraft_types", "taxes", "cities", "countries"})
EVERYTHING = BOARDS | REFERENCE | {"flights", "routes"}
BURST = 5


@dataclass(frozen=True, slots=True)
class Plan:
    """What a key may do. A plan with overage goes on, and bills, when its quota is used up."""

    name: str
    functions: frozenset[str] = EVERYTHING
    quota: int | None = None
    overage: bool = True
    max_limit: int = 100
    board_seconds: float | None = 10
    per_second: int | None = BURST
    extras: bool = True


PLANS = {
    plan.name: plan
    for plan in (
        Plan("sandbox", max_limit=1000, board_seconds=None, per_second=None),
        Plan(
            "free",
            EVERYTHING - {"routes"},
            quota=100,
            overage=False,
            board_seconds=60,
            extras=False,
        ),
        Plan(
            "free_strict",
            frozenset({"flights", "flightsFuture"}),
            quota=100,
            overage=False,
            board_seconds=60,
            extras=False,
        ),
        Plan("basic", quota=10_000),
        Plan("professional", quota=50_000, max_limit=1000),
        Plan("expired", frozenset()),
        Plan("inactive"),
    )
}


class Keys:
    """The keys, what they used and when they last called. Every plan's name is a key of that plan."""

    def __init__(self) -> None:
        self.plans: dict[str, str] = {}
        self.used: Counter[tuple[str, str]] = Counter()
        self._recent: dict[tuple[str, str], deque[datetime]] = defaultdict(deque)
        self.reset()

    def reset(self) -> None:
        self.plans = {name: name for name in PLANS}
        self.used.clear()
        self._recent.clear()

    def profile(self, key: str | None) -> str:
        """The plan's name for the journal, which never sees the key."""
        return self.plans.get(key, "unknown") if key else "none"

    def admit(self, key: str | None, function: str, now: datetime) -> Plan:
        """The key's plan, or a refusal. A call that is let in counts."""
        plan = self._plan(key)
        if function not in plan.functions:
            raise not_in_plan("Your current subscription plan does not support this API function.")
        month = (key or "", now.strftime("%Y-%m"))
        if plan.quota is not None and not plan.overage and self.used[month] >= plan.quota:
            raise quota_used_up()
        self._hold_back(key or "", plan, function, now)
        self.used[month] += 1
        return plan

    def _plan(self, key: str | None) -> Plan:
        if not key:
            raise Refusal(401, "missing_access_key", "No access key was given.")
        if key not in self.plans:
            raise Refusal(401, "invalid_access_key", "The access key is not valid.")
        plan = PLANS[self.plans[key]]
        if plan.name == "inactive":
            raise Refusal(401, "inactive_user", "The account is not active.")
        return plan

    def _hold_back(self, key: str, plan: Plan, function: str, now: datetime) -> None:
        """Boards are counted each on its own, all other functions together."""
        slow = function in BOARDS
        seconds, most = (plan.board_seconds, 1) if slow else (1.0, plan.per_second)
        if seconds is None or most is None:
            return
        recent = self._recent[key, function if slow else ""]
        # A clock that was set back would otherwise forbid calls until it has caught up.
        while recent and not timedelta() <= now - recent[0] < timedelta(seconds=seconds):
            recent.popleft()
        if len(recent) >= most:
            raise too_fast()
        recent.append(now)


def looks_like_a_key(key: str) -> bool:
    """Only those get the proper envelope; anything else is turned away at the gateway."""
    return key == "invalid" or re.fullmatch(r"[0-9a-f]{32}", key) is not None


def not_in_plan(message: str) -> Refusal:
    return Refusal(403, "function_access_restricted", message)


def quota_used_up() -> Refusal:
    return Refusal(429, "usage_limit_reached", "The monthly number of requests of your plan is used up.")


def too_fast() -> Refusal:
    return Refusal(429, "rate_limit_reached", "Too many requests in too short a time.")
