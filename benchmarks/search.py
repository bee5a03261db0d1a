"""Warm `GET /flights/search` beside a bare ASGI application that sends the same bytes to the same request.

`python -m benchmarks.search [--rounds 15] [--seconds 1]` measures it alone. Where other work shares the cores, the
rates follow it; the servers' processor time for a request is steadier.
"""

import argparse
import platform
import shutil
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import stack


@dataclass
class Run:
    """One side of a pair: requests a second, milliseconds, microseconds of the server's processor."""

    rate: float
    p99: float
    cpu: float


def measure(url: str, rounds: int, seconds: int) -> str:
    search = f"/flights/search?origin=JFK&destination=LHR&departure_date={stack.DAY}&adults=1"
    body = urllib.request.urlopen(url + search).read()
    with TemporaryDirectory() as directory:
        (Path(directory) / "body").write_bytes(body)
        environment = {"BENCH_BODY": str(Path(directory) / "body")}
        with stack.server("benchmarks.bare:app", stack.free_port(8800), environment) as bare:
            sides = [(address + search, _process(address)) for address in (url, bare)]
            [stack.wrk(address, 1) for address, _ in sides]
            pairs = [tuple(_run(*side, seconds) for side in sides) for _ in range(rounds)]
    ours, limit = zip(*pairs, strict=True)
    rates = [run.rate / beside.rate for run, beside in pairs]
    costs = [beside.cpu / run.cpu for run, beside in pairs]
    return "\n".join(
        [
            f"warm search, {len(body)} bytes, 32 clients, {rounds} pairs of {seconds} s",
            _line("search", ours),
            _line("bare", limit),
            f"  ratio of rates            {median(rates):5.2f}      [{min(rates):.2f} to {max(rates):.2f}]",
            f"  ratio of processor time   {median(costs):5.2f}      [{min(costs):.2f} to {max(costs):.2f}]",
            f"  ratio of p99              {median(o.p99 / b.p99 for o, b in pairs):5.2f}",
        ]
    )


def _line(name: str, runs: tuple[Run, ...]) -> str:
    rate, p99, cpu = (median(getattr(run, field) for run in runs) for field in ("rate", "p99", "cpu"))
    return (
        f"  {name:8} {rate:8.0f} /s   p99 {p99:6.1f} ms   {cpu:6.1f} us of the server's processor a request"
    )


def _run(url: str, process: Path, seconds: int) -> Run:
    before = _cpu_seconds(process)
    rate, p99 = stack.wrk(url, seconds)
    return Run(rate, p99, (_cpu_seconds(process) - before) / (rate * seconds) * 1e6)


def _process(url: str) -> Path:
    """The server that was started for this port."""
    wanted = f"\0--port\0{url.rpartition(':')[2]}\0".encode()
    return next(
        command.parent
        for command in Path("/proc").glob("[0-9]*/cmdline")
        if wanted in command.read_bytes() and b"uvicorn" in command.read_bytes()
    )


def _cpu_seconds(process: Path) -> float:
    """What the scheduler has counted for it, in nanoseconds."""
    return int((process / "schedstat").read_text().split()[0]) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of measurements")
    parser.add_argument("--seconds", type=int, default=1, help="length of each measurement")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk: install it first, for example with `apt-get install wrk`.")
    print(f"Python {platform.python_version()}, server on one core, load and databases on the other")
    with stack.product() as (url, _servers, _environment):
        print(measure(url, arguments.rounds, arguments.seconds))


if __name__ == "__main__":
    main()
