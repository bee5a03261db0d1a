"""What happens to a booking and to its flights, told while somebody watches.

Where a stream is, is all that it keeps: the number of the last event of the booking and of each of its flights. These
numbers have no gaps and come in the order of commits, so a stream that goes on from them, in any process, tells
everything once; the rows' own ids are given before the commit and prove nothing. One task asks for all the streams
that wait. A stream whose client is slow asks for nothing more until it has been read.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import orjson

from app.bookings import booked
from app.bookings.errors import TooManyEventStreams, UnknownEvent
from app.core import db, outbox
from app.core.db import Row, Session
from app.core.errors import FieldProblem
from app.core.logging import logger
from app.core.web.sse import GREETING, KEEP_ALIVE, Crowd, EventStream

log = logger("jetway.events")

LONGEST_SECONDS = 3600.0
_PAUSE_SECONDS, _REST_SECONDS, _HEARTBEAT_SECONDS = 0.3, 2.0, 15.0
_MOST_AT_ONCE = 100
_NUMBER, _FLIGHT = r"[0-9]{1,9}", r"[A-Z0-9]{2}[0-9]{1,4}[A-Z]?-[0-9]{8}-[A-Z]{3}"
_POSITION = re.compile(rf"([A-Z0-9]{{6}})\.({_NUMBER})((?:\.{_FLIGHT}\.{_NUMBER}){{0,99}})")

crowd = Crowd("bookings", most=1000, most_each=20)


class Position(NamedTuple):
    """Where a stream is; as text it is the id of the event that was told last."""

    pnr: str
    sequence: int = 0
    flights: dict[str, int] = {}  # noqa: RUF012  Never changed.

    def __str__(self) -> str:
        flights = [f"{flight}.{sequence}" for flight, sequence in sorted(self.flights.items())]
        return ".".join([self.pnr, str(self.sequence), *flights])

    def after(self, event: Row) -> "Position":
        if event["subject"] == self.pnr:
            return self._replace(sequence=event["sequence"])
        return self._replace(flights=self.flights | {event["subject"]: event["sequence"]})


class Beginning(NamedTuple):
    """Where a stream begins, and what it says first."""

    position: Position
    first: bytes = b""


async def begin(session: Session, pnr: str, last_event_id: str | None) -> Beginning:
    """After the event that was told last, or now, with a snapshot. Raises UnknownEvent."""
    position = _read(last_event_id, pnr) if last_event_id else Position(pnr)
    now = await booked.standing(session, position._asdict())
    if last_event_id:
        if not now["kept"]:
            raise _unknown()
        return Beginning(position)
    position = Position(pnr, now["sequence"], now["flights"])
    return Beginning(position, _event(position, "snapshot", {"pnr": pnr, "status": now["status"]}))


def _read(text: str, pnr: str) -> Position:
    match = _POSITION.fullmatch(text)
    if match is None or match[1] != pnr:
        raise _unknown()
    flights = match[3].split(".")[1:]
    return Position(pnr, int(match[2]), dict(zip(flights[::2], map(int, flights[1::2]), strict=True)))


def _unknown() -> UnknownEvent:
    detail = "Begin without an id: read the booking once the stream is open."
    problem = FieldProblem(
        "last_event_id", "unknown_event", "Not the id of an event of this booking that is kept"
    )
    return UnknownEvent(detail, errors=[problem])


def _event(position: Position, kind: str, data: Row) -> bytes:
    return f"id: {position}\nevent: {kind}\ndata: {orjson.dumps(data).decode()}\n\n".encode()


class BookingStream(EventStream):
    """One viewer's events of a booking, for so many seconds at most, and until `barred` returns."""

    def __init__(
        self,
        beginning: Beginning,
        viewer: str,
        seconds: float | None = None,
        barred: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        longest = LONGEST_SECONDS if seconds is None else min(seconds, LONGEST_SECONDS)
        super().__init__(crowd, TooManyEventStreams(retry_after=30), viewer, longest, barred)
        self._beginning = beginning

    async def events(self) -> AsyncGenerator[tuple[bytes, ...]]:
        """The snapshot if there is one, then what is new."""
        yield (GREETING, self._beginning.first)
        with _watching(_Watch(self._beginning.position)) as watch:
            while True:
                found, _ = await asyncio.wait({watch.news}, timeout=_HEARTBEAT_SECONDS)
                if not found:
                    yield (KEEP_ALIVE,)
                    continue
                yield tuple(watch.told())
                watch.news = asyncio.get_running_loop().create_future()


class _Watch:
    """A stream that waits, or has `news`: until it has told them, it is not asked for again."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.news: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()

    def told(self) -> Iterator[bytes]:
        found = self.news.result()
        self.position = self.position._replace(flights=found[0]["flights"])
        for event in found:
            self.position = self.position.after(event)
            yield _event(self.position, event["type"], outbox.envelope(event))


@dataclass(slots=True)
class _State:
    """The open streams, and the task that asks for all of them while there are any."""

    watches: set[_Watch] = field(default_factory=set)
    asking: asyncio.Task[None] | None = None


_state = _State()


@contextmanager
def _watching(watch: _Watch) -> Iterator[_Watch]:
    _state.watches.add(watch)
    _state.asking = _state.asking or asyncio.create_task(_ask())
    try:
        yield watch
    finally:
        _state.watches.remove(watch)
        if not _state.watches:
            _state.asking.cancel()
            _state.asking = None


async def _ask() -> None:
    while True:
        waiting = [watch for watch in _state.watches if not watch.news.done()]
        pause = _PAUSE_SECONDS
        try:
            if waiting:
                await _look(waiting)
        except Exception as error:  # noqa: BLE001  What was not seen now is seen when the database is back.
            log.warning("events not looked at", reason=type(error).__name__)
            pause = _REST_SECONDS
        await asyncio.sleep(pause)


async def _look(waiting: list[_Watch]) -> None:
    async with db.direct() as session:
        found = await booked.news(session, [watch.position._asdict() for watch in waiting], _MOST_AT_ONCE)
    for n, events in groupby(found, key=itemgetter("n")):
        waiting[n].news.set_result(list(events))
