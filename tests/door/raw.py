"""Requests as bytes, for what no client would send, and answers as they come."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

CANARY = "canary-31337"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: list[tuple[str, str]]
    raw: bytes

    @property
    def body(self) -> Any:
        return orjson.loads(self.raw)

    @property
    def code(self) -> str:
        """A refusal's stable code, of a problem document with everything that belongs to one."""
        assert self.header("content-type") == "application/problem+json", (self.status, self.raw)
        body = self.body
        assert body["status"] == self.status
        assert body["request_id"] == self.header("x-request-id")
        assert all(body[name] for name in ("type", "title", "detail"))
        return str(body["code"])

    def header(self, name: str) -> str | None:
        return next((value for one, value in self.headers if one == name), None)


def request(method: str, target: str, headers: list[str | bytes], body: bytes = b"") -> bytes:
    """The request's bytes; the length of a body is told unless its headers tell something of it."""
    lines: list[bytes] = [f"{method} {target} HTTP/1.1".encode("latin-1"), b"Host: api.test"]
    lines += [one if isinstance(one, bytes) else one.encode("latin-1") for one in headers]
    told = b"\r\n".join(lines).lower()
    if body and b"content-length" not in told and b"transfer-encoding" not in told:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (*pieces, b""))


async def send(address: str, data: bytes) -> Reply:
    """The first answer to these bytes."""
    url = urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        writer.write(data)
        async with asyncio.timeout(10):
            return await answered(reader)
    finally:
        writer.transport.abort()


async def answered(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (one.partition(":") for one in head[1:-2])]
    length = int(next((value for name, value in headers if name == "content-length"), "0"))
    return Reply(int(head[0].split()[1]), headers, await reader.readexactly(length))
