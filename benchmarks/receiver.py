"""A receiver of webhooks that costs next to nothing: `python -m benchmarks.receiver PORT`.

It answers 200 and notes what came when; paths that begin with `/hang` get no answer. `GET /journal` gives for each
request its path, its `webhook-id` and the time, and forgets them.
"""

import asyncio
import json
import re
import sys
import time

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ID = re.compile(rb"webhook-id: *(\S+)", re.IGNORECASE)
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

journal: list[tuple[str, str, float]] = []


class Receiver(asyncio.Protocol):
    def __init__(self) -> None:
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end]
            length = _LENGTH.search(head)
            whole = end + 4 + int(length[1] if length else 0)
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        path = head.split(b" ", 2)[1].decode()
        if path == "/journal":
            body = json.dumps(journal).encode()
            journal.clear()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            return
        named = _ID.search(head)
        journal.append((path, named[1].decode() if named else "", time.time()))
        if not path.startswith("/hang"):
            self._transport.write(_OK)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
