"""A process of its own that wants to pay, many times at once: `payer <vendor> <limit> <calls>`.

It says `ready`, waits for a line, asks for every call at the same time and prints how many were admitted.
"""

import asyncio
import sys

from app.core import db
from tests.providers.support import allowance, call, outcome


async def main(vendor: str, limit: int, calls: int) -> None:
    db.connect()
    await db.ping()
    _say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    wanted = call(allowance(limit, provider=vendor))
    outcomes = await asyncio.gather(*(outcome(wanted) for _ in range(calls)))
    _say(outcomes.count("admitted"))
    await db.disconnect()


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
