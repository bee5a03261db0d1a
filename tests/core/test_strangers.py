"""Whatever a user's server does, one request to it ends in time, small, and as a plain reply."""

import asyncio
import gzip
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import aiohttp
import pytest

from app.core import strangers
from tests.support.strangers import OK, TOTAL, Answer, Names, Stranger, post, stranger

pytestmark = pytest.mark.usefixtures("connected")


def answering(*pieces: bytes, every: float = 0.0, for_ever: bool = False) -> Answer:
    """Write the pieces, the last again and again if it is `for_ever`."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)
        while for_ever and not writer.is_closing():
            writer.write(pieces[-1])
            await writer.drain()
            await asyncio.sleep(every)

    return answer


def ending(*pieces: bytes) -> Answer:
    """Write the pieces and hang up."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        await answering(*pieces)(writer)
        raise ConnectionError

    return answer


async def silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def resetting(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionError


def status(code: int, *headers: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {code} Said", *headers, f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def named(answer: bytes | Answer) -> AsyncIterator[tuple[Stranger, str]]:
    async with stranger(answer) as server:
        yield server, f"http://127.0.0.1:{server.port}/hook?key=a%2Fb~c"


async def test_a_request_arrives_as_it_was_given() -> None:
    """Bytes, headers and path are what was signed; nothing of the library's is added but what HTTP needs."""
    async with named(OK) as (server, url):
        reply = await post(url, **{"webhook-id": "evt_1"})

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().lower().split("\r\n")
    assert line == "post /hook?key=a%2fb~c http/1.1"
    assert body == b'{"type": "webhook.test"}'
    assert sorted(headers) == [
        "accept-encoding: identity",
        "content-length: 24",
        f"host: 127.0.0.1:{server.port}",
        "webhook-id: evt_1",
    ]
    assert (reply.status, reply.excerpt, reply.error, reply.headers) == (200, b"ok", None, {})


@pytest.mark.parametrize("code", [200, 202, 204, 301, 400, 410, 429, 500, 503])
async def test_every_status_is_a_reply(code: int) -> None:
    """What it means is for the caller to say; it gets the headers that matter, by lower-case names."""
    said = status(code, "RETRY-After: 5", "Content-Type: text/plain", "X-Other: 1")
    async with named(said) as (_, url):
        reply = await post(url)

    assert (reply.status, reply.error) == (code, None)
    assert reply.headers == {"retry-after": "5", "content-type": "text/plain"}


HEAD = b"HTTP/1.1 200 OK\r\n"
TEN = HEAD + b"Content-Length: 10\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(silent, id="nothing"),
        pytest.param(answering(HEAD, b"X: 1\r\n", every=0.05, for_ever=True), id="dripping headers"),
        pytest.param(answering(CHUNKED, b"1\r\nx\r\n", every=0.05, for_ever=True), id="dripping body"),
        pytest.param(answering(TEN, b"12345"), id="half a body"),
        pytest.param(answering(HEAD[:4], every=60), id="half a line"),
        pytest.param(answering(b"HTTP/1.1 100 Continue\r\n\r\n", every=0.05, for_ever=True), id="continue"),
    ],
)
async def test_one_deadline_ends_everything(impatient: None, answer: Answer) -> None:
    """Reading included: no drop extends it."""
    async with named(answer) as (_, url):
        started = perf_counter()
        reply = await post(url)
        took = perf_counter() - started

    assert (reply.status, reply.error, reply.excerpt) == (None, "timeout", b"")
    assert TOTAL * 0.9 < took < TOTAL + 5
    assert TOTAL * 900 < reply.milliseconds <= took * 1000 + 1


async def test_a_slow_answer_in_time_is_a_good_one(impatient: None) -> None:
    """Without this, a client that never waits would pass."""
    async with named(answering(OK[:20], OK[20:], every=TOTAL / 4)) as (_, url):
        assert (await post(url)).status == 200


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(resetting, "connection", id="reset"),
        pytest.param(ending(), "connection", id="hung up"),
        pytest.param(ending(HEAD), "connection", id="hung up in the headers"),
        pytest.param(ending(TEN, b"12345"), "connection", id="hung up in the body"),
        pytest.param(answering(CHUNKED + b"zz\r\n"), "protocol", id="no chunk"),
        pytest.param(answering(HEAD, b"X: 1\r\n" * 50, for_ever=True), "protocol", id="endless headers"),
        pytest.param(answering(HEAD + b"X: ", b"x" * 5000, for_ever=True), "protocol", id="endless header"),
        pytest.param(answering(b"220 mail.example ESMTP\r\n"), "protocol", id="another protocol"),
        pytest.param(
            answering(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx"), "protocol", id="two lengths"
        ),
    ],
)
async def test_a_broken_answer_is_an_error_and_the_request_is_not_repeated(
    answer: Answer, error: str
) -> None:
    """At once, long before the deadline."""
    async with named(answer) as (server, url):
        reply = await post(url)

    assert (reply.status, reply.error, reply.excerpt) == (None, error, b"")
    assert reply.milliseconds < 5000
    assert len(server.requests) == 1


async def test_nobody_listening_is_no_connection() -> None:
    """The port was somebody's a moment ago."""
    async with named(OK) as (_, url):
        pass

    assert (await post(url)).error == "connection"


async def test_of_a_huge_answer_little_is_read_and_its_status_counts() -> None:
    """A gigabyte is promised; what is sent fits the buffers between us."""
    sent = 0

    async def gigabyte(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(HEAD + b"Content-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            sent += 1_000_000

    async with named(gigabyte) as (server, url):
        first, second = await post(url), await post(url)

    assert (first.status, first.error, first.excerpt) == (200, None, b"x" * 1024)
    assert second.status == 200
    assert server.connections == 2
    assert sent < 50_000_000


@pytest.mark.parametrize(("first", "connections"), [(1, 1), (16_384, 1), (16_385, 2)])
async def test_a_connection_is_kept_if_its_answer_is_read_to_the_end(first: int, connections: int) -> None:
    """After 16 KiB nothing more is waited for, and what is left would be taken for the next answer."""
    head = HEAD + f"Content-Length: {first + 1}\r\n\r\n".encode()
    async with named(answering(head, b"x" * first, b"y", every=0.05)) as (server, url):
        replies = [await post(url), await post(url)]

    assert [(reply.status, len(reply.excerpt)) for reply in replies] == [(200, min(first + 1, 1024))] * 2
    assert server.connections == connections


async def test_an_answer_that_nobody_asked_for_answers_nothing() -> None:
    """Bytes after the end of an answer are not taken for the next one."""
    async with named(OK + status(410)) as (server, url):
        replies = [await post(url), await post(url)]

    assert [reply.status for reply in replies] == [200, 200]
    assert server.connections == 2


async def test_a_kept_connection_that_breaks_is_a_failure_and_nothing_is_sent_twice() -> None:
    """Whether the server acted before it hung up is not known here; to try again is for the caller to say."""
    answers = [answering(OK), ending()]

    async def then_hang_up(writer: asyncio.StreamWriter) -> None:
        await answers.pop(0)(writer)

    async with named(then_hang_up) as (server, url):
        replies = [await post(url), await post(url)]

    assert [(reply.status, reply.error) for reply in replies] == [(200, None), (None, "connection")]
    assert len(server.requests) == 2
    assert server.connections == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_reply_and_not_followed(code: int, http: aiohttp.ClientSession) -> None:
    """Another client follows it to where it should not."""
    async with stranger() as inside:
        said = status(code, f"Location: http://127.0.0.1:{inside.port}/")
        async with named(said) as (_, url):
            reply = await post(url)
            assert (reply.status, inside.connections) == (code, 0)

            async with http.post(url):
                pass
            assert inside.connections == 1


async def test_cookies_are_not_kept(names: Names) -> None:
    """A receiver knows us by the signature alone."""
    names.lead("hooks.example", "127.0.0.1")
    async with named(status(200, "Set-Cookie: a=b")) as (server, url):
        for _ in range(2):
            await post(url.replace("127.0.0.1", "hooks.example"))

    assert len(server.requests) == 2
    assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_a_compressed_answer_stays_compressed() -> None:
    """Ten kilobytes would become ten megabytes."""
    bomb = gzip.compress(bytes(10_000_000))
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    async with named(head + bomb) as (_, url):
        reply = await post(url)

    assert (reply.status, reply.excerpt) == (200, bomb[:1024])


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another client, told to look, gives it the request."""
    async with stranger() as proxy, named(OK) as (server, url):
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        assert (await post(url)).status == 200
        assert (proxy.connections, server.connections) == (0, 1)

        async with aiohttp.ClientSession(trust_env=True) as trusting, trusting.post(url):
            pass
        assert (proxy.connections, server.connections) == (1, 1)


async def test_connecting_has_a_shorter_time_of_its_own() -> None:
    """A handshake that never comes does not use up the time for the answer."""
    await strangers.disconnect()
    strangers.connect(connect_seconds=0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        reply = await post(f"https://127.0.0.1:{mute.getsockname()[1]}/")

    assert reply.error == "timeout"
    assert 180 < reply.milliseconds < 5000


async def test_who_is_cancelled_stops() -> None:
    """A worker that shuts down is not kept, nor told of a failure."""
    async with named(silent) as (server, url):
        sending = asyncio.create_task(strangers.post(url, b"{}", {}))
        while not server.requests:  # noqa: ASYNC110  The server has no event.
            await asyncio.sleep(0.01)
        sending.cancel()

        with pytest.raises(asyncio.CancelledError):
            await sending
