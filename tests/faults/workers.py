"""Celery workers as `make run` starts them, each a parent with its children, that can be killed, stopped and asked."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dev.run import AS_ROOT
from tests.support.nursery import Process, nursery

_COMMAND = ("-W", AS_ROOT, "-m", "celery", "--quiet", "-A", "app.worker", "worker", "--loglevel=WARNING")


class Worker:
    """One parent; what it forks carries its children's process group."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def children(self) -> list[int]:
        return [pid for pid in self.family() if pid != self.process.pid]

    def family(self) -> list[int]:
        """Everybody who is left, also children whose parent is gone."""
        return [
            int(folder.name)
            for folder in Path("/proc").iterdir()
            if folder.name.isdigit() and self._is_ours(folder) and _lives(folder)
        ]

    def kill_child(self) -> None:
        os.kill(self.children()[0], signal.SIGKILL)

    def kill_parent(self) -> None:
        self.process.kill()
        self.process.wait()

    def kill(self) -> None:
        """The parent and its children at one moment."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def stop(self, within: float = 30.0) -> float:
        """Ask the parent to end, as a container's runtime does; gives how long the whole family took."""
        asked = time.monotonic()
        self.process.terminate()
        self.process.wait(within)
        return time.monotonic() - asked

    def _is_ours(self, folder: Path) -> bool:
        with suppress(OSError):
            return os.getpgid(int(folder.name)) == self.process.pid
        return False


def _lives(folder: Path) -> bool:
    with suppress(OSError):
        return (folder / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@contextmanager
def worker(children: int = 1, **environment: str) -> Iterator[Worker]:
    """Without Beat and without waiting: it works as soon as it can."""
    process = nursery().start(
        [*_COMMAND, f"--concurrency={children}", "--without-mingle", "--without-gossip"],
        {**os.environ, "LOG_LEVEL": "ERROR", **environment},
        own_session=True,
    )
    one = Worker(process)
    try:
        yield one
    finally:
        one.kill()
