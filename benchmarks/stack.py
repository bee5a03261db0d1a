"""Servers and processes for a measurement: the server on one core, everything else on the other."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dev.server import free_port
from dev.servers import Servers, embedded_servers

__all__ = ["free_port"]

ROOT = Path(__file__).parents[1]
SERVER_CORE, LOAD_CORE = ({0}, {1}) if (os.cpu_count() or 1) > 1 else ({0}, {0})
DAY = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


@contextmanager
def product(**more: str) -> Iterator[tuple[str, Servers, dict[str, str]]]:
    """The API as in production, with its PostgreSQL (fsync on), Redis and sandbox; `more` are settings."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="jetway-bench-")))
        os.sched_setaffinity(0, LOAD_CORE)
        servers = stack.enter_context(embedded_servers(directory, durable=True))
        sandbox, port = free_port(8700), free_port(8750)
        environment = {
            "APP_ENV": "test",
            "DATABASE_URL": servers.postgres.url,
            "REDIS_URL": servers.redis.url,
            "TIMETABLE_DIR": str(directory / "timetable"),
            "AVIATIONSTACK_BASE_URL": f"http://127.0.0.1:{sandbox}",
            "AVIATIONSTACK_KEY": "sandbox",
            "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox}",
            "STRIPE_SECRET_KEY": "sk_test_sandbox",
            "STRIPE_WEBHOOK_SECRET": "whsec_sandbox",
            "LOG_LEVEL": "INFO",
            **more,
        }
        run([sys.executable, "-m", "alembic", "upgrade", "head"], environment)
        stack.enter_context(process(["-m", "sandbox", "--port", str(sandbox)], LOAD_CORE, environment))
        wait_for(f"http://127.0.0.1:{sandbox}/_sandbox")
        stack.enter_context(server("app.main:app", port, environment))
        yield f"http://127.0.0.1:{port}", servers, environment


@contextmanager
def server(application: str, port: int, environment: dict[str, str]) -> Iterator[str]:
    arguments = [
        "-m",
        "uvicorn",
        application,
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "warning",
    ]
    with process(arguments, SERVER_CORE, environment):
        wait_for(f"http://127.0.0.1:{port}/livez")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def process(arguments: list[str], core: set[int], environment: dict[str, str]) -> Iterator[None]:
    child = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    try:
        yield
    finally:
        child.terminate()
        child.wait(10)


def wrk(url: str, seconds: int, script: Path | None = None) -> tuple[float, float]:
    """Requests a second and the 99th percentile in ms, with 32 connections; errors end the run."""
    rate, _, p99 = load(url, seconds, script)
    return rate, p99


def load(url: str, seconds: int, script: Path | None = None) -> tuple[float, float, float]:
    """`wrk` with the median as well."""
    command = [
        "wrk",
        "-t1",
        "-c32",
        f"-d{seconds}s",
        "--timeout",
        "10s",
        "--latency",
        *(["-s", str(script)] if script else []),
        url,
    ]
    output = run(command, {})
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"The load met errors:\n{output}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))  # type: ignore[union-attr]
    p50, p99 = (
        float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
        for value, unit in re.findall(r"(?:50|99)%\s+([\d.]+)(us|ms|s)", output)
    )
    return rate, p50, p99


def pgbench(servers: Servers, script: Path, seconds: int, clients: int = 8) -> float:
    """Transactions a second; it plays the application, so it gets the application's core."""
    binary = Path(servers.postgres.argv[0]).with_name("pgbench") if servers.postgres.argv else Path("pgbench")
    command = [
        str(binary),
        "-n",
        "-M",
        "prepared",
        "-c",
        str(clients),
        "-j1",
        "-T",
        str(seconds),
        "-f",
        str(script),
    ]
    output = run([*command, servers.postgres.url], {}, SERVER_CORE)
    if int(re.search(r"number of failed transactions: (\d+)", output).group(1)):  # type: ignore[union-attr]
        raise SystemExit(f"pgbench met errors:\n{output}")
    return float(re.search(r"tps = ([\d.]+)", output).group(1))  # type: ignore[union-attr]


def run(command: list[str], environment: dict[str, str], core: set[int] = LOAD_CORE) -> str:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, core),
    )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def call(method: str, url: str, body: Any = None, token: str = "") -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method)) as response:
        return json.loads(response.read())


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 90
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
