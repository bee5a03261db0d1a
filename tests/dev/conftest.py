"""A supervisor of tiny processes in a process of its own, so that it can be signalled and killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

SUPERVISOR = """
import asyncio, json, os, sys
from pathlib import Path
from dev.processes import Process, Supervisor
from dev.terminal import Output

folder = Path(sys.argv[1])

def process(name, code, after=(), ready=None, once=False):
    argv = [sys.executable, "-I", "-S", "-u", "-c", code]
    asked = (lambda: (folder / ready).exists()) if ready else None
    return Process(name, argv, after=tuple(after), ready=asked, once=once)

table = [process(**row) for row in json.loads(sys.argv[2])]
output = Output(folder / "logs", [row.name for row in table])
run = Supervisor(table, output, dict(os.environ), lambda: output.say("everything is ready")).run()
sys.exit(asyncio.run(run))
"""


class Supervised:
    """A running supervisor, and the ids of the processes that wrote theirs into its folder."""

    def __init__(self, folder: Path, table: list[dict[str, Any]]) -> None:
        self.folder = folder
        command = [sys.executable, "-c", SUPERVISOR, str(folder), json.dumps(table)]
        self.log = folder / "output"
        with self.log.open("wb") as log:
            self.child = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "HERE": str(folder)}
            )

    @property
    def text(self) -> str:
        """What it printed so far."""
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        """Return when it has printed this."""
        until(lambda: text in self.text, lambda: self.text)

    def pids(self) -> list[int]:
        """The processes that ever ran below it."""
        written = [path.read_text() for path in self.folder.glob("*.pid")]
        return [int(text) for text in written if text]

    def end(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.child.send_signal(number)
        return self.child.wait(15)


def until(condition: Callable[[], bool], explain: Callable[[], str] = str, seconds: float = 15) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process exists and is not only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[[list[dict[str, Any]]], Supervised]]:
    """Start a supervisor on a table; it is killed at the end if the test did not end it."""
    started: list[Supervised] = []

    def start(table: list[dict[str, Any]]) -> Supervised:
        started.append(Supervised(tmp_path, table))
        return started[-1]

    yield start
    for supervised in started:
        if supervised.child.poll() is None:
            supervised.end(signal.SIGTERM)
