"""What PostgreSQL and Redis have in common as child processes: a directory, a port, a password, a life."""

import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from dev.leash import Account, leashed

HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0
# Below those that systems give to connections which go out: Linux from 32768, others from 49152 on.
_NEVER_LENT = range(20_000, 32_768)


class ServerError(Exception):
    """A server could not be set up or started; the message says what to do."""


class Server(ABC):
    """A server that keeps its files in one directory and its port and password from run to run."""

    name: str
    stop_signal: signal.Signals
    account: Account | None = None

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port, self.password = _remembered(self.directory / "server.json")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @property
    @abstractmethod
    def argv(self) -> list[str]:
        """The command that runs the server in the foreground."""

    @abstractmethod
    def prepare(self) -> None:
        """Write whatever the server needs before its start; quick when there is nothing to do."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers clients."""

    def start(self, *, wait: bool = True) -> None:
        """Start it, and return when it answers."""
        self.prepare()
        with self.log.open("ab") as log:
            command = leashed(self.argv, death_signal=self.stop_signal, account=self.account)
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when the server answers; raise with its last words when it will not."""
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._child is None or self._child.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerError(f"{self.name} did not start:\n{last_lines(self.log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it cleanly; nothing happens when it is not running."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """End it the hard way, as a crash would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start; URL and data stay the same."""
        self.stop()
        self.start()

    @property
    def pid(self) -> int | None:
        """The process, when it was started by `start`."""
        return self._child.pid if self._child else None

    @property
    def log(self) -> Path:
        """What the server said, when it was started by `start`."""
        return self.directory / "server.log"

    def _end(self, number: signal.Signals) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.send_signal(number)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def package(name: str) -> Path:
    """The folder of an installed wheel, found without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerError(f"{name} is not installed: run `make`, or set DATABASE_URL and REDIS_URL")
    return Path(spec.origin).resolve().parent


def free_port(preferred: int = 0, host: str = HOST) -> int:
    """The preferred port when nobody listens on it, otherwise one that nobody is likely to take before it is used."""
    for port in (preferred, *secrets.SystemRandom().sample(_NEVER_LENT, 100)):
        if port and port_is_free(port, host):
            return port
    raise ServerError(f"no port of {host} is free")


def port_is_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return True
    except OSError:
        return False


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner may read it."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def last_lines(path: Path, count: int = 20) -> str:
    """The end of a log."""
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:]) if path.exists() else ""


def _remembered(path: Path) -> tuple[int, str]:
    """The port and password of earlier runs; another port when that one is taken."""
    known = json.loads(path.read_text()) if path.exists() else {}
    port = free_port(known.get("port", 0))
    password = known.get("password") or secrets.token_urlsafe(18)
    if known != {"port": port, "password": password}:
        write_private(path, json.dumps({"port": port, "password": password}))
    return port, password
