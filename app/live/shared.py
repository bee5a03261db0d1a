"""Pictures in Redis: what one process has fetched, all have.

Whoever fetches takes the tile's lock, which comes with a number that only grows. A picture is stored under
that number and never replaced by one with a lesser: a process that was held up for so long that its lock ran
out does no harm. How old and how fresh a picture is, Redis counts; no two machines' clocks are compared.
"""

from dataclasses import dataclass
from typing import Any

from app.core import redis

KEPT_SECONDS = 900
# More than a fetch may take, so that it is another's turn only when somebody has died.
_LOCK_SECONDS = 22
_NUMBERS_KEPT_SECONDS = 86_400

# KEYS: picture, fresh, failure. ARGV: the number that the caller has.
_READ = """
local number = tonumber(redis.call('HGET', KEYS[1], 'number') or '0')
local body = ''
if number > 0 and number ~= tonumber(ARGV[1]) then body = redis.call('HGET', KEYS[1], 'body') end
return {number, redis.call('PTTL', KEYS[1]), redis.call('PTTL', KEYS[2]), body,
        redis.call('GET', KEYS[3]) or '', redis.call('PTTL', KEYS[3])}
"""
# KEYS: lock, number. ARGV: milliseconds, seconds.
_TAKE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local number = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('SET', KEYS[1], number, 'PX', ARGV[1])
return number
"""
# KEYS: picture, fresh, failure, lock. ARGV: number, body, milliseconds kept, milliseconds fresh.
_PUT = """
if tonumber(redis.call('HGET', KEYS[1], 'number') or '0') < tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'number', ARGV[1], 'body', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    redis.call('SET', KEYS[2], '1', 'PX', ARGV[4])
    redis.call('DEL', KEYS[3])
end
if redis.call('GET', KEYS[4]) == ARGV[1] then redis.call('DEL', KEYS[4]) end
"""
# KEYS: failure, lock. ARGV: number, code, milliseconds.
_FAIL = """
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a tile; `body` is empty where the caller has it already, `failure` where none is known."""

    number: int
    body: bytes
    left_seconds: float
    fresh_seconds: float
    failure: str
    failed_for_seconds: float


async def read(name: str, number: int) -> Stored | None:
    """What is stored of a tile, by somebody who has this number of it; None without Redis."""
    found = await _run(_READ, [f"live:{name}", f"live:{name}:fresh", f"live:{name}:failure"], number)
    if found is None:
        return None
    stored, kept, fresh, body, failure, failed = found
    return Stored(int(stored), body, kept / 1000, fresh / 1000, failure.decode(), failed / 1000)


async def take(name: str) -> int | None:
    """The number of the fetch that is now the caller's; 0 where another fetches, None without Redis."""
    keys = [f"live:{name}:lock", f"live:{name}:number"]
    taken = await _run(_TAKE, keys, _LOCK_SECONDS * 1000, _NUMBERS_KEPT_SECONDS)
    return None if taken is None else int(taken)


async def put(name: str, number: int, body: bytes, fresh_seconds: float) -> None:
    """Store what was fetched under this number, and let others fetch again."""
    keys = [f"live:{name}", f"live:{name}:fresh", f"live:{name}:failure", f"live:{name}:lock"]
    await _run(_PUT, keys, number, body, KEPT_SECONDS * 1000, int(fresh_seconds * 1000))


async def give_back(name: str, number: int, failure: str = "", seconds: float = 0) -> None:
    """Let others fetch; where it failed, they know for a while that there is no use in it."""
    keys = [f"live:{name}:failure", f"live:{name}:lock"]
    await _run(_FAIL, keys, number, failure, max(1, int(seconds * 1000)))


async def _run(script: str, keys: list[str], *arguments: Any) -> Any:
    return await redis.or_none(redis.client().eval(script, len(keys), *keys, *arguments))
