"""`python -m benchmarks.itineraries`: connection search in a synthetic world of 1,000,000 dated flights, beside SQL.

The flights are loaded into PostgreSQL; days are made from them as the product makes them. The engine, SQL self-joins
over the same table, and the API are asked for the same busiest pairs. `--world` adds 330 days, 33 million flights.
"""

import argparse
import asyncio
import itertools
import os
import platform
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import numpy as np

from benchmarks import stack
from benchmarks.world import World
from dev.servers import embedded_servers

_FIRST = datetime.now(UTC).date() + timedelta(days=40)
_DAYS, _PAIRS, _SQL_PAIRS, _CEILING = 10, 30, 6, "20s"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.itineraries", description=__doc__)
    parser.add_argument(
        "--world", action="store_true", help="also 33 million flights; some minutes and 1.2 GB"
    )
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}; engine and API on one core, PostgreSQL and load on the other")
    with tempfile.TemporaryDirectory(prefix="jetway-bench-") as directory:
        with embedded_servers(Path(directory), durable=True) as servers:
            environment = {
                "APP_ENV": "test",
                "DATABASE_URL": servers.postgres.url,
                "REDIS_URL": servers.redis.url,
                "AVIATIONSTACK_KEY": "",
                "OPENSKY_ENABLED": "false",
                "TIMETABLE_DIR": str(Path(directory) / "timetable"),
                "SEARCH_CACHE_SECONDS": "0",
                "HOT_CACHE_SECONDS": "0",
                "LOG_LEVEL": "WARNING",
            }
            os.environ.update(environment)
            os.sched_setaffinity(0, stack.LOAD_CORE)
            stack.run([sys.executable, "-m", "alembic", "upgrade", "head"], environment)
            asyncio.run(_measure(environment, arguments.world))


async def _measure(environment: dict[str, str], whole_world: bool) -> None:
    from app.airports import service as airports
    from app.core import db, redis
    from app.rules import service as rules
    from app.timetable import service as timetable
    from app.timetable.connections import CONNECTIONS

    world = World()
    pairs = list(itertools.permutations(world.busiest(12), 2))[:: 132 // _PAIRS][:_PAIRS]
    dates = [_FIRST + timedelta(days=n) for n in range(_DAYS)]
    started = time.perf_counter()
    flights = await world.load(environment["DATABASE_URL"], dates)
    print(f"world     {flights:,} flights of {_DAYS} days loaded in {time.perf_counter() - started:.0f} s")
    db.connect()
    redis.connect()
    await airports.load()
    async with db.transaction() as session:
        book = {**CONNECTIONS.packaged().tables, "alliances": world.alliances}
        await rules.publish(session, "connections", book, "console", "The synthetic world's alliances")
    await rules.load()
    os.sched_setaffinity(0, stack.SERVER_CORE)
    started = time.perf_counter()
    days = await timetable.days(dates)
    print(f"files     {_DAYS} days made from PostgreSQL in {time.perf_counter() - started:.2f} s")
    timetable._mapped.clear()
    started = time.perf_counter()
    days = await timetable.days(dates)
    print(f"restart   mapped again in {(time.perf_counter() - started) * 1000:.0f} ms")

    engine = {n: _engine(days, pairs, n, dates[1:7]) for n in (0, 1, 2)}
    for n, taken in engine.items():
        print(f"engine    {n} connections, {len(taken)} searches: {_told(taken)}")
    await _beside_sql(environment["DATABASE_URL"], days, pairs)
    _growth(days, pairs, engine[2])
    if whole_world:
        _whole_world(pairs)
    await redis.disconnect()
    await db.disconnect()
    os.sched_setaffinity(0, stack.LOAD_CORE)
    with stack.server("app.main:app", port := stack.free_port(8760), environment):
        _over_http(f"http://127.0.0.1:{port}", pairs, dates)


def _engine(
    days: Sequence[Any], pairs: Sequence[tuple[str, str]], connections: int, dates: Sequence[date]
) -> list[float]:
    """Milliseconds of each search, of all pairs on all dates, in turn."""
    from app.airports.service import directory
    from app.rules.service import in_force
    from app.timetable.connections import CONNECTIONS
    from app.timetable.engine import Wish, itineraries
    from app.timetable.places import Places

    rules, places, taken = in_force(CONNECTIONS), Places.of(directory()), []
    by_date = {day.day: day for day in days}
    for turn, (day, (origin, destination)) in enumerate(itertools.product([dates[0], *dates], pairs)):
        around = [
            by_date[one] for n in range(-1, connections + 2) if (one := day + timedelta(days=n)) in by_date
        ]
        wish = Wish(
            origins=(origin,), destinations=(destination,), day=day, max_connections=connections, not_before=0
        )
        started = time.perf_counter()
        itineraries(around, wish, rules, places)
        if turn >= len(pairs):  # The first turn touches the pages of the files.
            taken.append((time.perf_counter() - started) * 1000)
    return taken


# What the engine finds but for dominance, without its rules of minimum times and detours: less work, not more.
_JOINS = {
    1: """
        SELECT a.id, b.id FROM flights a JOIN flights b ON b.origin = a.destination
          AND b.departs_at BETWEEN a.arrives_at + interval '45 min' AND a.arrives_at + interval '24 h'
        WHERE a.origin = $1 AND b.destination = $2 AND a.departure_date = $3
          AND b.departure_date BETWEEN $3 - 1 AND $3 + 2
        ORDER BY b.arrives_at - a.departs_at LIMIT 200""",
    2: """
        SELECT a.id, b.id, c.id FROM flights a JOIN flights b ON b.origin = a.destination
          AND b.departs_at BETWEEN a.arrives_at + interval '45 min' AND a.arrives_at + interval '24 h'
        JOIN flights c ON c.origin = b.destination
          AND c.departs_at BETWEEN b.arrives_at + interval '45 min' AND b.arrives_at + interval '24 h'
        WHERE a.origin = $1 AND c.destination = $2 AND a.departure_date = $3 AND b.destination NOT IN ($1, $2)
          AND b.departure_date BETWEEN $3 - 1 AND $3 + 2 AND c.departure_date BETWEEN $3 - 1 AND $3 + 3
        ORDER BY c.arrives_at - a.departs_at LIMIT 200""",
}


async def _beside_sql(url: str, days: Sequence[Any], pairs: Sequence[tuple[str, str]]) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SET jit = off")
    await connection.execute(f"SET statement_timeout = '{_CEILING}'")
    for index in ("(origin, departure_date, departs_at)", "(destination, departure_date, departs_at)"):
        await connection.execute(f"CREATE INDEX ON flights {index}")
    await connection.execute("ANALYZE flights")
    day = _FIRST + timedelta(days=2)
    for n, statement in _JOINS.items():
        theirs, ours, cut = [], [], 0
        for pair in pairs[:_SQL_PAIRS]:
            started = time.perf_counter()
            try:
                await connection.fetch(statement, *pair, day)
            except asyncpg.QueryCanceledError:
                cut += 1
            theirs.append((time.perf_counter() - started) * 1000)
            ours += _engine(days, [pair], n, [day])
        ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
        note = f"; {cut} of {len(theirs)} joins were cut off after {_CEILING}" if cut else ""
        print(
            f"SQL       {n} connections, {len(theirs)} pairs in turn: joins {median(theirs):.0f} ms, engine "
            f"{median(ours):.2f} ms, ratio {median(ratios):.0f} [{min(ratios):.0f} to {max(ratios):.0f}]{note}"
        )
    await connection.close()


def _growth(days: Sequence[Any], pairs: Sequence[tuple[str, str]], million: list[float]) -> None:
    """The same density for one day, and a tenth of it for ten."""
    one = _engine(days[1:2], pairs, 2, [_FIRST + timedelta(days=1)] * 6)
    thin_world = World(10_000)
    dates = [_FIRST + timedelta(days=n) for n in range(_DAYS)]
    thin = _engine([thin_world.day(day, n * 20_000) for n, day in enumerate(dates)], pairs, 2, dates[1:7])
    tops = [float(np.percentile(taken, 95)) for taken in (one, thin, million)]
    print(
        f"growth    p95 of 2 connections: 100,000 flights as one day {tops[0]:.1f} ms, as ten thin days "
        f"{tops[1]:.1f} ms, 1,000,000 {tops[2]:.1f} ms: {tops[2] / tops[0]:.2f} and {tops[2] / tops[1]:.2f} times"
    )


def _whole_world(pairs: Sequence[tuple[str, str]]) -> None:
    from app.timetable.day import Day

    world = World()
    with tempfile.TemporaryDirectory(prefix="jetway-world-") as directory:
        dates = [_FIRST + timedelta(days=n) for n in range(330)]
        size = 0
        for n, day in enumerate(dates):
            world.day(day, n * 200_000).write(path := Path(directory) / f"{day}.day")
            size += path.stat().st_size
        started = time.perf_counter()
        days = [Day.read(Path(directory) / f"{day}.day") for day in dates]
        mapped = time.perf_counter() - started
        taken = _engine(days, pairs, 2, dates[10:330:40])
        flights = sum(len(day.id) for day in days)
        print(
            f"330 days  {flights:,} flights, {size / 1e9:.2f} GB, mapped in {mapped * 1000:.0f} ms; 2 connections: "
            f"{_told(taken)}; memory of this process {_memory(os.getpid())}"
        )


def _over_http(url: str, pairs: Sequence[tuple[str, str]], dates: Sequence[date]) -> None:
    process = int(
        stack.run(["pgrep", "-f", f"uvicorn app.main:app --port {url.rpartition(':')[2]}"], {}).split()[0]
    )
    print(f"API       before the first search: {_memory(process)}")

    def search(n: int) -> Callable[[str, str, date], str]:
        return lambda a, b, day: (
            f"/flights/search?origin={a}&destination={b}&departure_date={day}&max_connections={n}&limit=20"
        )

    def month(a: str, b: str, day: date) -> str:
        return f"/flights/calendar?origin={a}&destination={b}&month={day:%Y-%m}"

    cases = [(f"search, {n} connections", search(n)) for n in (0, 1, 2)] + [("calendar of a month", month)]
    for name, path in cases:
        taken = []
        for turn, (day, pair) in enumerate(itertools.product([dates[1], *dates[1:6]], pairs)):
            started = time.perf_counter()
            with urllib.request.urlopen(url + path(*pair, day)) as answer:
                answer.read()
            if turn >= len(pairs):
                taken.append((time.perf_counter() - started) * 1000)
        print(f"HTTP      {name}, {len(taken)} cold: {_told(taken)}")
    print(f"API       after them: {_memory(process)}")


def _told(taken: Sequence[float]) -> str:
    p50, p95 = np.percentile(taken, [50, 95])
    return f"p50 {p50:.1f} ms, p95 {p95:.1f} ms, most {max(taken):.1f} ms"


def _memory(process: int) -> str:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines[1:]}
    return (
        f"{found['Rss']} MB resident, {found['Pss']} MB its own share, {found['Anonymous']} MB not of files"
    )


if __name__ == "__main__":
    main()
