"""Processes that are asked to end."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.nursery import Process, nursery


class Told:
    """A process of the product, and what it said."""

    def __init__(self, process: Process, said: Any) -> None:
        self.process, self._said = process, said
        self._asked = 0.0

    def ask(self, number: signal.Signals = signal.SIGTERM) -> None:
        self._asked = self._asked or time.monotonic()
        self.process.send_signal(number)

    def ended(self, within: float) -> float:
        """How long after it was asked it had ended; told to whoever runs this with -s."""
        self.process.wait(within)
        took = time.monotonic() - self._asked
        print(f"ended {took:.1f} s after it was asked")  # noqa: T201
        return took

    @property
    def said(self) -> str:
        self._said.seek(0)
        text: str = self._said.read().decode()
        return text


@contextmanager
def started(*arguments: str, **environment: str) -> Iterator[Told]:
    with tempfile.TemporaryFile() as said:
        outputs = (said.fileno(), said.fileno())
        process = nursery().start([*arguments], {**os.environ, **environment}, outputs=outputs)
        try:
            yield Told(process, said)
        finally:
            process.kill()
            process.wait()
