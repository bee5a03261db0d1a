"""How often a caller may ask: counted by all processes together, spent by each from a share of its own.

A caller's window begins with the first request and lasts a minute. Redis keeps how much of it is given out. Small
limits are counted one by one; of a large one a process takes a share and spends it here, so that a ready answer
waits for nobody, and gives back what it has not spent in a moment. What was not given out is not spent, so all
processes together stay within the limit. Without Redis each process allows its part of it.
"""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any

from app.core import redis
from app.core.errors import TooManyRequests
from app.core.origin import customer
from app.core.web.headers import Header

WINDOW_SECONDS = 60
# Up to here every request asks Redis, and the limit is exact whichever process is asked.
_ONE_BY_ONE = 100
# Beyond it a process takes a sixteenth of what is left. So shares become small as the limit comes near.
_PARTS = 16
# How long a share is good for, and how long a refusal is not questioned.
SHARE_SECONDS = 0.5
# What is given back must not arrive in the next window.
_LATEST_SECONDS = 0.5
_MOST_CALLERS = 20_000
# Seconds are told as whole ones and rounded up, so that nobody comes back too early.
_UP = 0.999

# KEYS: how much is given out. ARGV: the limit, parts, milliseconds of a window. Gives the share, what is left
# after it, and how many milliseconds the window still lasts.
_TAKE = """
local given, lasts = tonumber(redis.call('GET', KEYS[1]) or '0'), redis.call('PTTL', KEYS[1])
if lasts < 0 then given, lasts = 0, tonumber(ARGV[3]) end
local left = math.max(0, tonumber(ARGV[1]) - given)
local share = math.ceil(left / ARGV[2])
if share > 0 then redis.call('SET', KEYS[1], given + share, 'PX', math.max(1, lasts)) end
return {share, left - share, lasts}
"""
# KEYS: how much is given out. ARGV: how much of it comes back.
_GIVE_BACK = """
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then redis.call('DECRBY', KEYS[1], ARGV[1]) end
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """So many requests a minute. Without paths it is for everything; a path that ends in `*` is for all below it."""

    name: str
    quota: int
    paths: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def covers(self, method: str, path: str) -> bool:
        return (not self.methods or method in self.methods) and any(
            path.startswith(one[:-1]) if one.endswith("*") else path == one for one in self.paths
        )


class Account:
    """One caller in this window: requests that this process may still answer, and what is left beyond them."""

    __slots__ = ("beyond", "ends", "left", "look_again", "renewal")

    def __init__(self) -> None:
        self.left = 0
        self.beyond = 0
        self.ends = 0.0
        self.look_again = 0.0
        self.renewal = asyncio.Lock()

    @property
    def may_have_more(self) -> bool:
        """Others may have given something back since Redis was asked last."""
        return self.left <= 0 and (self.beyond > 0 or monotonic() >= self.look_again)


class Limit:
    """So many requests a minute of one caller; of an IPv6 address its network counts, which is one customer's.

    The headers are those of the IETF's draft: the policy, what is left as far as this process knows, and the
    seconds until all of it is there again. `processes` share the limit while Redis is away.
    """

    def __init__(self, policy: Policy, processes: int = 1) -> None:
        self.name, self.quota = policy.name, policy.quota
        self.covers = policy.covers
        self._alone = -(-policy.quota // processes)
        self._told = [
            (b"ratelimit-policy", f'"{policy.name}";q={quota};w={WINDOW_SECONDS}'.encode())
            for quota in (self.quota, self._alone)
        ]
        self.policy: Header = self._told[0]
        self._state = f'"{policy.name}";r=%d;t=%d'.encode()
        self._parts = self.quota if self.quota <= _ONE_BY_ONE else _PARTS
        # The windows that end first come first.
        self._accounts: OrderedDict[str, Account] = OrderedDict()
        self._returning: set[asyncio.Task[None]] = set()

    def spend(self, caller: str, now: float) -> Header | None:
        """One request of this process's share, as the header that tells of it; None where nothing is left here."""
        account = self._accounts.get(caller)
        if account is None or account.left <= 0 or now >= account.ends:
            return None
        account.left = left = account.left - 1
        return (b"ratelimit", self._state % (left + account.beyond, account.ends - now + _UP))

    async def ask(self, caller: str, now: float) -> tuple[Header, TooManyRequests | None]:
        """One request of a new share, or the refusal."""
        account = self._accounts.get(caller)
        if account is None or now >= account.ends:
            account = self._open(caller, account or Account(), now)
        while account.may_have_more:
            async with account.renewal:
                if account.may_have_more:
                    await self._take_share(caller, account)
        refused, account.left = account.left <= 0, max(0, account.left - 1)
        wait = account.ends - monotonic() + _UP
        header = (b"ratelimit", self._state % (account.left + account.beyond, wait))
        return header, self._refusal(wait) if refused else None

    def _refusal(self, wait: float) -> TooManyRequests:
        detail = f"More than {self.quota} of these requests came from you in {WINDOW_SECONDS} seconds."
        violated: dict[str, Any] = {"violated-policies": [self.name]}
        return TooManyRequests(detail, retry_after=max(1, int(wait)), **violated)

    def _open(self, caller: str, account: Account, now: float) -> Account:
        """A new window, behind all others; what is over or too much goes."""
        account.left, account.beyond, account.ends = 0, self.quota, now + WINDOW_SECONDS
        self._accounts[caller] = account
        self._accounts.move_to_end(caller)
        while len(self._accounts) > 1:
            first = next(iter(self._accounts))
            if len(self._accounts) <= _MOST_CALLERS and self._accounts[first].ends > now:
                break
            del self._accounts[first]
        return account

    async def _take_share(self, caller: str, account: Account) -> None:
        asked = monotonic()
        window = WINDOW_SECONDS * 1000
        taken = await redis.or_none(
            redis.client().eval(_TAKE, 1, self._key(caller), self.quota, self._parts, window)
        )
        account.look_again = asked + SHARE_SECONDS
        self.policy = self._told[taken is None]
        if taken is None:
            account.beyond = min(account.beyond, self._alone)
            share = -(-account.beyond // self._parts)
            account.left, account.beyond = share, account.beyond - share
            return
        # Counted from before the question, so that the window ends here no later than there.
        account.left, account.beyond = taken[0], taken[1]
        account.ends = asked + taken[2] / 1000
        if account.left > 1:
            asyncio.get_running_loop().call_later(SHARE_SECONDS, self._give_back, caller, account)

    def _give_back(self, caller: str, account: Account) -> None:
        """Let other processes have what this one was given and has not spent."""
        unspent = account.left
        if unspent > 0 and monotonic() < account.ends - _LATEST_SECONDS:
            account.left, account.beyond = 0, account.beyond + unspent
            task = asyncio.create_task(self._given_back(self._key(caller), unspent))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)

    async def _given_back(self, key: str, unspent: int) -> None:
        with suppress(RuntimeError):  # The process is stopping and has no connection any more.
            await redis.or_none(redis.client().eval(_GIVE_BACK, 1, key, unspent))

    def _key(self, caller: str) -> str:
        return f"limit:{self.name}:{customer(caller)}"
