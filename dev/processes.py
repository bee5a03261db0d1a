"""A supervisor: starts processes in order, watches them, and leaves none behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from dev import guard
from dev.leash import Account, leashed
from dev.terminal import Output

READY_SECONDS = 120.0
STOP_SECONDS = 9.0
RESTARTS_PER_MINUTE = 5


@dataclass(frozen=True)
class Process:
    """One line of the process table."""

    name: str
    argv: Sequence[str]
    after: tuple[str, ...] = ()  # what must be ready, or done, before
    prepare: Callable[[], None] | None = None  # runs in a thread first
    ready: Callable[[], bool] | None = None  # asked in a thread until true
    once: bool = False  # runs to its end and has to succeed
    quiet: bool = False  # writes to its log file only
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL  # what it gets when the supervisor is killed
    account: Account | None = None


@dataclass
class Running:
    """A started process and the task that copies its output."""

    process: Process
    child: asyncio.subprocess.Process
    output: asyncio.Task[None]


@dataclass
class Supervisor:
    """Runs a table of processes until asked to stop.

    What never worked stops everything, with its last words. What worked and then died is started again,
    as the orchestrator of a real deployment would, but not for ever.
    """

    processes: Sequence[Process]
    output: Output
    environment: dict[str, str]
    on_ready: Callable[[], None]
    failure: str | None = None
    _running: dict[str, Running] = field(default_factory=dict)  # in the order of their start
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _ready: dict[str, asyncio.Event] = field(default_factory=dict)
    _guard: subprocess.Popen[bytes] | None = None

    async def run(self) -> int:
        """The exit code: 0 after a requested stop."""
        self._listen_to_signals()
        self._ready = {process.name: asyncio.Event() for process in self.processes}
        self._start_guard()
        tasks = [asyncio.create_task(self._look_after(process)) for process in self.processes]
        tasks.append(asyncio.create_task(self._announce()))
        for task in tasks:
            task.add_done_callback(self._note_crash)
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._stop_everything()
        if self._guard:
            self._guard.communicate()
        if self.failure:
            self.output.say(f"Stopped: {self.failure}")
        return 1 if self.failure else 0

    def stop(self) -> None:
        """Stop everything, as somebody asked for; asking twice this way changes nothing."""
        if not self._stop.is_set():
            self.output.say("Stopping. Once more to stop at once.")
            self._stop.set()

    def fail(self, reason: str) -> None:
        """Stop everything; the first reason is the one that counts."""
        if not self._stop.is_set():
            self.failure = reason
            self._stop.set()

    async def _announce(self) -> None:
        for event in self._ready.values():
            await event.wait()
        self.on_ready()

    async def _look_after(self, process: Process) -> None:
        for name in process.after:
            await self._ready[name].wait()
        deaths: deque[float] = deque(maxlen=RESTARTS_PER_MINUTE + 1)
        while True:
            if process.prepare:
                await asyncio.to_thread(process.prepare)
            running = await self._start(process)
            await self._until_ready(running)
            code = await running.child.wait()
            await self._clear(running)
            if process.once and code == 0:
                self._ready[process.name].set()
                return
            self.output.report_death(process.name, code)
            deaths.append(time.monotonic())
            tired = len(deaths) == deaths.maxlen and deaths[-1] - deaths[0] < 60
            if tired or not self._ready[process.name].is_set():
                self.fail(f"{process.name} ended with exit code {code}" + (" too often" if tired else ""))
                return
            self.output.say(f"{process.name} is started again.")
            await asyncio.sleep(min(0.5 * 2 ** (len(deaths) - 1), 8))

    async def _start(self, process: Process) -> Running:
        command = leashed(list(process.argv), death_signal=process.death_signal, account=process.account)
        # A pipe of our own: with asyncio's, `wait` would also wait for descendants that hold the other end.
        reading, writing = os.pipe()
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        finally:
            os.close(writing)
        self._tell_guard(f"+{child.pid}")
        copying = asyncio.create_task(self.output.copy(process.name, reading, process.quiet))
        running = self._running[process.name] = Running(process, child, copying)
        return running

    async def _until_ready(self, running: Running) -> None:
        process, event = running.process, self._ready[running.process.name]
        deadline = time.monotonic() + READY_SECONDS
        while (
            process.ready and running.child.returncode is None and not await asyncio.to_thread(process.ready)
        ):
            if time.monotonic() > deadline:
                self.output.report_death(process.name, None)
                self.fail(f"{process.name} was not ready after {READY_SECONDS:.0f} seconds")
                return
            await asyncio.sleep(0.05)
        if not process.once and running.child.returncode is None:
            event.set()

    async def _clear(self, running: Running) -> None:
        """After the end of a process: end its descendants, and read the rest of its output."""
        _signal_group(running.child.pid, signal.SIGKILL)
        self._tell_guard(f"-{running.child.pid}")
        with suppress(TimeoutError):
            await asyncio.wait_for(running.output, 1)
        if self._running.get(running.process.name) is running:
            del self._running[running.process.name]

    async def _stop_everything(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        for running in reversed(list(self._running.values())):
            left = len(self._running)
            with suppress(ProcessLookupError):
                running.child.send_signal(running.process.stop_signal)
            # Each may take its time as long as a second is left for each of the others.
            patience = max(min(4.0, deadline - time.monotonic() - (left - 1)), 0.5)
            try:
                await asyncio.wait_for(running.child.wait(), patience)
            except TimeoutError:
                _signal_group(running.child.pid, signal.SIGKILL)
                await running.child.wait()
            await self._clear(running)

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if not self._stop.is_set():
            self.stop()
            return
        for running in self._running.values():
            _signal_group(running.child.pid, signal.SIGKILL)

    def _note_crash(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self.fail(str(error) or repr(error))

    def _start_guard(self) -> None:
        # In a session of its own, where a kill of our whole process group does not reach it.
        command = [sys.executable, "-I", "-S", guard.__file__]
        self._guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def _tell_guard(self, line: str) -> None:
        if self._guard and self._guard.stdin:
            with suppress(BrokenPipeError):
                self._guard.stdin.write(f"{line}\n".encode())
                self._guard.stdin.flush()


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
