"""A live map of a full sky: `python -m benchmarks.live [--aircraft 5000] [--viewers 100] [--rounds 5] [--seconds 4]`.

Every viewer asks for all aircraft every five seconds, which is as often as there is something new. Beside it,
on the same server: an application that serialises each answer anew, and one that only sends the bytes.
"""

import argparse
import asyncio
import gzip
import os
import platform
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import aiohttp
import orjson

from benchmarks import stack
from dev.servers import embedded_servers

_FOR_ALL = "/flights/live?limit=10000"
_PERIOD_SECONDS, _PERIODS = 5.0, 4
_TOKENS = "/auth/realms/opensky-network/protocol/openid-connect/token"
_PACKED = 'wrk.headers["Accept-Encoding"] = "gzip"\n'
_BODY = orjson.loads(Path(os.environ["BENCH_BODY"]).read_bytes()) if "BENCH_BODY" in os.environ else {}


async def anew(scope: dict[str, Any], _: Any, send: Any) -> None:
    """The same answer, serialised for each who asks."""
    if scope["type"] != "http":
        return
    body = orjson.dumps(_BODY)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def product() -> Iterator[tuple[str, str]]:
    """The API with its servers, beside a sandbox that plays OpenSky; their addresses."""
    with ExitStack() as running:
        directory = Path(running.enter_context(TemporaryDirectory(prefix="jetway-bench-")))
        os.sched_setaffinity(0, stack.LOAD_CORE)
        servers = running.enter_context(embedded_servers(directory, durable=True))
        sandbox, port = stack.free_port(8700), stack.free_port(8750)
        vendor = f"http://127.0.0.1:{sandbox}"
        environment = {
            "APP_ENV": "test",
            "DATABASE_URL": servers.postgres.url,
            "REDIS_URL": servers.redis.url,
            "AVIATIONSTACK_BASE_URL": vendor,
            "AVIATIONSTACK_KEY": "sandbox",
            "OPENSKY_BASE_URL": f"{vendor}/api",
            "OPENSKY_TOKEN_URL": vendor + _TOKENS,
            "OPENSKY_USER": "sandbox",
            "OPENSKY_PASS": "sandbox",
            "OPENSKY_CREDITS_PER_DAY": "1000000",
            "RATE_LIMIT_ENABLED": "false",
            "LOG_LEVEL": "INFO",
        }
        stack.run([sys.executable, "-m", "alembic", "upgrade", "head"], environment)
        running.enter_context(
            stack.process(["-m", "sandbox", "--port", str(sandbox)], stack.LOAD_CORE, environment)
        )
        stack.wait_for(f"{vendor}/_sandbox")
        running.enter_context(stack.server("app.main:app", port, environment))
        yield f"http://127.0.0.1:{port}", vendor


def sizes(url: str) -> str:
    begun = perf_counter()
    body = urllib.request.urlopen(url + _FOR_ALL).read()
    first = perf_counter() - begun
    aircraft = len(orjson.loads(body)["data"])
    packed = len(gzip.compress(body, 1))
    return (
        f"all aircraft: {aircraft}, {len(body):,} bytes, {packed:,} packed\n"
        f"  first answer, fetched, matched and put together   {first * 1000:8.1f} ms"
    )


async def viewers(url: str, vendor: str, count: int) -> str:
    """Each waits for its whole answer, and asks again every five seconds."""
    stack.call("DELETE", f"{vendor}/_sandbox/journal")
    taken: list[float] = []

    async def view(session: aiohttp.ClientSession) -> None:
        for _ in range(_PERIODS):
            begun = perf_counter()
            async with session.get(url + _FOR_ALL, headers={"Accept-Encoding": "gzip"}) as response:
                await response.content.read()
                response.raise_for_status()
            taken.append(perf_counter() - begun)
            await asyncio.sleep(max(0.0, _PERIOD_SECONDS - taken[-1]))

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        await asyncio.gather(*(view(session) for _ in range(count)))
    calls = stack.call("GET", f"{vendor}/_sandbox/journal")["counts"].get("/api/states/all", 0)
    middle, slowest = median(taken), sorted(taken)[int(len(taken) * 0.99)]
    return (
        f"{count} viewers at once, every {_PERIOD_SECONDS:g} s for {_PERIODS * _PERIOD_SECONDS:g} s\n"
        f"  answers {len(taken)}   median {middle * 1000:.1f} ms   p99 {slowest * 1000:.1f} ms"
        f"   calls to the vendor {calls}"
    )


def ratios(url: str, rounds: int, seconds: int) -> str:
    with TemporaryDirectory() as directory:
        body, packed = Path(directory) / "body", Path(directory) / "packed.lua"
        body.write_bytes(urllib.request.urlopen(url + _FOR_ALL).read())
        packed.write_text(_PACKED)
        environment = {"BENCH_BODY": str(body)}
        with (
            stack.server("benchmarks.live:anew", stack.free_port(8800), environment) as again,
            stack.server("benchmarks.bare:app", stack.free_port(8850), environment) as bare,
        ):
            turns = [(url + _FOR_ALL, None), (url + _FOR_ALL, packed), (again, None), (bare, None)]
            measured = [
                [stack.wrk(address, seconds, script) for address, script in turns] for _ in range(rounds)
            ]
    lines = []
    for column, name in enumerate(("live", "live, packed", "serialised anew", "bytes only")):
        rates, slowest = zip(*(one[column] for one in measured), strict=True)
        lines.append(f"  {name:16} {median(rates):8.0f} /s   p99 {median(slowest):7.1f} ms")
    for name, column, beside in (("anew", 0, 2), ("anew, packed", 1, 2), ("bytes only", 0, 3)):
        found = [one[column][0] / one[beside][0] for one in measured]
        lines.append(f"  ratio to {name:13} {median(found):6.2f}   [{min(found):.2f} to {max(found):.2f}]")
    return "\n".join([f"one after the other, 32 connections, {rounds} rounds of {seconds} s", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--aircraft", type=int, default=5000, help="traffic on top of the timetable's")
    parser.add_argument("--viewers", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk: install it first, for example with `apt-get install wrk`.")
    print(f"Python {platform.python_version()}, server on one core, load and databases on the other")
    with product() as (url, vendor):
        settings = {"opensky": {"extra_aircraft": arguments.aircraft, "coverage": "everywhere"}}
        stack.call("POST", f"{vendor}/_sandbox/settings", settings)
        print(sizes(url), flush=True)
        print(asyncio.run(viewers(url, vendor, arguments.viewers)), flush=True)
        print(ratios(url, arguments.rounds, arguments.seconds))


if __name__ == "__main__":
    main()
