"""`deploy/replace.sh`, with Traefik's own file before real processes: containers are what Docker would make of them."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.deploy.composed import services
from tests.running.edge.conftest import running
from tests.running.rolling import People, Processes
from tests.support import stack
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.support.stack import ROOT, free_port

# Hands what it is asked for to the test, and fails if that did not work.
_STAND_IN = """#!/bin/sh
exec {python} -S -E -c "import socket as s, sys; c = s.create_connection(('127.0.0.1', {port}))
c.sendall(chr(0).join(sys.argv[1:]).encode()); c.shutdown(s.SHUT_WR); sys.exit(c.recv(9) != b'done')" "$@"
"""
_BEGINNING = ("stop", "rm -f", "up -d --no-deps")


class Docker:
    """What docker-compose does for the script, done with processes; what it was asked for is kept."""

    def __init__(self) -> None:
        drain = float(services()["api"]["environment"]["DRAIN_SECONDS"])
        self.ports = {name: free_port() for name in ("api", "api2")}
        self.processes = Processes("", drain)
        self.asked: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await self._do((await reader.read()).decode().split("\0")):
            writer.write(b"done")
        writer.close()

    async def _do(self, asked: list[str]) -> bool:
        if asked[0] == "exec":
            port = self.ports[asked[2]]
            check = [one.replace("8000", str(port)) for one in asked[4:]]
            return (await asyncio.to_thread(stack.run, *check)).returncode == 0
        self.asked.append(" ".join(asked))
        port = self.ports.get(asked[-1], 0)
        if port and asked[0] == "stop":
            await self.processes.stop(port)
        if port and asked[0] == "up":
            self.processes.begin(port)
        return True


@asynccontextmanager
async def docker(folder: Path) -> AsyncIterator[tuple[Docker, Path]]:
    """Both containers of the API run; the path is the program that the script is to call."""
    one, program = Docker(), folder / "docker-compose"
    listening = await asyncio.start_server(one.answer, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    program.write_text(_STAND_IN.format(python=sys.executable, port=port))
    program.chmod(0o755)
    try:
        await asyncio.gather(*map(one.processes.start, one.ports.values()))
        yield one, program
    finally:
        listening.close()
        await one.processes.close()


async def replaced(program: Path) -> tuple[int, str]:
    script = await asyncio.create_subprocess_exec(
        *("sh", str(ROOT / "deploy/replace.sh")),
        env={**os.environ, "COMPOSE": str(program)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(script.communicate(), 240)
    assert script.returncode is not None
    return script.returncode, said.decode()


async def test_an_upgrade_on_one_host_loses_no_request(
    traveller: Client, fleet: Fleet, tmp_path: Path
) -> None:
    """Searches and holds go on while the tables are migrated and one API after the other is another container."""
    flight = await fleet.flight(seats=5000)
    offer = await fleet.offer(traveller, flight)
    async with docker(tmp_path) as (host, program):
        urls = ",".join(f"http://127.0.0.1:{port}" for port in host.ports.values())
        with running("traefik", tmp_path, urls) as edge:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=edge.trusted)) as session:
                people = People(Client(session, edge.url, traveller.token), flight, offer["id"])
                using = [
                    asyncio.create_task(people.keep(doing, pause))
                    for doing, pause in ((people.search, 0.3), (people.hold, 0.3))
                ]
                try:
                    code, said = await replaced(program)
                finally:
                    people.enough.set()
                    await asyncio.gather(*using)

    assert (code, people.failed) == (0, []), said
    assert host.processes.codes == {0: 2}
    assert host.asked[0] == "run --rm migrate"
    assert host.asked[1:] == [f"{step} {of}" for of in ("api", "api2", "worker beat") for step in _BEGINNING]
    assert people.done["search"] > 20
    assert people.done["hold"] > 10


async def test_where_the_new_one_does_not_get_ready_the_other_is_left_alone(tmp_path: Path) -> None:
    """It is said whose log to read, and travellers have one API still."""
    asked = tmp_path / "asked"
    program = tmp_path / "docker-compose"
    program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n[ "$1" != exec ]\n')
    program.chmod(0o755)
    nap = tmp_path / "sleep"  # Nobody waits a minute for this.
    nap.write_text("#!/bin/sh\n")
    nap.chmod(0o755)

    code, said = await _with_path(program, tmp_path)

    assert code == 1
    assert "api does not get ready" in said
    assert [line for line in asked.read_text().splitlines() if "api2" in line or "worker" in line] == []


async def _with_path(program: Path, folder: Path) -> tuple[int, Any]:
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}:{before}"
    try:
        return await replaced(program)
    finally:
        os.environ["PATH"] = before
