"""What an API process costs before it has answered anything, and what the last of its routes costs from then on.

`python -m benchmarks.start [--rounds 6] [--of another/checkout]`. Each round is a process of its own, which loads the
product, answers GET /livez, which stands last among the routes, and answers it a thousand times more; no server, no
databases. With another checkout, an earlier version for one, both take turns.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

_ROOT = Path(__file__).parents[1]
_FIELDS = ("s of processor to the first answer", "MB", "us for a further one")
_REQUEST: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "scheme": "http",
    "method": "GET",
    "root_path": "",
    "path": "/livez",
    "raw_path": b"/livez",
    "query_string": b"",
    "headers": [],
    "client": None,
    "server": None,
}


async def _once() -> str:
    """The three figures of this process; of the further answers the tenth of a hundred, because others disturb."""
    from app.main import create_api

    api = create_api()
    await _seconds(api)
    started, size = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    further = sorted([await _seconds(api) for _ in range(1000)])[100]
    return f"{started} {size} {further * 1e6}"


async def _seconds(api: Any) -> float:
    began = time.thread_time()
    await api(dict(_REQUEST), _receive, _send)
    return time.thread_time() - began


async def _receive() -> dict[str, Any]:
    return {"type": "http.request"}


async def _send(_: dict[str, Any]) -> None: ...


def _round(checkout: Path) -> list[float]:
    environment = {**os.environ, "APP_ENV": "test", "PYTHONPATH": str(checkout)}
    child = [sys.executable, __file__, "--once"]
    done = subprocess.run(child, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    return [float(one) for one in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start")
    parser.add_argument("--rounds", type=int, default=6, help="processes of each")
    parser.add_argument("--of", type=Path, help="another checkout, to be measured in turn")
    parser.add_argument("--once", action="store_true", help="what one process measures of itself")
    arguments = parser.parse_args()
    if arguments.once:
        print(asyncio.run(_once()))
        return
    checkouts = [_ROOT, *([arguments.of.resolve()] if arguments.of else [])]
    for one in checkouts:
        _round(one)  # Bytecode is written and files are read.
    rounds = [[_round(one) for one in checkouts] for _ in range(arguments.rounds)]
    for checkout, runs in zip(checkouts, zip(*rounds, strict=True), strict=True):
        columns = zip(_FIELDS, zip(*runs, strict=True), strict=True)
        print(f"{checkout}: " + ", ".join(f"{median(values):.2f} {field}" for field, values in columns))
    for place, field in enumerate(_FIELDS):
        ratios = [ours[place] / other[place] for ours, *others in rounds for other in others]
        if ratios:
            print(f"ratio of {field}: {median(ratios):.2f} [{min(ratios):.2f} to {max(ratios):.2f}]")


if __name__ == "__main__":
    main()
