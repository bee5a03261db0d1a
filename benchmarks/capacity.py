"""What a plan of capacity needs beside speeds: `python -m benchmarks.capacity [--bookings 400]`.

Bytes of a paid booking with everything that follows from it, of a dated flight and of a day's file; memory and
connections of the processes; Redis's memory for an answer; the processor's time for a search that is worked out and
for a booking that is paid. Bookings are made through the API and delivered by a worker to one subscription of webhooks.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg
from redis.asyncio import Redis

from benchmarks import bookings, stack
from benchmarks.observability import cpu_seconds
from benchmarks.world import World

_CELERY = ["-m", "celery", "--quiet", "-A", "app.worker"]
_WORKER = [*_CELERY, "worker", "--concurrency=2", "--loglevel=ERROR", "--without-mingle", "--without-gossip"]
_HUBS = ("JFK", "LHR", "LAX", "SFO", "DEL", "BOM", "SYD", "MEL", "SIN", "DXB", "FRA", "CDG")
_UNCACHED = {"SEARCH_CACHE_SECONDS": "0", "HOT_CACHE_SECONDS": "0"}
_SIZES = """
    SELECT regexp_replace(c.relname, '_[0-9]{4}_?[0-9]{2}$', '') AS name,
           sum(pg_total_relation_size(c.oid))::bigint AS bytes
    FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""
_WAITING = """
    SELECT EXISTS (SELECT FROM outbox WHERE dispatched_at IS NULL)
        OR EXISTS (SELECT FROM webhook_deliveries WHERE state IN ('pending', 'sending'))
"""


@contextmanager
def _world() -> Iterator[tuple[bookings.Shop, str, dict[str, str]]]:
    """The product with a worker of two processes, Beat, a receiver, and an API that caches no search."""
    with ExitStack() as opened:
        url, servers, environment = opened.enter_context(stack.product())
        receiver, uncached = stack.free_port(8900), stack.free_port(8760)
        opened.enter_context(
            stack.process(["-m", "benchmarks.receiver", str(receiver)], stack.LOAD_CORE, environment)
        )
        opened.enter_context(stack.process(_WORKER, stack.LOAD_CORE, environment))
        schedule = Path(opened.enter_context(TemporaryDirectory())) / "schedule"
        opened.enter_context(
            stack.process([*_CELERY, "beat", "--schedule", str(schedule)], stack.LOAD_CORE, environment)
        )
        searching = opened.enter_context(stack.server("app.main:app", uncached, environment | _UNCACHED))
        shop = bookings.shop_at(url, servers)
        hook = {"url": f"http://127.0.0.1:{receiver}/", "events": ["*"]}
        stack.call("POST", f"{url}/webhooks/subscriptions", hook, shop.token)
        yield shop, searching, environment


async def _asked(url: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


def _one(shop: bookings.Shop, statement: str) -> Any:
    return asyncio.run(_asked(shop.database, statement))[0][0]


def _sizes(shop: bookings.Shop) -> dict[str, int]:
    return {row["name"]: row["bytes"] for row in asyncio.run(_asked(shop.database, _SIZES))}


def booked(shop: bookings.Shop, number: int) -> str:
    """Paid bookings until nothing is left to be told, and what they have made larger."""
    _book(shop, range(20))
    before, spent = _settled(shop), cpu_seconds(shop.url)
    _book(shop, range(20, 20 + number))
    spent = cpu_seconds(shop.url) - spent
    after = _settled(shop)
    made = after["bookings"] - before["bookings"]
    tables = {name: (size - before["sizes"].get(name, 0)) / made for name, size in after["sizes"].items()}
    largest = sorted(tables.items(), key=lambda one: -one[1])[:12]
    return "\n".join(
        [
            f"{made} paid bookings, one passenger and one flight each",
            f"  {sum(tables.values()):8.0f} bytes in tables and their indexes for each",
            *(f"  {size:8.0f} {name}" for name, size in largest),
            f"  {(after['wal'] - before['wal']) / made:8.0f} bytes of write-ahead log for each, full pages included",
            f"  {(after['delivered'] - before['delivered']) / made:8.1f} webhooks delivered for each",
            f"  {spent / made * 1000:8.1f} ms of an API's processor for each",
        ]
    )


def _book(shop: bookings.Shop, numbers: range) -> None:
    """Four at a time, each for somebody new."""

    def book(number: int) -> None:
        body = bookings.body_of(shop.offers[number % len(shop.offers)], "pm_card_visa")
        body["passengers"][0]["family_name"] = "Lovelace" + "".join(
            chr(65 + int(digit)) for digit in str(number)
        )
        try:
            stack.call("POST", f"{shop.url}/bookings", body, shop.token)
        except urllib.error.HTTPError as refusal:
            print(f"refused: {json.load(refusal)['code']}", flush=True)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(book, numbers))


def _settled(shop: bookings.Shop) -> dict[str, Any]:
    while _one(shop, _WAITING):
        time.sleep(0.5)
    return {
        "bookings": _one(shop, "SELECT count(*) FROM bookings WHERE status = 'confirmed'"),
        "delivered": _one(shop, "SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered'"),
        "wal": int(_one(shop, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")),
        "sizes": _sizes(shop),
    }


def searched(shop: bookings.Shop, searching: str) -> str:
    """Searches that nobody has asked before, on boards that are known, and what Redis keeps of them."""
    day = datetime.now(UTC).date() + timedelta(days=30)
    pairs = [(a, b) for a in _HUBS for b in _HUBS if a != b]
    queries = [f"/flights/search?origin={a}&destination={b}&departure_date={day}" for a, b in pairs]
    for query in queries:
        urllib.request.urlopen(searching + query).read()
    spent, size = cpu_seconds(searching), 0
    for query in queries:
        size += len(urllib.request.urlopen(searching + query).read())
    spent = cpu_seconds(searching) - spent
    before = asyncio.run(_redis_memory())
    for query in queries:
        urllib.request.urlopen(shop.url + query).read()
    kept = asyncio.run(_redis_memory()) - before
    return (
        f"{len(queries)} searches of the sandbox's world, one connection, {size / len(queries) / 1024:.0f} kB each\n"
        f"  {spent / len(queries) * 1000:8.1f} ms of an API's processor for each that is worked out\n"
        f"  {kept / len(queries):8.0f} bytes of Redis for each that is kept"
    )


async def _redis_memory() -> int:
    client = Redis.from_url(os.environ["REDIS_URL"])
    try:
        return int((await client.info("memory"))["used_memory"])
    finally:
        await client.aclose()


def flights(shop: bookings.Shop) -> str:
    """A day of the synthetic world, in PostgreSQL and as a file."""
    day, world = datetime.now(UTC).date() + timedelta(days=100), World()
    before = _sizes(shop)["flights"]
    count = asyncio.run(world.load(shop.database, [day]))
    size = (_sizes(shop)["flights"] - before) / count
    with TemporaryDirectory() as directory:
        world.day(day).write(path := Path(directory) / "one.day")
        file = path.stat().st_size / count
    return (
        f"{count} dated flights: {size:.0f} bytes of PostgreSQL and {file:.0f} bytes of a day's file for each"
    )


def processes(shop: bookings.Shop) -> str:
    """Memory and connections of everything that runs here."""
    found = [f"PostgreSQL: {_one(shop, _CONNECTIONS)} connections of the product, at most 8 of a process"]
    for folder in sorted(Path("/proc").glob("[0-9]*"), key=lambda one: int(one.name)):
        name = _name(folder)
        if name:
            lines = (folder / "smaps_rollup").read_text().splitlines()
            size = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines[1:]}
            found.append(f"  {name:16} {size['Rss']:4} MB resident, {size['Pss']:4} MB its own share")
    return "\n".join(found)


_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'jetway'"


def _name(folder: Path) -> str | None:
    """What a process is, if it is one of ours: a descendant of this one."""
    try:
        command, environ = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
    except OSError:
        return None
    if os.environ["REDIS_URL"].encode() not in environ:
        return None
    kinds = {b"app.main:app": "API", b"\0worker\0": "worker", b"\0beat\0": "Beat"}
    return next((kind for said, kind in kinds.items() if said in command), None)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity")
    parser.add_argument("--bookings", type=int, default=400, help="how many are made")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk: install it first, for example with `apt-get install wrk`.")
    print(f"Python {platform.python_version()}, one API on one core, everything else on the other")
    with _world() as (shop, searching, environment):
        os.environ.update(environment)
        print(booked(shop, arguments.bookings), flush=True)
        print(searched(shop, searching), flush=True)
        print(flights(shop), flush=True)
        print(processes(shop))


if __name__ == "__main__":
    main()
