"""What the person at the terminal sees: every line with the name of its process, and a log file of each."""

import asyncio
import os
import sys
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
LAST_LINES = 20


@dataclass
class Output:
    """Copies what processes write to the terminal and to `logs/<name>.log`."""

    logs: Path
    names: list[str]
    _last: dict[str, deque[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start each log afresh and keep the one of the run before."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            self._last[name] = deque(maxlen=LAST_LINES)
            if (log := self.logs / f"{name}.log").exists():
                log.replace(log.with_suffix(".log.1"))

    def say(self, text: str) -> None:
        """Print, also when nobody reads any more."""
        with suppress(OSError, ValueError):
            print(text, flush=True)

    async def copy(self, name: str, pipe: int, quiet: bool) -> None:
        """Copy until nobody holds the other end of the pipe."""
        stream = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(stream)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(pipe, "rb"))
        rest = b""
        with (self.logs / f"{name}.log").open("ab", buffering=0) as log:
            while chunk := await stream.read(65536):
                log.write(chunk)
                *lines, rest = (rest + chunk).split(b"\n")
                self._show(name, lines, quiet)
        self._show(name, [rest] if rest else [], quiet)

    def report_death(self, name: str, code: int | None) -> None:
        """Say that a process died or hangs, and its last words unless they were just shown."""
        how = "is not ready" if code is None else f"ended with exit code {code}"
        self.say(f"\n{name} {how}. Its last lines ({self.logs / name}.log):")
        for line in self._last[name]:
            self.say(f"    {line}")

    def _show(self, name: str, lines: list[bytes], quiet: bool) -> None:
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            self._last[name].append(text)
            if not quiet:
                self.say(f"{self._prefix(name)} {text}")

    def _prefix(self, name: str) -> str:
        width = max(map(len, self.names))
        label = f"{name:<{width}} |"
        if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
            return label
        return f"\x1b[{COLOURS[self.names.index(name) % len(COLOURS)]}m{label}\x1b[0m"
