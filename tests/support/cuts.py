"""A wire to PostgreSQL that breaks at a commit: before the server has heard it, or before its answer comes back.

Both look the same to who has asked: the connection is gone, and nobody knows whether the work is durable. Only commits
of certain work count, by default of that on bookings and money; a process looks at other things at any time.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal
from urllib.parse import urlsplit

Side = Literal["before", "after"]

MONEY = re.compile(rb"bookings|payments|refunds|idempotency_keys|processor_events")
_SSL_REQUEST = (80877103).to_bytes(4, "big")


class Wire:
    """Counts commits from when it is armed, and breaks at the n-th; `then` is done at that instant.

    A commit counts if one of its statements fits `counting`.
    """

    def __init__(self) -> None:
        self.commits, self.struck, self.counting = 0, False, MONEY
        self._at: tuple[int, Side] | None = None
        self._then: Callable[[], None] | None = None

    def arm(
        self,
        number: int,
        side: Side,
        then: Callable[[], None] | None = None,
        counting: re.Pattern[bytes] = MONEY,
    ) -> None:
        self.commits, self.struck, self._at, self._then = 0, False, (number, side), then
        self.counting = counting

    def disarm(self) -> bool:
        """Break no more; whether it has broken."""
        self._at = None
        return self.struck

    def strikes(self) -> Side | None:
        """Count a commit; the side on which the wire breaks at this one."""
        self.commits += 1
        if self._at is None or self._at[0] != self.commits:
            return None
        (_, side), self._at, self.struck = self._at, None, True
        return side

    def broken(self) -> None:
        if self._then is not None:
            self._then()


@asynccontextmanager
async def wire_to(database_url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to a database, and the address at its near end."""
    far, wire, connections = urlsplit(database_url), Wire(), set[asyncio.Task[None]]()

    async def connected(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        with suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            try:
                server, to_server = await asyncio.open_connection(far.hostname, far.port)
                try:
                    await _carried(wire, (client, to_client), (server, to_server))
                finally:
                    to_server.transport.abort()
            finally:
                to_client.transport.abort()
        connections.discard(task)

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    near = f"{far.username}:{far.password}@127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield wire, far._replace(netloc=near if far.username else near.partition("@")[2]).geturl()
    finally:
        listening.close()
        for task in connections:
            task.cancel()
        # One that has not begun ends as cancelled. Raised here, that would take the test's other fixtures with it.
        await asyncio.gather(*connections, return_exceptions=True)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _carried(wire: Wire, client: Ends, server: Ends) -> None:
    """Pass the client's messages on, one by one, up to the commit at which the wire breaks."""
    answers = asyncio.create_task(_copied(server[0], client[1]))
    try:
        greeted, statements, counts = False, dict[bytes, bytes](), False
        while True:
            kind = await client[0].readexactly(1) if greeted else b""
            length = await client[0].readexactly(4)
            body = await client[0].readexactly(int.from_bytes(length, "big") - 4)
            greeted = greeted or body[:4] != _SSL_REQUEST
            if kind == b"P":
                name, statement, _ = body.split(b"\0", 2)
                statements[name] = statement
            elif kind == b"B":
                bound = statements.get(body.split(b"\0", 2)[1], b"")
                counts = counts or bool(wire.counting.search(bound))
            ends = kind == b"Q" and body.upper().startswith((b"COMMIT", b"ROLLBACK"))
            side = wire.strikes() if ends and counts and body.upper().startswith(b"COMMIT") else None
            counts = counts and not ends
            if side == "before":
                return wire.broken()
            if side == "after":
                # Nothing else is asked at this moment: the first byte that comes back says that it is done.
                answers.cancel()
                await asyncio.wait([answers])
                server[1].write(kind + length + body)
                await server[0].read(1)
                return wire.broken()
            server[1].write(kind + length + body)
    finally:
        answers.cancel()


async def _copied(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(1 << 16):
            sink.write(data)
    sink.close()
