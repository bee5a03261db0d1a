"""Searches beside a flood of logins: `python -m benchmarks.logins [--rounds 5] [--seconds 5]`.

Searches come at a steady rate to one API process on one core, in turn without and with a flood: 60 logins a second,
twice what a core hashes, with wrong passwords and each for another account. What counts is how much longer the searches
take. They are of two kinds: those that the process has ready, and those that it works out.
"""

import argparse
import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import count
from statistics import median, quantiles
from time import perf_counter
from typing import NamedTuple

import aiohttp

from benchmarks import stack

_LOGINS_A_SECOND = 60
# A core works out some 15 a second.
_READY_A_SECOND, _ANEW_A_SECOND = 50, 4
_numbers = count()


class _Kind(NamedTuple):
    name: str
    url: Callable[[], str]
    a_second: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logins", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    arguments = parser.parse_args()
    # The queue of production.
    with stack.product(PASSWORD_QUEUE="50") as (url, _, _):
        asyncio.run(_measure(url, arguments.rounds, arguments.seconds))


async def _measure(url: str, rounds: int, seconds: float) -> None:
    search = f"{url}/flights/search?origin=JFK&destination=LHR&departure_date={stack.DAY}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2)) as session:
        ready = _Kind("ready", lambda: search, _READY_A_SECOND)
        print(await _compared(session, url, ready, rounds, seconds))
        anew = _Kind("worked out", lambda: f"{search}&max_price={next(_numbers) + 9000}", _ANEW_A_SECOND)
        print(await _compared(session, url, anew, rounds, seconds))


async def _compared(
    session: aiohttp.ClientSession, url: str, kind: _Kind, rounds: int, seconds: float
) -> str:
    calm, flooded, answers = list[float](), list[float](), Counter[str]()
    await _searched(session, kind, 1)
    for _ in range(rounds):
        calm.append(await _searched(session, kind, seconds))
        flood = asyncio.create_task(_flood(session, url, answers))
        await asyncio.sleep(2)
        flooded.append(await _searched(session, kind, seconds))
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
        await asyncio.sleep(3)  # What is in hand is hashed to its end.
    ratios = [after / before for before, after in zip(calm, flooded, strict=True)]
    return (
        f"searches that are {kind.name}: p95 {median(calm):.1f} ms, in a flood of logins {median(flooded):.1f} ms,"
        f" ratio {median(ratios):.2f} [{min(ratios):.2f} to {max(ratios):.2f}]; logins answered: {dict(answers)}"
    )


async def _searched(session: aiohttp.ClientSession, kind: _Kind, seconds: float) -> float:
    """The 95th percentile in milliseconds, from when each was due: one that has to wait is slow as well."""
    begun, times = perf_counter(), list[float]()

    async def search(due: float) -> None:
        async with session.get(kind.url()) as answer:
            await answer.read()
            if answer.status != 200:
                raise SystemExit(f"A search was answered with {answer.status}.")
        times.append((perf_counter() - due) * 1000)

    searches = []
    for number in range(int(seconds * kind.a_second)):
        due = begun + number / kind.a_second
        await asyncio.sleep(max(0.0, due - perf_counter()))
        searches.append(asyncio.create_task(search(due)))
    await asyncio.gather(*searches)
    return quantiles(times, n=20)[-1]


async def _flood(session: aiohttp.ClientSession, url: str, answers: Counter[str]) -> None:
    async def log_in() -> None:
        body = {"email": f"flood{next(_numbers)}@example.com", "password": "not the password"}
        try:
            async with session.post(f"{url}/auth/login", json=body) as answer:
                await answer.read()
                answers[str(answer.status)] += 1
        except aiohttp.ClientError:
            answers["no answer"] += 1

    async with asyncio.TaskGroup() as logins:
        while True:
            logins.create_task(log_in())
            await asyncio.sleep(1 / _LOGINS_A_SECOND)


if __name__ == "__main__":
    main()
