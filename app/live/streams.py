"""Streams of server-sent events: a viewer's positions again whenever there are newer ones.

A stream holds nothing but the time until the next look: it asks like any other viewer, so that however many
there are, each tile is fetched once, and a client that reads slowly gets the newest positions when it is
ready and never a queue of old ones. Without streams nobody asks.
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.core.errors import AppError
from app.core.metrics import LIVE_STREAMS
from app.core.web import problems
from app.live import answers, lookup, paths, tiles
from app.live.answers import Answer
from app.live.errors import TooManyStreams
from app.live.schemas import LiveQuery

_MOST = 200
_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 10.0
_GREETING = b"retry: 3000\n\n"
_KEEP_ALIVE = b": keep-alive\n\n"
# A client that takes none of a piece for so long is gone, whatever its connection says.
_PIECE_BYTES, _STUCK_SECONDS, _FAREWELL_SECONDS = 64 * 1024, 30.0, 1.0


@dataclass(slots=True)
class _State:
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    open: int = 0


_state = _State()


@asynccontextmanager
async def serving() -> AsyncIterator[None]:
    """Meanwhile streams may be open; they end as soon as the process is told to stop.

    The server waits for its connections before it tells the application, and a stream would never end.
    """
    _state.closing = asyncio.Event()
    with _told_to_stop(asyncio.get_running_loop(), _state.closing):
        try:
            yield
        finally:
            _state.closing.set()
            await asyncio.gather(tiles.close(), paths.close(), lookup.close())


@contextmanager
def _told_to_stop(loop: asyncio.AbstractEventLoop, closing: asyncio.Event) -> Iterator[None]:
    """Set the event on the signals that the server handles, before it handles them."""
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    # Where nobody handles a signal it ends the process, and the streams with it.
    handlers = {number: handler for number, handler in before.items() if callable(handler)}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(closing.set)
        handlers[signal.Signals(number)](number, frame)

    for number in handlers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)


class EventStream(Response):
    """Events for one viewer, until it goes away or the server stops."""

    media_type = "text/event-stream"

    def __init__(self, query: LiveQuery, first: Answer) -> None:
        super().__init__(headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._query, self._first = query, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _state.open >= _MOST:
            refusal = problems.answer(Request(scope), TooManyStreams(retry_after=10))
            await refusal(scope, receive, send)
            return
        _state.open += 1
        LIVE_STREAMS.set(_state.open)
        try:
            await self._serve(receive, send)
        finally:
            _state.open -= 1
            LIVE_STREAMS.set(_state.open)

    async def _serve(self, receive: Receive, send: Send) -> None:
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_left(receive))
        closing = asyncio.create_task(_state.closing.wait())
        ends = (writing, leaving, closing)
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if not closing.cancelled():
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL_SECONDS):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif not writing.cancelled() and not isinstance(writing.exception(), TimeoutError):
            writing.result()

    async def _write(self, send: Send) -> None:
        """The events in pieces, so that what waits for a slow client in the server's memory stays small."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for parts in self._events():
            for part in parts:
                for start in range(0, len(part), _PIECE_BYTES):
                    piece = part[start : start + _PIECE_BYTES]
                    async with asyncio.timeout(_STUCK_SECONDS):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _events(self) -> AsyncIterator[tuple[bytes, ...]]:
        """What is to be sent, in parts: a large body is shared by all streams that send it."""
        yield (_GREETING,)
        answer: Answer | None = self._first
        sent = ""
        while True:
            news = answer.body.etag if answer else "unavailable"
            if news == sent:
                yield (_KEEP_ALIVE,)
            elif answer:
                head = b"id: %s\nevent: positions\ndata: " % news.strip('W/"').encode()
                yield (head, answer.body.plain, b"\n\n")
            else:
                yield (b'event: unavailable\ndata: {"code":"positions_unavailable"}\n\n',)
            sent = news
            pause = answer.fresh_seconds if answer else 0.0
            await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, min(_LONGEST_PAUSE_SECONDS, pause)))
            looking = asyncio.create_task(self._look())
            while not (await asyncio.wait({looking}, timeout=_LONGEST_PAUSE_SECONDS))[0]:
                yield (_KEEP_ALIVE,)
            answer = looking.result()

    async def _look(self) -> Answer | None:
        try:
            return await answers.find(self._query)
        except AppError:
            return None


async def _left(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
