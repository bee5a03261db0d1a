"""The metrics of all API processes that share a port, told by whichever of them is asked.

Each leaves its numbers in a file of METRICS_DIR, every few seconds and before it tells anything; what is told is the
sum of the files, so a number that was told once is never taken back. Each holds a lock as long as it lives, which the
system lets go of however it dies: then its counters are added to those of the dead, and its gauges are forgotten.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import chain
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from app.core.config import settings
from app.core.errors import Unavailable
from app.core.logging import logger
from app.core.metrics import PROCESSES, REGISTRY, SHARED

log = logger("jetway.metrics")

_LEFT_EVERY_SECONDS = 3.0
_PATIENCE_SECONDS = 1.5
# Gauges of which a sum would say nothing: they are those of whoever is asked.
_NOT_ADDED_UP = ("python_info", "process_start_time_seconds")
_DEAD = "dead.json"

# Of each metric its type, its meaning, and its values by the sample's name and labels.
Numbers = dict[str, tuple[str, str, dict[tuple[str, ...], float]]]


def _numbers(metrics: Iterable[Metric]) -> Numbers:
    return {
        metric.name: (
            metric.type,
            metric.documentation,
            {(one.name, *chain(*one.labels.items())): one.value for one in metric.samples},
        )
        for metric in metrics
    }


def _add(total: Numbers, numbers: Numbers) -> None:
    for name, (kind, meaning, values) in numbers.items():
        known = total.setdefault(name, (kind, meaning, {}))[2]
        for sample, value in values.items():
            if name not in _NOT_ADDED_UP:
                known[sample] = known.get(sample, 0) + value


def _counted(numbers: Numbers) -> Numbers:
    """Without gauges: what was so while a process lived."""
    return {name: one for name, one in numbers.items() if one[0] in ("counter", "histogram")}


class _Told(Collector):
    """Numbers as the library writes them."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Metric]:
        for name, (kind, meaning, values) in self._numbers.items():
            metric = Metric(name, meaning, kind)
            for (sample, *labels), value in values.items():
                metric.add_sample(sample, dict(zip(labels[::2], labels[1::2], strict=True)), value)
            yield metric


def _write(file: Path, numbers: Numbers, *names: str) -> None:
    """As a whole or not at all, whenever this process dies."""
    written = [
        [name, kind, meaning, list(values.items())] for name, (kind, meaning, values) in numbers.items()
    ]
    new = file.with_suffix(f".{os.getpid()}")
    new.write_bytes(orjson.dumps([written, names]))
    new.replace(file)


def _read(file: Path) -> tuple[Numbers, list[str]]:
    written, names = orjson.loads(file.read_bytes())
    numbers = {
        name: (kind, meaning, {tuple(s): v for s, v in values}) for name, kind, meaning, values in written
    }
    return numbers, names


class Folder:
    """A process's part in the folder. Whoever reads what others left does so alone."""

    def __init__(self, path: Path) -> None:
        self._path, self._name = path, f"{os.getpid()}-{token_hex(4)}"
        path.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self._alive = (path / f"{self._name}.alive").open("w")
            fcntl.flock(self._alive, fcntl.LOCK_EX)

    def leave(self) -> Numbers:
        """To be called by the thread that counts."""
        own = _numbers(REGISTRY.collect())
        _write(self._path / f"{self._name}.json", own)
        return own

    def added_up(self, own: Numbers) -> Numbers:
        """What this process has just left with what all others have. Raises TimeoutError."""
        with self._alone():
            dead, buried = _read(self._path / _DEAD) if (self._path / _DEAD).exists() else ({}, [])
            gone = []
            for file in self._path.glob("*.json"):
                if file.name == _DEAD or file.stem in (self._name, *buried):
                    continue
                left, _ = _read(file)
                if self._lives(file.stem):
                    _add(own, left)
                else:
                    _add(dead, _counted(left))
                    gone.append(file.stem)
            if gone or buried:
                self._bury(dead, *buried, *gone)
            _add(own, dead)
            return own

    def _bury(self, dead: Numbers, *names: str) -> None:
        """Their names are kept until their files are gone, so that nobody is counted twice if this process dies now."""
        _write(self._path / _DEAD, dead, *names)
        for name in names:
            (self._path / f"{name}.json").unlink(missing_ok=True)
            (self._path / f"{name}.alive").unlink(missing_ok=True)
        _write(self._path / _DEAD, dead)

    def _lives(self, name: str) -> bool:
        with suppress(FileNotFoundError), (self._path / f"{name}.alive").open() as alive:
            try:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Raises TimeoutError where another is at it for too long: no number is better than a wrong one."""
        until = monotonic() + _PATIENCE_SECONDS
        with (self._path / "lock").open("w") as lock:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                if monotonic() > until:
                    raise TimeoutError
                sleep(0.005)
            yield


_folder: Folder | None = None


@asynccontextmanager
async def kept_together() -> AsyncIterator[None]:
    """Take part in what the processes of this host tell, where there is a folder for it."""
    global _folder
    PROCESSES.set(1)
    if not settings().metrics_dir:
        yield
        return
    _folder = Folder(Path(settings().metrics_dir))
    _folder.leave()
    leaving = asyncio.create_task(_keep_leaving(_folder))
    try:
        yield
    finally:
        leaving.cancel()
        _folder.leave()
        _folder = None


async def _keep_leaving(folder: Folder) -> None:
    while True:
        await asyncio.sleep(_LEFT_EVERY_SECONDS)
        try:
            folder.leave()
        except OSError as error:
            log.warning("metrics not left", reason=type(error).__name__)


async def text() -> bytes:
    """What Prometheus reads. Raises Unavailable."""
    if _folder is None:
        return generate_latest(REGISTRY) + generate_latest(SHARED)
    try:
        # Another process may be at it, and the loop must not wait for that.
        told = await asyncio.to_thread(_folder.added_up, _folder.leave())
    except TimeoutError:
        raise Unavailable("Another process is telling the metrics of all.", retry_after=1) from None
    registry = CollectorRegistry()
    registry.register(_Told(told))
    return generate_latest(registry) + generate_latest(SHARED)
