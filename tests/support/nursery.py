"""Processes of the product that start in a tenth of the time: forked from one that has loaded what takes long.

What is started is a process of its own all the same: it loads its entry point under the environment and the arguments
that a shell would have given it, and reads its settings by itself. What others wrote is there already, and of the
product what is the same under every environment: shapes, tables and routes. The nursery sees to it that no settings
were read for that. It is started before the servers, and every process in it ends with it.
"""

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import re
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_LIBRARIES = (
    "aiohttp",
    "alembic.command",
    "argon2",
    "asyncpg",
    "babel",
    "billiard",
    "celery.apps.worker",
    "celery.bin.beat",
    "celery.bin.worker",
    "email_validator",
    "fastapi",
    "fastapi_offline",
    "holidays",
    "httptools",
    "itsdangerous",
    "jinja2",
    "jwt",
    "kombu.transport.redis",
    "numpy",
    "orjson",
    "prometheus_client",
    "pydantic_settings",
    "redis.asyncio",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.ext.asyncio",
    "structlog",
    "tenacity",
    "uvicorn",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)
# They bring most of the product with them, and nothing that reads settings as it loads, as the client of the queue does
_PRODUCT = (
    "app.bookings.event_router",
    "app.bookings.guest_router",
    "app.documents.router",
    "app.flights.router",
    "app.live.router",
    "app.notifications.router",
    "app.offers.router",
    "app.rules.router",
    "app.seats.router",
)


class Process:
    """As much of `subprocess.Popen` as tests use of it."""

    def __init__(self, pid: int, ended: socket.socket) -> None:
        self.pid, self._ended = pid, ended
        self.returncode: int | None = None

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            # Without a word the nursery itself has ended, and its children with it.
            self.returncode = int(self._ended.recv(32) or b"-9")
            self._ended.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The side of whoever starts processes."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="jetway-nursery-")
        self._path = f"{self._folder.name}/socket"
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(self._path)
        listening.listen()
        with listening:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.nursery", str(listening.fileno())],
                cwd=ROOT,
                pass_fds=(listening.fileno(),),
                stdin=subprocess.PIPE,
            )
        atexit.register(self.close)

    def start(
        self,
        arguments: list[str],
        environment: dict[str, str],
        *,
        own_session: bool = False,
        outputs: tuple[int, int] = (1, 2),
    ) -> Process:
        """`python <arguments>` with this environment and no other, which writes to these descriptors."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._path)
        order = {"arguments": arguments, "environment": environment, "own_session": own_session}
        socket.send_fds(connection, [b"!"], outputs)
        with connection.makefile("wb") as told:
            told.write(json.dumps(order).encode() + b"\n")
        return Process(int(connection.recv(32)), connection)

    def close(self) -> None:
        if self._process.poll() is None and self._process.stdin:
            self._process.stdin.close()
            self._process.wait()
        self._folder.cleanup()


@functools.cache
def nursery() -> Nursery:
    """The one of this test run."""
    return Nursery()


def _serve(listening: socket.socket) -> None:
    """Fork what is asked for, and tell whoever asked how it ended, until nobody holds our input any more."""
    woken, wakes = socket.socketpair()
    for one in (woken, wakes):
        one.setblocking(False)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting: dict[int, socket.socket] = {}
    while True:
        ready = select.select([sys.stdin, listening, woken], [], [])[0]
        if sys.stdin in ready:
            break
        if woken in ready:
            woken.recv(4096)
            _bury(waiting)
        if listening in ready:
            connection = listening.accept()[0]
            _, outputs, _, _ = socket.recv_fds(connection, 1, 2)
            with connection.makefile("rb") as told:
                order = json.loads(told.readline())
            if not (pid := os.fork()):
                _become(order, outputs)
            for output in outputs:
                os.close(output)
            waiting[pid] = connection
            connection.sendall(str(pid).encode())
    for pid in waiting:
        os.kill(pid, signal.SIGKILL)


def _bury(waiting: dict[int, socket.socket]) -> None:
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        if connection := waiting.pop(pid, None):
            with contextlib.suppress(OSError), connection:
                connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _become(order: dict[str, Any], outputs: list[int]) -> None:
    """Be the process that was asked for; its exit is ours."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if order["own_session"]:
        os.setsid()
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # Sockets of others must not live as long as this process does.
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(order["environment"])
    tempfile.tempdir = None  # It was found out by another environment.
    code = 0
    try:
        option, what, arguments = _understood(order["arguments"])
        sys.argv = [what if option == "-m" else option, *arguments]
        if option == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if isinstance(leaving.code, str):
            sys.stderr.write(f"{leaving.code}\n")
    except BaseException:  # noqa: BLE001  As the interpreter would.
        traceback.print_exc()
        code = 1
    finally:
        # What an interpreter does at its end. Ours must not go on, for it is in the middle of serving others.
        threading._shutdown()
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _understood(arguments: list[str]) -> tuple[str, str, list[str]]:
    """Options as Python takes them, as far as they are used here: `-W filter`, then `-m module` or `-c code`."""
    while arguments[0] == "-W":
        action, message = arguments[1].split(":", 1)
        warnings.filterwarnings(action, re.escape(message))
        arguments = arguments[2:]
    assert arguments[0] in ("-m", "-c"), "the nursery runs modules and programs"
    return arguments[0], arguments[1], arguments[2:]


if __name__ == "__main__":
    for _module in (*_LIBRARIES, *_PRODUCT):
        importlib.import_module(_module)
    _config = importlib.import_module("app.core.config")
    assert not _config.settings.cache_info().currsize, (
        "what starts here would have the settings of the nursery"
    )
    assert threading.active_count() == 1, "a thread would be missing in what starts here"
    # What all have in common is not looked at by each one's collector.
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
