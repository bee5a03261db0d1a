"""Webhooks: deliveries a second beside a bare loop of POSTs, time from commit to receipt, and receivers that hang.

One Celery worker with one process takes events from the outbox, delivers each to its subscription and stores the
result. The bare loop posts the same bytes to the same receiver with the same library, 50 at a time, and does
nothing else. Both have one core; the receiver and the databases share the other.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import asyncpg

from benchmarks import stack
from dev.servers import embedded_servers

_IN_FLIGHT = 50
_WAITING = """
    SELECT EXISTS (SELECT FROM outbox WHERE dispatched_at IS NULL)
        OR EXISTS (SELECT FROM webhook_deliveries WHERE state = 'pending')
        OR EXISTS (SELECT FROM webhook_deliveries WHERE state = 'sending')
"""
_ALPHABET = "BCDFGHJKMNPQRSTVWXYZ23456789"

_BARE = """
import asyncio, sys, time, aiohttp
url, posts, body = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
headers = dict(header.split("=", 1) for header in sys.argv[4:])
async def main():
    left = iter(range(posts))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        async def post():
            for _ in left:
                async with session.post(url, data=body, headers=headers) as answer:
                    await answer.read()
        started = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(50)))
        print(posts / (time.perf_counter() - started))
asyncio.run(main())
"""


class Bench:
    """A database with subscribers, a worker, and a receiver."""

    def __init__(self, database: str, receiver: str) -> None:
        self.database, self.receiver = database, receiver
        self.pnrs: list[str] = []
        self._sequence = 0

    async def subscribe(self, paths: list[str]) -> None:
        """One user with a booking and a subscription for each path of the receiver."""
        from app.webhooks import secrets

        connection = await asyncpg.connect(self.database)
        self.pnrs = [f"BC{_ALPHABET[n // 28]}{_ALPHABET[n % 28]}DF" for n in range(len(paths))]
        await connection.execute("DELETE FROM webhook_deliveries")
        await connection.execute("DELETE FROM webhook_subscriptions")
        for pnr, path in zip(self.pnrs, paths, strict=True):
            user = await connection.fetchval(
                "INSERT INTO users (id, email, full_name, password_hash) VALUES ($1, $2, 'Ada', '-')"
                " ON CONFLICT (email) DO UPDATE SET full_name = 'Ada' RETURNING id",
                uuid.uuid4(),
                f"{pnr.lower()}@example.com",
            )
            await connection.execute(
                "INSERT INTO bookings (pnr, user_id, status, total_minor, currency, cabin, fare_brand, price,"
                " conditions, baggage, contact) VALUES ($1, $2, 'confirmed', 1, 'EUR', 'economy', 'Light', '{}',"
                " '{}', '{}', '{\"email\": \"ada@example.com\"}') ON CONFLICT DO NOTHING",
                pnr,
                user,
            )
            subscription = uuid.uuid4()
            _, sealed = secrets.added(subscription, [], datetime.now(UTC))
            await connection.execute(
                "INSERT INTO webhook_subscriptions (id, user_id, url, events, secrets) VALUES ($1, $2, $3, '{*}', $4)",
                subscription,
                user,
                self.receiver + path,
                json.dumps(sealed),
            )
        await connection.close()

    async def tell(self, events: int) -> float:
        """So many events in one transaction, spread over the bookings; gives when they were committed."""
        connection = await asyncpg.connect(self.database)
        rows = [(self.pnrs[n % len(self.pnrs)], self._sequence + n) for n in range(events)]
        self._sequence += events
        await connection.executemany(
            "INSERT INTO outbox (type, subject, sequence, data)"
            ' VALUES (\'booking.changed\', $1, $2, \'{"status": "confirmed", "revision": 4}\')',
            rows,
        )
        await connection.close()
        return time.time()

    async def delivered(self, wanted: int) -> float:
        """When nothing waited any more; so many deliveries must be stored as delivered then.

        What is asked again and again is answered by small indexes, so that it costs the worker's database nothing.
        """
        connection = await asyncpg.connect(self.database)
        while await connection.fetchval(_WAITING):  # noqa: ASYNC110  The database offers no event.
            await asyncio.sleep(0.02)
        ended = time.time()
        count = await connection.fetchval("SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered'")
        await connection.close()
        if count != wanted:
            raise SystemExit(f"{count} deliveries are stored as delivered, not {wanted}.")
        return ended

    def journal(self) -> list[tuple[str, str, float]]:
        with urllib.request.urlopen(self.receiver + "/journal") as answer:
            return [tuple(line) for line in json.load(answer)]


def speed(bench: Bench, events: int, rounds: int) -> str:
    """Outbox to stored result, and the bare loop, in turn."""
    asyncio.run(bench.subscribe([f"/{n}" for n in range(_IN_FLIGHT)]))
    ours, bare, done = [], [], 0
    for number in range(rounds + 1):
        started = asyncio.run(bench.tell(events))
        done += events
        ours.append(events / (asyncio.run(bench.delivered(done)) - started))
        if len(bench.journal()) != events:
            raise SystemExit("Not every delivery arrived once.")
        bare.append(_bare(bench, events))
        bench.journal()
        if not number:  # Warm now.
            ours, bare = [], []
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    return (
        f"webhooks, {events} events to {_IN_FLIGHT} subscriptions, outbox to stored result, one worker\n"
        f"  deliveries {median(ours):8.0f} /s\n"
        f"  bare loop  {median(bare):8.0f} /s\n"
        f"  ratio      {median(ratios):8.2f}      [{min(ratios):.2f} to {max(ratios):.2f}, {rounds} pairs]"
    )


def _bare(bench: Bench, posts: int) -> float:
    event: dict[str, object] = {"id": "evt_7a1c9e0b4d2f4e6f8a3b5c7d9e1f2a4b", "type": "booking.changed"}
    event |= {"created_at": "2026-01-01T00:00:00Z", "sequence": 3}
    body = json.dumps({**event, "data": {"status": "confirmed", "revision": 4}}, separators=(",", ":"))
    headers = (
        "Content-Type=application/json; charset=utf-8",
        "User-Agent=Jetway-Webhooks/1",
        "webhook-id=evt_7a1c9e0b4d2f4e6f8a3b5c7d9e1f2a4b",
        "webhook-timestamp=1767225600",
        "webhook-signature=v1,zMQplDcJhSjgsj+FcE21VFb6wQ05Fa4n4N1srZTahXk=",
        "webhook-attempt=1",
    )
    command = [sys.executable, "-c", _BARE, bench.receiver + "/bare", str(posts), body, *headers]
    return float(stack.run(command, {}, stack.SERVER_CORE))


def latency(bench: Bench, hanging: int, healthy: int, seconds: int, rate: int) -> str:
    """Time from commit to receipt at healthy receivers, while others hang."""
    paths = [f"/hang/{n}" for n in range(hanging)] + [f"/well/{n}" for n in range(healthy)]
    asyncio.run(bench.subscribe(paths))
    bench.journal()

    async def tell_steadily() -> list[float]:
        """One event to each receiver, again and again, each in a transaction of its own."""
        connection = await asyncpg.connect(bench.database)
        started, commits, n = time.time(), {}, 0
        while time.time() - started < seconds:
            pnr = bench.pnrs[n % len(bench.pnrs)]
            bench._sequence += 1
            event = await connection.fetchval(
                "INSERT INTO outbox (type, subject, sequence, data) VALUES ('booking.changed', $1, $2, '{}')"
                " RETURNING event_id",
                pnr,
                bench._sequence,
            )
            commits[f"evt_{event.hex}"] = time.time()
            n += 1
            await asyncio.sleep(max(0.0, started + n / rate - time.time()))
        await asyncio.sleep(6)
        await connection.close()
        times = {name: at for path, name, at in bench.journal() if path.startswith("/well")}
        wanted = [name for i, name in enumerate(commits) if i % len(bench.pnrs) >= hanging]
        missing = [name for name in wanted if name not in times]
        if missing:
            raise SystemExit(
                f"{len(missing)} of {len(wanted)} deliveries to healthy receivers did not arrive."
            )
        return [times[name] - commits[name] for name in wanted]

    took = sorted(asyncio.run(tell_steadily()))
    p50, p95, p99 = (quantiles(took, n=100)[at - 1] * 1000 for at in (50, 95, 99))
    return (
        f"webhooks, commit to receipt, {rate} events/s for {seconds} s, {healthy} receivers that answer and "
        f"{hanging} that hang: {len(took)} deliveries to the former\n"
        f"  p50 {p50:6.0f} ms   p95 {p95:6.0f} ms   p99 {p99:6.0f} ms   max {took[-1] * 1000:6.0f} ms"
    )


@contextmanager
def running() -> Iterator[Bench]:
    """PostgreSQL (fsync on), Redis, one Celery worker with one process, and a receiver."""
    with ExitStack() as opened:
        directory = Path(opened.enter_context(TemporaryDirectory(prefix="jetway-bench-")))
        os.sched_setaffinity(0, stack.LOAD_CORE)
        servers = opened.enter_context(embedded_servers(directory, durable=True))
        environment = {
            "APP_ENV": "test",
            "DATABASE_URL": servers.postgres.url,
            "REDIS_URL": servers.redis.url,
            "AVIATIONSTACK_KEY": "",
            "OPENSKY_ENABLED": "false",
        }
        os.environ.update(environment)
        stack.run([sys.executable, "-m", "alembic", "upgrade", "head"], environment)
        port = stack.free_port(8900)
        opened.enter_context(
            stack.process(["-m", "benchmarks.receiver", str(port)], stack.LOAD_CORE, environment)
        )
        worker = [
            "-m",
            "celery",
            "--quiet",
            "-A",
            "app.worker",
            "worker",
            "--concurrency=1",
            "--loglevel=ERROR",
        ]
        opened.enter_context(
            stack.process([*worker, "--without-mingle", "--without-gossip"], stack.SERVER_CORE, environment)
        )
        stack.wait_for(f"http://127.0.0.1:{port}/journal")
        yield Bench(servers.postgres.url, f"http://127.0.0.1:{port}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhooks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="pairs of measurements")
    parser.add_argument("--events", type=int, default=10_000, help="of each measurement")
    parser.add_argument("--seconds", type=int, default=20, help="length of each measurement of latency")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, worker on one core, receiver and databases on the other")
    with running() as bench:
        print(speed(bench, arguments.events, arguments.rounds), flush=True)
        print(latency(bench, 0, 50, arguments.seconds, 200), flush=True)
        print(latency(bench, 50, 50, arguments.seconds, 200), flush=True)


if __name__ == "__main__":
    main()
