"""How an API process ends: it says so, is still there for a while, then finishes what is under way and goes.

Whoever spreads requests over several processes finds out by asking, and finds out late. So after SIGTERM /readyz is
503 at once, while everything else is answered as ever for DRAIN_SECONDS, on connections that are not used again. Only
then streams end, idle connections are closed, no new ones are taken, and what is being answered may be finished.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn

from app.core.config import settings
from app.core.logging import logger
from app.core.web.headers import Header

log = logger("jetway.ending")

# What begins before the last moment may take so long. uvicorn by itself would wait without end, and one client that
# reads nothing of its stream would hold up every restart.
_FINISHES_WITHIN_SECONDS = 10

Handler = Callable[[int, FrameType | None], object]


class Ending:
    """What this process has been told, and how far it is with it. `goes` is set when streams have to end."""

    def __init__(self) -> None:
        self.begun = False
        self.goes = asyncio.Event()
        # On every answer from then on: who keeps connections open shall make its next one to another process.
        self.headers: list[Header] = []
        self._server: Handler | None = None

    @asynccontextmanager
    async def awaited(self) -> AsyncIterator[None]:
        """Meanwhile this is what SIGTERM and SIGINT begin; the server, whose signals they are, hears of it last."""
        self.begun, self.goes, self.headers = False, asyncio.Event(), []
        loop, before = asyncio.get_running_loop(), dict[int, Handler]()

        def told(number: int, _: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._begin, number)

        if threading.current_thread() is threading.main_thread():
            kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
            # Where nobody handles a signal it ends the process, and the streams with it.
            before = {number: handler for number, handler in kept.items() if callable(handler)}
        self._server = before.get(signal.SIGINT)
        for number in before:
            signal.signal(number, told)
        try:
            yield
        finally:
            self.goes.set()
            for number, handler in before.items():
                if signal.getsignal(number) is told:
                    signal.signal(number, handler)

    def _begin(self, number: int) -> None:
        """SIGTERM comes once from each of those who pass it on, and more of them make no difference. Who sends SIGINT
        sits before it and waits.
        """
        if number == signal.SIGTERM and self.begun:
            return
        seconds = settings().drain_seconds if number == signal.SIGTERM else 0.0
        self.begun = True
        self.headers = [(b"connection", b"close")]
        log.info("ending", drain_seconds=seconds)
        asyncio.get_running_loop().call_later(seconds, self._go, number)

    def _go(self, number: int) -> None:
        if number == signal.SIGTERM and self.goes.is_set():
            return
        self.goes.set()
        if self._server is not None:
            _bound(self._server)
            # Told of a SIGTERM it would end by that signal, as if it had been cut off; of a SIGINT it ends well.
            self._server(signal.SIGINT, None)


def _bound(handler: Handler) -> None:
    server = getattr(handler, "__self__", None)
    if isinstance(server, uvicorn.Server) and server.config.timeout_graceful_shutdown is None:
        server.config.timeout_graceful_shutdown = _FINISHES_WITHIN_SECONDS


ending = Ending()
