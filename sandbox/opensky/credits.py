"""Credits: three buckets a day for every caller, and what an answer costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

BUCKETS = ("states", "tracks", "flights")
ANONYMOUS = "anonymous"
# Every client's secret is its name.
DAILY = {ANONYMOUS: 400, "sandbox": 1_000_000, "user": 4000, "feeder": 8000, "exhausted": 0}
CLIENTS = tuple(name for name in DAILY if name != ANONYMOUS)

WHOLE_WORLD = 4
LIVE = 4
AREAS = ((25.0, 1), (100.0, 2), (400.0, 3))
# Up to so many days of UTC, each costs so much; the shortest history has one price.
SHORT_HISTORY = 30
DAYS = ((10, 60), (15, 120), (20, 240), (25, 480))
LONG_HISTORY = 960


class Exhausted(Exception):
    """There is not enough left; there will be at midnight."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"until midnight in {seconds} s")
        self.seconds = seconds


class Credits:
    """What every caller has used of each bucket. A day ends at midnight UTC, by the sandbox's clock."""

    def __init__(self) -> None:
        self._daily = dict(DAILY)
        self._used: Counter[tuple[str, str, date]] = Counter()

    def reset(self) -> None:
        self._daily = dict(DAILY)
        self._used.clear()

    def left(self, profile: str, bucket: str, now: datetime) -> int:
        return self._daily[profile] - self._used[profile, bucket, now.date()]

    def spend(self, client: str | None, bucket: str, cost: int, now: datetime) -> int:
        """What is left afterwards. A caller who cannot pay the whole price pays nothing."""
        profile = client or ANONYMOUS
        left = self.left(profile, bucket, now) - cost
        if left < 0:
            raise Exhausted(_until_midnight(now))
        self._used[profile, bucket, now.date()] += cost
        return left

    def change(self, daily: Mapping[str, int], left: Mapping[str, Mapping[str, int]], now: datetime) -> None:
        """Another allowance from now on, or another rest for today."""
        self._daily |= daily
        for profile, buckets in left.items():
            for bucket, rest in buckets.items():
                self._used[profile, bucket, now.date()] = self._daily[profile] - rest

    def shown(self, now: datetime) -> dict[str, Any]:
        """Allowances and rests, as `change` takes them."""
        rests = {name: {bucket: max(0, self.left(name, bucket, now)) for bucket in BUCKETS} for name in DAILY}
        return {"daily": self._daily, "credits": rests}


def read_daily(body: Any) -> dict[str, int]:
    """`{"user": 4000}`: credits a day, in each bucket."""
    return {profile: _whole(profile, value) for profile, value in _known(body, DAILY).items()}


def read_left(body: Any) -> dict[str, dict[str, int]]:
    """`{"user": 40}` for all three buckets, or `{"user": {"states": 40}}` for one: what is left of today's."""
    rests = {}
    for profile, value in _known(body, DAILY).items():
        each = dict.fromkeys(BUCKETS, value) if not isinstance(value, dict) else _known(value, BUCKETS)
        rests[profile] = {bucket: _whole(f"{profile} {bucket}", rest) for bucket, rest in each.items()}
    return rests


def area_cost(square_degrees: float | None) -> int:
    """The price of states in a box, or of all of them."""
    if square_degrees is None:
        return WHOLE_WORLD
    return next((cost for most, cost in AREAS if square_degrees <= most), WHOLE_WORLD)


def history_cost(begin: datetime, end: datetime, now: datetime) -> int:
    """The price of flights or a track: nearly nothing since yesterday, else by the days it touches."""
    if begin > now - timedelta(days=1):
        return LIVE
    days = (end.date() - begin.date()).days + 1
    if days <= 2:
        return SHORT_HISTORY
    return days * next((each for most, each in DAYS if days <= most), LONG_HISTORY)


def _known(body: Any, names: Mapping[str, int] | tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(body, dict) or body.keys() - set(names):
        raise ValueError(f"credits are given as an object with names out of {sorted(names)}")
    return body


def _whole(name: str, value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"the credits of {name} must be a whole number, and not negative")
    return value


def _until_midnight(now: datetime) -> int:
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return int((midnight - now).total_seconds()) + 1
