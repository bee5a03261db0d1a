"""Things that go wrong on the way: which faults are armed, and those that any HTTP service can suffer.

A vendor's own ways of failing live with the vendor.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Container
from dataclasses import dataclass, replace
from random import Random

from starlette.types import Scope, Send

HUGE_CHUNK = b"a" * (1 << 20)
HUGE_CHUNKS = 64
DRIPS = 20

TRANSPORT_FAULTS = {
    "slow": "waits delay_seconds (5) before the headers",
    "drip": "spreads the body over delay_seconds (5)",
    "truncated": "promises the whole body, sends half and hangs up",
    "reset": "resets the connection without an answer",
    "garbage": "200 with random bytes",
    "html_200": "200 with a web page",
    "html_502": "502 with a proxy's web page",
    "wrong_content_type": "JSON that claims to be text/html",
    "bom": "a byte order mark before the JSON",
    "huge": "a body of 64 MiB",
    "redirect": "302 to another host",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response before it is sent."""

    status: int
    body: bytes
    content_type: bytes = b"application/json; charset=utf-8"
    location: bytes | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True)
class Fault:
    """An armed fault. `times` counts down to nothing; None means until cleared.

    A path that ends in `*` stands for all that begin like it.
    """

    fault: str
    path: str = "*"
    times: int | None = None
    probability: float = 1.0
    delay_seconds: float = 5.0

    def concerns(self, path: str) -> bool:
        """Whether a request for this path may be struck."""
        return path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path


class Faults:
    """The armed faults, oldest first; the first that fits strikes."""

    def __init__(self, seed: str) -> None:
        self.armed: list[Fault] = []
        self._random = Random(f"{seed}/faults")

    def take(self, path: str, own: Container[str]) -> Fault | None:
        """The fault that strikes this request, counted: one on the way, or one of the vendor's `own`."""
        for fault in self.armed:
            if fault.fault not in TRANSPORT_FAULTS and fault.fault not in own:
                continue
            if not fault.concerns(path) or self._random.random() >= fault.probability:
                continue
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.armed.remove(fault)
            return fault
        return None


def damage(answer: Answer, name: str | None) -> Answer:
    """What a transport fault makes of the bytes, where it concerns bytes."""
    match name:
        case "garbage":
            return replace(answer, status=200, body=Random(name).randbytes(2048))
        case "html_200":
            return Answer(200, _page("Welcome"), b"text/html")
        case "html_502":
            return Answer(502, _page("502 Bad Gateway"), b"text/html")
        case "wrong_content_type":
            return replace(answer, content_type=b"text/html")
        case "bom":
            return replace(answer, body=b"\xef\xbb\xbf" + answer.body)
        case "redirect":
            return Answer(302, b"", b"text/html", b"https://elsewhere.invalid/v1/")
    return answer


async def deliver(answer: Answer, fault: Fault | None, scope: Scope, send: Send) -> None:
    """Sends the answer, with the armed fault's manners."""
    match fault.fault if fault else None:
        case "reset":
            return await _reset(scope)
        case "truncated":
            await _start(answer, len(answer.body), send)
            await send(
                {
                    "type": "http.response.body",
                    "body": answer.body[: len(answer.body) // 2],
                    "more_body": True,
                }
            )
            return await _hang_up(scope)
        case "huge":
            await _start(answer, None, send)
            return await _stream(_huge(), send)
        case "drip" if fault:
            await _start(answer, len(answer.body), send)
            return await _stream(_drip(answer.body, fault.delay_seconds), send)
        case "slow" if fault:
            await asyncio.sleep(fault.delay_seconds)
    await _start(answer, len(answer.body), send)
    return await send({"type": "http.response.body", "body": answer.body})


async def _start(answer: Answer, length: int | None, send: Send) -> None:
    headers = [(b"content-type", answer.content_type), *answer.headers]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    if answer.location is not None:
        headers.append((b"location", answer.location))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


async def _stream(chunks: AsyncIterator[bytes], send: Send) -> None:
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _drip(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    size = max(1, -(-len(body) // DRIPS))
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await asyncio.sleep(seconds / DRIPS)


async def _huge() -> AsyncIterator[bytes]:
    yield b'{"data": ["'
    for _ in range(HUGE_CHUNKS):
        yield HUGE_CHUNK
    yield b'"]}'


async def _hang_up(scope: Scope) -> None:
    """Closes the connection once what was written has left."""
    scope["state"]["transport"].close()
    await asyncio.sleep(0.02)


async def _reset(scope: Scope) -> None:
    """Lingering for no time turns the close into a reset."""
    transport = scope["state"]["transport"]
    transport.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    transport.abort()
    await asyncio.sleep(0.02)


def _page(title: str) -> bytes:
    return f"<!doctype html><title>{title}</title><body><h1>{title}</h1></body>".encode()
