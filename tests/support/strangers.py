"""Servers that users might name, each as bad as its `answer` makes it, and the names they are found by."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.core import strangers

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
# What tests of waiting wait; the product's own times are the same thing longer.
TOTAL, RESOLVE = 0.5, 0.2


@dataclass
class Stranger:
    """One server; it keeps what it was sent and lets connections live until the other side ends them."""

    answer: bytes | Answer
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                self.requests.append(await self._request(reader))
                if isinstance(self.answer, bytes):
                    writer.write(self.answer)
                    await writer.drain()
                else:
                    await self.answer(writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.transport.abort()

    async def _request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        return head + await reader.readexactly(int(length[1]) if length else 0)


@asynccontextmanager
async def stranger(
    answer: bytes | Answer = OK, *, host: str = "127.0.0.1", encrypted: ssl.SSLContext | None = None
) -> AsyncIterator[Stranger]:
    """A server on a port of its own until the block ends."""
    one, tasks, writers = Stranger(answer), set[asyncio.Task[None]](), set[asyncio.StreamWriter]()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        tasks.add(asyncio.create_task(one.serve(reader, writer)))

    if encrypted is not None:
        encrypted.sni_callback = lambda _socket, name, _context: one.names.append(name)
    server = await asyncio.start_server(accepted, host, 0, ssl=encrypted)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # A task that was cancelled before it began has closed nothing.
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # Transports close in the loop's next turn.


async def post(url: str, **headers: str) -> strangers.Reply:
    return await strangers.post(url, b'{"type": "webhook.test"}', headers)


class Names(dict[str, Callable[[], list[str]]]):
    """Names and what they resolve to, and how often each was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def lead(self, name: str, *addresses: str) -> None:
        self[name] = lambda: list(addresses)
