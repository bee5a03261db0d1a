"""A body that does not come is not waited for, and holds up nobody else."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from app.core.web import door
from app.core.web.door import Door
from tests.door.raw import answered, chunked, request, send
from tests.support.client import Client

JSON = "Content-Type: application/json"


@pytest.fixture
def in_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's own time is the same thing longer."""
    monkeypatch.setattr(door, "BODY_SECONDS", 0.5)


@pytest.mark.usefixtures("in_half_a_second")
@pytest.mark.parametrize("length", ["Content-Length: 500", "Transfer-Encoding: chunked"])
async def test_a_body_that_comes_byte_by_byte_is_given_up(address: str, length: str) -> None:
    """408, and the connection is closed: what still comes belongs to nothing."""
    url = urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(request("POST", "/auth/signup", [JSON, length]))
    answer = asyncio.create_task(answered(reader))
    while not answer.done():
        writer.write(b"1\r\n \r\n" if "chunked" in length else b" ")
        await asyncio.sleep(0.05)

    reply = await answer

    assert (reply.status, reply.code, reply.body["retryable"]) == (408, "request_timeout", True)
    assert reply.header("connection") == "close"
    with suppress(ConnectionError):  # The last byte may have come too late for it.
        assert await reader.read() == b""
    writer.close()


@pytest.mark.usefixtures("in_half_a_second")
async def test_five_hundred_of_them_hold_up_nobody(address: str, api: Client) -> None:
    """Each of them ends, and whoever asks meanwhile is answered."""
    started = request("POST", "/auth/login", [JSON, "Content-Length: 900"]) + b'{"email":'
    waiting = [asyncio.create_task(send(address, started)) for _ in range(500)]
    await asyncio.sleep(0.2)

    assert (await api.get("/airports/JFK")).status == 200
    assert {reply.status for reply in await asyncio.gather(*waiting)} == {408}


async def test_a_body_in_pieces_that_comes_in_time_is_read(address: str) -> None:
    """In two segments, the second a moment later."""
    url = urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    data = request(
        "POST", "/auth/login", [JSON, "Transfer-Encoding: chunked"], chunked(b'{"email":', b'"a"}')
    )
    writer.write(data[:-12])
    await asyncio.sleep(0.1)
    writer.write(data[-12:])

    assert (await answered(reader)).code == "validation_error"
    writer.close()


@pytest.mark.usefixtures("in_half_a_second")
async def test_a_file_that_is_read_in_pieces_has_time_for_each_mebibyte_that_it_may_have() -> None:
    """And an end all the same."""
    seen: list[float] = []

    async def app(_: object, receive: door.Receive, __: object) -> None:
        started = asyncio.get_running_loop().time()
        with suppress(door.RequestTimeout):
            while True:
                await receive()
        seen.append(asyncio.get_running_loop().time() - started)

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/file",
        "headers": [(b"transfer-encoding", b"chunked")],
    }
    await Door(app, {"/file": 2 * door.MOST_BYTES}, {"/file": ("",)})(scope, receive, _ignore)

    assert 0.9 < seen[0] < 1.5


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")],
        [(b"content-length", b"5"), (b"content-length", b"6")],
        [(b"content-length", b"5"), (b"content-length", b"5")],
        [(b"content-length", b"5 ")],
        [(b"content-length", b"\xd9\xa5")],
        [(b"content-length", b"0" * 30 + b"5")],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"identity")],
    ],
)
async def test_a_length_that_can_be_understood_in_two_ways_ends_the_connection(
    headers: list[tuple[bytes, bytes]],
) -> None:
    """Behind servers that let it pass: whoever reads it differently would see another request in the body."""
    sent: list[dict[str, object]] = []

    async def app(*_: object) -> None:
        raise AssertionError("it came in")

    async def send_one(message: dict[str, object]) -> None:
        sent.append(message)

    for method in ("POST", "GET"):
        scope = {"type": "http", "method": method, "path": "/", "headers": headers}
        await Door(app, {}, {})(scope, _ignore, send_one)

    assert [one["status"] for one in sent[::2]] == [400, 400]
    assert all((b"connection", b"close") in one["headers"] for one in sent[::2])  # type: ignore[operator]


async def _ignore(*_: object) -> None:
    """Neither is there more to come, nor does anybody listen."""
