"""Warm `GET /flights/search` beside a bare ASGI application that sends the same bytes."""

import urllib.request
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import stack


def measure(url: str, rounds: int, seconds: int) -> str:
    search = f"{url}/flights/search?origin=JFK&destination=LHR&departure_date={stack.DAY}&adults=1"
    body = urllib.request.urlopen(search).read()
    with TemporaryDirectory() as directory:
        (Path(directory) / "body").write_bytes(body)
        environment = {"BENCH_BODY": str(Path(directory) / "body")}
        with stack.server("benchmarks.bare:app", stack.free_port(8800), environment) as bare:
            stack.wrk(search, 1), stack.wrk(bare, 1)
            pairs = [(stack.wrk(search, seconds), stack.wrk(bare, seconds)) for _ in range(rounds)]
    ours, limit = [ours for ours, _ in pairs], [limit for _, limit in pairs]
    ratios = [a[0] / b[0] for a, b in pairs]
    return (
        f"warm search, {len(body)} bytes, 32 clients\n"
        f"  search   {median(r for r, _ in ours):8.0f} /s   p99 {median(p for _, p in ours):6.1f} ms\n"
        f"  bare     {median(r for r, _ in limit):8.0f} /s   p99 {median(p for _, p in limit):6.1f} ms\n"
        f"  ratio    {median(ratios):8.2f}      [{min(ratios):.2f} to {max(ratios):.2f}, {rounds} pairs]"
    )
