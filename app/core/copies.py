"""Tables that every process keeps in memory, and reads again when anybody has changed them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from app.core import db
from app.core.db import Row, Session
from app.core.logging import logger

log = logger("jetway.copies")

T = TypeVar("T")

_SECONDS_BETWEEN_LOOKS = 10


class Copy(Generic[T]):
    """What is made of a table's rows. `stamp` gives a value that is another whenever the table has changed.

    `warm` makes what may come a moment after the first start, such as an index for people who type.
    """

    def __init__(
        self,
        stamp: Callable[[Session], Awaitable[Any]],
        rows: Callable[[Session], Awaitable[list[Row]]],
        build: Callable[[list[Row]], T],
        warm: Callable[[T], Any] = lambda _: None,
    ) -> None:
        self._stamp, self._rows, self._build, self._warm = stamp, rows, build, warm
        self._seen: Any = None
        self._value: T | None = None

    @property
    def is_read(self) -> bool:
        return self._value is not None

    @property
    def value(self) -> T:
        if self._value is None:
            raise RuntimeError("The table was not read into memory.")
        return self._value

    async def refresh(self) -> None:
        """Read the table if it is not what it was when it was last read."""
        async with db.transaction() as session:
            # What changes between the two is seen as a change next time.
            stamp = await self._stamp(session)
            if stamp == self._seen:
                return
            rows = await self._rows(session)
        if not rows and self._value is not None:
            return  # Nobody does without reference data: somebody is putting others in their place.
        # Beside the loop, which has requests to answer.
        value = await asyncio.to_thread(self._build, rows)
        if self._value is not None:
            await asyncio.to_thread(self._warm, value)
        self._value, self._seen = value, stamp

    async def warm(self) -> None:
        await asyncio.to_thread(self._warm, self.value)


@asynccontextmanager
async def kept_fresh(*copies: Copy[Any]) -> AsyncIterator[None]:
    """Meanwhile, look every few seconds whether another process has changed a table."""
    looking = asyncio.create_task(_keep_looking(copies))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _keep_looking(copies: Sequence[Copy[Any]]) -> None:
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        for copy in copies:
            try:
                await copy.refresh()
            except Exception as error:  # noqa: BLE001  What is in memory serves until the database is back.
                log.warning("reference data not looked at", reason=type(error).__name__)
