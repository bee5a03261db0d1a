"""A process that is asked to end is missed by nobody: who asks it learns of it, and what it has begun it ends."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from orjson import loads

from tests.bookings.streamed import happens, opened
from tests.payments.support import VISA, held
from tests.running.ending import Told, started
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet
from tests.support.stack import free_port, wait_for

_UVICORN = ("-m", "uvicorn", "app.main:app", "--no-access-log", "--log-level=warning", "--port")
# As the command, but with less patience for what does not end.
_IMPATIENT = """
import sys
from app.core.web import ending
ending._FINISHES_WITHIN_SECONDS = 0.7
from uvicorn.main import main
main(sys.argv[2:])
"""


@asynccontextmanager
async def api(
    traveller: Client, *command: str, drain: float, **environment: str
) -> AsyncIterator[tuple[Told, Client]]:
    """An API process with time to drain, and a traveller who talks to it."""
    port = free_port()
    command = (*(command or _UVICORN), str(port))
    with started(*command, DRAIN_SECONDS=str(drain), **environment) as process:
        there = Client(traveller.session, f"http://127.0.0.1:{port}", traveller.token)
        await asyncio.to_thread(wait_for, f"{there.base}/readyz")
        yield process, there


async def unready(there: Client, seconds: float = 3) -> None:
    async with asyncio.timeout(seconds):
        while (answer := await there.get("/readyz")).status == 200:  # noqa: ASYNC110  Another process.
            await asyncio.sleep(0.02)
    assert (answer.status, answer.body) == (503, {"status": "ending"})


async def test_a_process_says_that_it_ends_and_is_still_there(
    traveller: Client, fleet: Fleet, sql: Any, sandbox: Sandbox
) -> None:
    """For as long as it was given. Then streams end, whose clients come back elsewhere; a payment for which the
    processor takes its time is made, and the process has ended well.
    """
    watched, paid = [(await held(traveller, fleet))["pnr"] for _ in range(2)]
    await sandbox.fault("slow", "/v1/payment_intents", delay_seconds=2, times=1)
    async with api(traveller, drain=1.5) as (process, there), opened(there, watched) as stream:
        assert (await stream.next())["event"] == "snapshot"
        assert "Connection" not in (await there.get("/livez")).headers
        process.ask()
        process.ask()  # As when a group of processes is told, and one of it passes it on.
        await unready(there)

        asked = ("/livez", "/readyz", "/readyz?exclude=postgres", f"/bookings/{paid}")
        answers = [await there.get(path) for path in asked]
        paying = asyncio.create_task(there.post(f"/bookings/{paid}/payments", VISA))
        await happens(sql, watched, "booking.changed")

        assert [one.status for one in answers] == [200, 503, 503, 200]
        assert {one.headers["Connection"] for one in answers} == {"close"}
        assert (await stream.next())["event"] == "booking.changed"
        assert await stream.ended()
        await nobody_new(there)
        assert not paying.done()
        answer = await paying
        assert (answer.status, answer.body["status"]) == (201, "captured")
        assert 1.4 < await asyncio.to_thread(process.ended, 15) < 20
        assert process.process.returncode == 0
        assert {loads(line)["log.logger"] for line in process.said.splitlines()} == {"jetway.audit"}


async def nobody_new(there: Client) -> None:
    """It takes no more connections."""
    async with asyncio.timeout(1):
        while True:
            try:
                socket.create_connection(place(there), 1).close()
            except ConnectionRefusedError:
                return
            await asyncio.sleep(0.02)


def place(there: Client) -> tuple[str, int]:
    return "127.0.0.1", int(there.base.rpartition(":")[2])


async def test_nobody_holds_it_up(traveller: Client, sandbox: Sandbox) -> None:
    """Neither who keeps a connection without asking, nor who sends half a request or half a body, nor who reads nothing
    of a stream; and who sits before it and presses Ctrl-C does not wait for a long drain.
    """
    await sandbox.control("POST", "/settings", {"opensky": {"extra_aircraft": 5000}})
    async with api(traveller, "-c", _IMPATIENT, *_UVICORN[1:], drain=60) as (process, there):
        clients = [socket.create_connection(place(there)) for _ in range(3)]
        with clients[0] as idle, clients[1] as half, clients[2] as body:
            idle.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await asyncio.to_thread(idle.recv, 4096)
            half.sendall(b"GET /livez HTTP/1.1\r\nHo")
            body.sendall(
                b"POST /auth/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Content-Length: 100\r\n\r\n{"
            )
            with socket.socket() as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                slow.connect(place(there))
                slow.sendall(b"GET /flights/live/stream?limit=10000 HTTP/1.1\r\nHost: x\r\n\r\n")
                await asyncio.sleep(1)
                process.ask()
                await unready(there)
                process.ask(signal.SIGINT)
                assert 0.7 < await asyncio.to_thread(process.ended, 9) < 6
        assert process.process.returncode == 0
