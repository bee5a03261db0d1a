"""What a request costs more because it is observed: log lines, metrics, traces, each beside nothing of all that.

`python -m benchmarks.observability [--rounds 9] [--seconds 2]`. One server for each, all on one core and one after
the other under load, in rounds; what counts is the processor time of the whole process for a request, threads that
send traces included. Log lines go to /dev/null, traces to a collector that only answers.
"""

import argparse
import platform
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import bookings, stack

_QUIET = {"LOG_LEVEL": "WARNING"}
_TENTH, _WHOLE = {"OTEL_TRACES_SAMPLER_ARG": "0.1"}, {"OTEL_TRACES_SAMPLER_ARG": "1"}
_COUNTED = {"BENCH_METRICS": "1"}
# Each with its settings, and whether it sends traces.
_SIDES = {
    "nothing": (_QUIET, False),
    "log lines": ({"LOG_LEVEL": "INFO"}, False),
    "metrics": (_QUIET | _COUNTED, False),
    "traces of a tenth": (_QUIET | _TENTH, True),
    "traces of all": (_QUIET | _WHOLE, True),
    "lines, metrics, a tenth": ({"LOG_LEVEL": "INFO"} | _COUNTED | _TENTH, True),
}
# Microseconds of the server's processor for a request, and requests a second.
Run = tuple[float, float]


@contextmanager
def _servers(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    with ExitStack() as opened:
        port = stack.free_port(8950)
        opened.enter_context(
            stack.process(["-m", "benchmarks.receiver", str(port)], stack.LOAD_CORE, environment)
        )
        collector = f"http://127.0.0.1:{port}"
        urls = {}
        for number, (name, (settings, sends)) in enumerate(_SIDES.items()):
            traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector} if sends else {}
            port = stack.free_port(8800 + 10 * number)
            urls[name] = opened.enter_context(
                stack.server("benchmarks.unobserved:app", port, environment | settings | traced)
            )
        stack.wait_for(f"{collector}/journal")
        yield urls


def _measured(urls: dict[str, str], path: str, script: Path | None, rounds: int, seconds: int) -> str:
    for url in urls.values():
        stack.wrk(url + path, 1, script)
    sides, runs = list(urls.items()), list[dict[str, Run]]()
    for turn in range(rounds):
        first = turn % len(sides)  # So that none is always measured after the same one.
        runs.append({name: _run(url, path, script, seconds) for name, url in sides[first:] + sides[:first]})
    return "\n".join(_line(name, runs) for name in urls)


def _run(url: str, path: str, script: Path | None, seconds: int) -> Run:
    before = cpu_seconds(url)
    rate, _ = stack.wrk(url + path, seconds, script)
    if not rate:
        raise SystemExit("Nothing was answered in time: the machine has too much else to do.")
    return (cpu_seconds(url) - before) / (rate * seconds) * 1e6, rate


def _line(name: str, runs: list[dict[str, Run]]) -> str:
    costs = [run[name][0] / run["nothing"][0] for run in runs]
    cost, rate = (median(run[name][field] for run in runs) for field in (0, 1))
    return (
        f"  {name:24} {cost:8.1f} us {rate:8.0f} /s   ratio of processor time {median(costs):5.2f}"
        f" [{min(costs):.2f} to {max(costs):.2f}]"
    )


def cpu_seconds(url: str) -> float:
    """What the scheduler has counted for all threads of the server at this address."""
    wanted = f"\0--port\0{url.rpartition(':')[2]}\0".encode()
    found = next(
        command.parent
        for command in Path("/proc").glob("[0-9]*/cmdline")
        if wanted in (said := command.read_bytes()) and b"uvicorn" in said
    )
    return sum(int(one.read_text().split()[0]) for one in found.glob("task/*/schedstat")) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.observability")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of measurements")
    parser.add_argument("--seconds", type=int, default=2, help="length of each measurement")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("The load comes from wrk: install it first, for example with `apt-get install wrk`.")
    print(f"Python {platform.python_version()}, servers on one core, load and databases on the other")
    rounds, seconds = arguments.rounds, arguments.seconds
    with stack.product() as (url, servers, environment), _servers(environment) as urls:
        shop = bookings.shop_at(url, servers)
        search = f"/flights/search?origin=JFK&destination=LHR&departure_date={stack.DAY}&adults=1"
        for one in urls.values():
            urllib.request.urlopen(one + search).read()
        print(f"warm search, 32 clients, {rounds} rounds of {seconds} s")
        print(_measured(urls, search, None, rounds, seconds), flush=True)
        with TemporaryDirectory() as directory:
            script = bookings.wrk_script(Path(directory), shop)
            print(f"POST /bookings, 32 clients, {rounds} rounds of {seconds} s")
            print(_measured(urls, "/bookings", script, rounds, seconds))


if __name__ == "__main__":
    main()
