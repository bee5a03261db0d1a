"""One connection that carries one HTTP/1.1 exchange after the other, with the parser that uvicorn uses too.

It exists for the many small POSTs of webhooks: a quarter of the work that a general client does for each, and every
byte that a server sends is counted here.
"""

import asyncio
from typing import cast

import httptools

_MOST_HEAD = 32 * 1024
_MOST_BODY = 16 * 1024
_EXCERPT = 1024

# Status, those headers that were asked for, and the beginning of the body.
Answer = tuple[int, dict[str, str], bytes]


class Broken(ConnectionError):
    """The connection ended, or what came was no HTTP; the message is a word of ours."""


class Exchange(asyncio.Protocol):
    """`answer` is asked for once for each request; `is_reusable` tells whether another may follow."""

    def __init__(self, wanted_headers: tuple[str, ...]) -> None:
        self._wanted = wanted_headers
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._pending: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self.is_reusable = False
        self._forget()

    def _forget(self) -> None:
        self._headers: dict[str, str] = {}
        self._head_read = self._body_read = 0
        self._excerpt = b""
        self._in_body = self._is_framed = False

    async def answer(self, request: bytes, seconds: float) -> Answer:
        """Send a request and wait so long for the whole answer. Raises TimeoutError, Broken."""
        if self._transport is None:
            raise Broken("connection")
        self.is_reusable = False
        self._pending = self._loop.create_future()
        timer = self._loop.call_later(seconds, self._fail, TimeoutError())
        self._transport.write(request)
        try:
            return await self._pending
        finally:
            timer.cancel()
            self._pending = None
            if not self.is_reusable:
                self.close()

    def close(self) -> None:
        self.is_reusable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._transport = None
        self.is_reusable = False
        self._fail(Broken("connection"))

    def eof_received(self) -> None:
        # An answer without a length is as long as the connection lives.
        if self._in_body and not self._is_framed:
            self._finish(reusable=False)

    def data_received(self, data: bytes) -> None:
        if self._pending is None or self._pending.done():
            self.close()  # Nobody has asked for anything.
            return
        if not self._in_body:
            self._head_read += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(Broken("protocol"))
        if not self._in_body and self._head_read > _MOST_HEAD:
            self._fail(Broken("protocol"))
        if self._body_read > _MOST_BODY:
            self._finish(reusable=False)

    # What the parser finds.

    def on_message_begin(self) -> None:
        if self._pending is None or self._pending.done():
            # Behind the answer comes another one, for which nobody has asked.
            self.is_reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        known = name.decode("latin-1").lower()
        if known in ("content-length", "transfer-encoding"):
            self._is_framed = True
        if known in self._wanted:
            self._headers[known] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._body_read += len(body)
        if len(self._excerpt) < _EXCERPT:
            self._excerpt = (self._excerpt + body)[:_EXCERPT]

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < 200:
            # Interim, such as 103: the answer is still to come.
            self._headers, self._in_body, self._is_framed = {}, False, False
            return
        self._finish(reusable=self._parser.should_keep_alive())

    def _finish(self, *, reusable: bool) -> None:
        if self._pending is None or self._pending.done():
            return
        self.is_reusable = reusable
        self._pending.set_result((self._parser.get_status_code(), self._headers, self._excerpt))
        self._forget()

    def _fail(self, error: Exception) -> None:
        if self._pending is not None and not self._pending.done():
            self._pending.set_exception(error)
