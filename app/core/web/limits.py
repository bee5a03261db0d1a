"""How often a caller may ask: counted by all processes together, spent by each from a share of its own.

A caller's window begins with the first request and lasts a minute. Redis keeps how much of it is given out; a
process takes a share of the rest and spends it here, so that a ready answer waits for nobody. What was not given
out is not spent, so all processes together stay within the limit. Without Redis each process counts for itself.
"""

import asyncio
from collections import OrderedDict
from time import monotonic

from app.core import redis
from app.core.errors import TooManyRequests
from app.core.origin import customer

WINDOW_SECONDS = 60
# A process takes a sixteenth of what is left. So shares become small as the limit comes near, and little is lost
# in a process that the caller does not come back to.
_PARTS = 16
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

Header = tuple[bytes, bytes]


class Account:
    """One caller in this window: requests that this process may still answer, and what is left beyond them."""

    __slots__ = ("beyond", "ends", "left", "renewal")

    def __init__(self) -> None:
        self.left = 0
        self.beyond = 0
        self.ends = 0.0
        self.renewal = asyncio.Lock()


class Limit:
    """So many requests a minute from one address; of an IPv6 address its network counts, which is one customer's.

    The headers are those of the IETF's draft: the policy, what is left as far as this process knows, and the
    seconds until all of it is there again.
    """

    def __init__(self, name: str, quota: int) -> None:
        self.name = name
        self.quota = quota
        self.policy: Header = (b"ratelimit-policy", f'"{name}";q={quota};w={WINDOW_SECONDS}'.encode())
        self._state = f'"{name}";r=%d;t=%d'.encode()
        # The windows that end first come first.
        self._accounts: OrderedDict[str, Account] = OrderedDict()

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
        while account.left <= 0 and account.beyond > 0:
            async with account.renewal:
                if account.left <= 0 and account.beyond > 0:
                    await self._take_share(caller, account)
        refused, account.left = account.left <= 0, max(0, account.left - 1)
        wait = account.ends - monotonic() + _UP
        header = (b"ratelimit", self._state % (account.left + account.beyond, wait))
        return header, self._refusal(wait) if refused else None

    def _refusal(self, wait: float) -> TooManyRequests:
        detail = f"More than {self.quota} requests came from this address in {WINDOW_SECONDS} seconds."
        return TooManyRequests(detail, retry_after=max(1, int(wait)))

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
        key, window = f"limit:{self.name}:{customer(caller)}", WINDOW_SECONDS * 1000
        taken = await redis.or_none(redis.client().eval(_TAKE, 1, key, self.quota, _PARTS, window))
        if taken is None:
            share = -(-account.beyond // _PARTS)
            account.left, account.beyond = share, account.beyond - share
        else:
            # Counted from before the question, so that the window ends here no later than there.
            account.left, account.beyond = taken[0], taken[1]
            account.ends = asked + taken[2] / 1000
