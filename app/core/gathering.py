"""The metrics of all API processes that share a port, told by whichever of them is asked.

Each leaves its numbers in a file of METRICS_DIR, every few seconds and before it tells anything; what is told is the
sum of the files, so a number that was told once is never taken back. Each holds a lock as long as it lives, which the
system lets go of however it dies: then its counters are added to those of the dead, and its gauges are forgotten.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from operator import add
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryFile
from time import monotonic, sleep
from typing import Self

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from app.core.config import settings
from app.core.errors import Unavailable
from app.core.logging import logger
from app.core.metrics import ANSWERED, REGISTRY, REQUESTS, SHARED, Kind

log = logger("jetway.metrics")

_LEFT_EVERY_SECONDS = 3.0
_PATIENCE_SECONDS = 1.5
# Gauges of which a sum would say nothing: the newest process tells when one has begun, and all have one Python.
_THE_HIGHEST = ("python_info", "process_start_time_seconds")
_DEAD = "dead.json"

# Of each metric its type, its meaning, and its values by the sample's name and labels.
Numbers = dict[str, tuple[str, str, dict[tuple[str, ...], float]]]


@dataclass(eq=False)
class Told(Collector):
    """What one process tells, or all of them."""

    numbers: Numbers
    requests: dict[Kind, list[float]]

    @classmethod
    def own(cls) -> Self:
        """To be called by the thread that counts."""
        numbers = {
            metric.name: (
                metric.type,
                metric.documentation,
                {(one.name, *chain(*one.labels.items())): one.value for one in metric.samples},
            )
            for metric in REGISTRY.collect()
        }
        return cls(numbers, {kind: list(counts) for kind, counts in REQUESTS.seen().items()})

    def add(self, other: "Told", *, dead: bool = False) -> None:
        """The gauges of the dead are those of nobody."""
        for kind, counts in other.requests.items():
            known = self.requests.get(kind)
            self.requests[kind] = [*map(add, known, counts)] if known else counts
        for name, (type_, meaning, values) in other.numbers.items():
            if dead and type_ not in ("counter", "histogram"):
                continue
            total = self.numbers.setdefault(name, (type_, meaning, {}))[2]
            for sample, value in values.items():
                before = total.get(sample, 0.0)
                total[sample] = max(before, value) if name in _THE_HIGHEST else before + value

    def text(self) -> bytes:
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        yield REQUESTS.family(self.requests)
        for name, (type_, meaning, values) in self.numbers.items():
            metric = Metric(name, meaning, type_)
            for (sample, *labels), value in values.items():
                metric.add_sample(sample, dict(zip(labels[::2], labels[1::2], strict=True)), value)
            yield metric

    def write(self, file: Path, *names: str) -> None:
        """As a whole or not at all, whenever this process dies."""
        numbers = [[name, *one, list(values.items())] for name, (*one, values) in self.numbers.items()]
        new = file.with_suffix(f".{os.getpid()}")
        new.write_bytes(orjson.dumps([numbers, list(self.requests.items()), names]))
        new.replace(file)

    @classmethod
    def read(cls, file: Path) -> tuple[Self, list[str]]:
        """With the names that were written there as well."""
        numbers, requests, names = orjson.loads(file.read_bytes())
        told = {
            name: (type_, meaning, {tuple(s): v for s, v in values})
            for name, type_, meaning, values in numbers
        }
        return cls(told, {tuple(kind): counts for kind, counts in requests}), names


class Folder:
    """A process's part in the folder. Whoever reads what others left does so alone."""

    def __init__(self, path: Path) -> None:
        self._path, self._name = path, f"{os.getpid()}-{token_hex(4)}"
        path.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self._alive = (path / f"{self._name}.alive").open("w")
            fcntl.flock(self._alive, fcntl.LOCK_EX)

    def leave(self) -> Told:
        own = Told.own()
        own.write(self._path / f"{self._name}.json")
        return own

    def added_up(self, told: Told) -> Told:
        """What this process has just left with what all others have. Raises TimeoutError."""
        with self._alone():
            dead, buried = (
                Told.read(self._path / _DEAD) if (self._path / _DEAD).exists() else (Told({}, {}), [])
            )
            gone = []
            for file in self._path.glob("*.json"):
                if file.name == _DEAD or file.stem in (self._name, *buried):
                    continue
                left, _ = Told.read(file)
                if self._lives(file.stem):
                    told.add(left)
                else:
                    dead.add(left, dead=True)
                    gone.append(file.stem)
            if gone or buried:
                self._bury(dead, *buried, *gone)
            told.add(dead)
            return told

    def _bury(self, dead: Told, *names: str) -> None:
        """Their names are kept until their files are gone, so that nobody is counted twice if this process dies now."""
        dead.write(self._path / _DEAD, *names)
        for name in names:
            (self._path / f"{name}.json").unlink(missing_ok=True)
            (self._path / f"{name}.alive").unlink(missing_ok=True)
        dead.write(self._path / _DEAD)

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


def require_folder() -> None:
    """End a start after which no number could be left, in the words in which any other wrong setting ends it."""
    if not settings().metrics_dir:
        return
    try:
        Path(settings().metrics_dir).mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=settings().metrics_dir).close()
    except OSError as error:
        raise SystemExit(
            f"Jetway does not start: METRICS_DIR: Not a folder that can be written to: {error.strerror}."
        ) from None


@asynccontextmanager
async def kept_together() -> AsyncIterator[None]:
    """Take part in what the processes of this host tell, where there is a folder for it."""
    global _folder
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
        return generate_latest(ANSWERED) + generate_latest(REGISTRY) + generate_latest(SHARED)
    try:
        # Another process may be at it, and the loop must not wait for that.
        told = await asyncio.to_thread(_folder.added_up, _folder.leave())
    except TimeoutError:
        raise Unavailable("Another process is telling the metrics of all.", retry_after=1) from None
    return told.text() + generate_latest(SHARED)
