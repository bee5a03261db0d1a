"""Streams of server-sent events: a viewer's positions again whenever there are newer ones.

A stream holds nothing but the time until the next look: it asks like any other viewer, so that however many
there are, each tile is fetched once, and a client that reads slowly gets the newest positions when it is
ready and never a queue of old ones. Without streams nobody asks.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from app.core.errors import AppError
from app.core.web.sse import GREETING, KEEP_ALIVE, Crowd, EventStream
from app.live import answers, lookup, paths, tiles
from app.live.answers import Answer
from app.live.errors import TooManyStreams
from app.live.schemas import LiveQuery

_SHORTEST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 10.0

crowd = Crowd("positions", most=200)


@asynccontextmanager
async def serving() -> AsyncIterator[None]:
    """Meanwhile positions may be asked for; what is still being fetched at the end is given up."""
    try:
        yield
    finally:
        await asyncio.gather(tiles.close(), paths.close(), lookup.close())


class PositionStream(EventStream):
    """Positions for one viewer."""

    def __init__(self, query: LiveQuery, first: Answer) -> None:
        super().__init__(crowd, TooManyStreams(retry_after=10))
        self._query, self._first = query, first

    async def events(self) -> AsyncGenerator[tuple[bytes, ...]]:
        """In parts, because the large one is shared by all streams that send it."""
        yield (GREETING,)
        answer: Answer | None = self._first
        sent = ""
        while True:
            news = answer.body.etag if answer else "unavailable"
            if news == sent:
                yield (KEEP_ALIVE,)
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
                yield (KEEP_ALIVE,)
            answer = looking.result()

    async def _look(self) -> Answer | None:
        try:
            return await answers.find(self._query)
        except AppError:
            return None
