"""Requests that are too large or too slow end at the edge, or in the product, and in the contract's words."""

import asyncio
import time
from collections.abc import AsyncIterator
from io import BytesIO

import pytest

from tests.running.edge.conftest import PATIENCE, Edge
from tests.support.client import Client

SIGN_UP = b"POST /auth/signup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


async def test_a_body_that_is_too_large(outside: Client) -> None:
    """Whether it says so or comes in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    for body in (BytesIO(b" " * (2 * 1024 * 1024)), pieces()):
        answer = await outside.send(
            "POST", "/auth/signup", data=body, headers={"Content-Type": "application/json"}
        )
        assert (answer.status, answer.code) == (413, "body_too_large")


@pytest.mark.parametrize("size", [20_000, 200_000])
async def test_headers_that_are_too_large(edge: Edge, size: int) -> None:
    """The product refuses the smaller ones, the edge those that the product should not even see."""
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(size // 1000))
    said = await sent(edge, b"GET /airports/JFK HTTP/1.1\r\nHost: localhost\r\n", lines + b"\r\n")

    assert said.startswith(b"HTTP/1.1 431 ")


async def test_an_address_that_is_too_long(edge: Edge) -> None:
    said = await sent(edge, b"GET /airports?q=%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"x" * 10_000))

    assert said.startswith(b"HTTP/1.1 414 ")
    assert b'"code":"uri_too_long"' in said.replace(b": ", b":")


async def test_slow_clients_are_cut_off(edge: Edge) -> None:
    """Those who do not come to the end of their headers, and those who do not of their body."""
    started = time.monotonic()
    said = await asyncio.gather(
        sent(edge, b"GET /airports/JFK HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"y"),
        sent(edge, SIGN_UP + b"Content-Length: 100\r\n\r\n{"),
        sent(edge, b""),
    )

    assert time.monotonic() - started < PATIENCE + 5
    assert not any(answer.startswith(b"HTTP/1.1 2") for answer in said)


async def test_who_is_only_a_little_slow_is_served(edge: Edge) -> None:
    """The negative control of the above."""
    said = await sent(edge, b"GET /livez HTTP/1.1\r\nHost: loc", b"alhost\r\nConnection: close\r\n\r\n")

    assert said.startswith(b"HTTP/1.1 200 ")


async def sent(edge: Edge, *pieces: bytes) -> bytes:
    """All that comes back until the edge hangs up, which it has to do by itself."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", edge.port, ssl=edge.trusted, server_hostname="localhost"
    )
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(0.1)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = await asyncio.wait_for(reader.read(65_536), PATIENCE + 5)
            answer += more
            if not more:
                break
        return answer
    except ConnectionError:
        return b""
    finally:
        writer.close()
