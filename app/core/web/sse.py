"""Server-sent events: what streams of every kind have in common.

A stream lasts until its client goes away, its time is over or the process ends. What there is to tell is asked of
the subclass a piece at a time, when the client has taken the one before.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.core.errors import AppError
from app.core.metrics import LIVE_STREAMS
from app.core.web.ending import ending

GREETING = b"retry: 3000\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
# A client that takes none of a piece for so long is gone, whatever its connection says.
_PIECE_BYTES, _STUCK_SECONDS, _FAREWELL_SECONDS = 64 * 1024, 30.0, 1.0


class Crowd:
    """The open streams of one kind in this process: so many of everybody together, and so many of each viewer."""

    def __init__(self, kind: str, most: int, most_each: int | None = None) -> None:
        self.kind, self.most, self.most_each = kind, most, most_each
        self._of: Counter[str] = Counter()

    @property
    def open(self) -> int:
        return self._of.total()

    def is_full(self, viewer: str) -> bool:
        return self.open >= self.most or (
            self.most_each is not None and self._of.get(viewer, 0) >= self.most_each
        )

    @contextmanager
    def joined(self, viewer: str) -> Iterator[None]:
        self._count(viewer, 1)
        try:
            yield
        finally:
            self._count(viewer, -1)

    def _count(self, viewer: str, by: int) -> None:
        self._of[viewer] += by
        if not self._of[viewer]:
            del self._of[viewer]
        LIVE_STREAMS.labels(self.kind).set(self.open)


class EventStream(Response):
    """Events for one viewer. `seconds` is how long they may go on, None for as long as the viewer wants; `barred`
    returns when the viewer may watch no more.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        crowd: Crowd,
        refusal: AppError,
        viewer: str = "",
        seconds: float | None = None,
        barred: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._crowd, self._refusal, self._viewer = crowd, refusal, viewer
        self._seconds, self._barred = seconds, barred

    def events(self) -> AsyncGenerator[tuple[bytes, ...]]:
        """What is to be sent, in parts: a large body can be shared by all streams that send it."""
        raise NotImplementedError

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002  It is the signature of every ASGI application.
        receive: Receive,
        send: Send,
    ) -> None:
        if self._crowd.is_full(self._viewer):
            raise self._refusal
        with self._crowd.joined(self._viewer):
            await self._serve(receive, send)

    async def _serve(self, receive: Receive, send: Send) -> None:
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_left(receive))
        ending = asyncio.create_task(self._over())
        ends = (writing, leaving, ending)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if not ending.cancelled():
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif not writing.cancelled() and not isinstance(writing.exception(), TimeoutError):
            writing.result()

    async def _write(self, send: Send) -> None:
        """The events in pieces, so that what waits for a slow client in the server's memory stays small."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self.events()) as events:
            async for parts in events:
                for part in parts:
                    for start in range(0, len(part), _PIECE_BYTES):
                        piece = part[start : start + _PIECE_BYTES]
                        async with asyncio.timeout(_STUCK_SECONDS):
                            await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _over(self) -> None:
        """Return when the stream's time is over, its viewer may watch no more, or the process goes."""
        ends: list[asyncio.Future[Any]] = [asyncio.create_task(ending.goes.wait())]
        if self._barred is not None:
            ends.append(asyncio.ensure_future(self._barred()))
        try:
            await asyncio.wait(ends, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()


async def _left(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
