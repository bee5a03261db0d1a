"""Doing once what several ask for at the same time."""

import asyncio
from collections.abc import Awaitable, Callable


class Together:
    """An operation in which whoever asks before it begins takes part; who asks while it runs waits for the next.

    So what a caller did before it asked has happened before the operation that it waited for.
    """

    def __init__(self, operation: Callable[[], Awaitable[None]]) -> None:
        self._operation = operation
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def __call__(self) -> None:
        if self._next is None:
            self._next = asyncio.create_task(self._run(self._running))
        await asyncio.shield(self._next)

    async def _run(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        try:
            await self._operation()
        finally:
            self._running = None if self._running is asyncio.current_task() else self._running
