"""API processes behind Traefik, restarted one after the other, and people who use them meanwhile."""

import asyncio
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import orjson
import yaml

from tests.running.ending import Told, started
from tests.support.client import Client, adult, booking
from tests.support.fleet import Flight
from tests.support.programs import program
from tests.support.stack import ROOT, free_port, wait_for

DRAIN_SECONDS = 2.0
# Three times the interval at which Traefik asks, so that it knows a new process.
_KNOWN_AFTER_SECONDS = 1.5


def balanced(ports: list[int]) -> str:
    """What Traefik is told: word for word what the guide says, but for the ports."""
    guide = (ROOT / "docs/guides/own-servers.md").read_text()
    block = guide.partition("```yaml\n")[2].partition("```")[0]
    rules = yaml.safe_load(block)
    servers = [{"url": f"http://127.0.0.1:{port}"} for port in ports]
    rules["http"]["services"]["api"]["loadBalancer"]["servers"] = servers
    return json.dumps(rules)


class Processes:
    """Several on fixed ports, of which one at a time is replaced."""

    def __init__(self, balancer: str, drain: float) -> None:
        self.balancer, self._drain = balancer, drain
        self.ports: list[int] = []
        self._running: dict[int, tuple[AsyncExitStack, Told]] = {}
        self.codes: Counter[int | None] = Counter()

    def begin(self, port: int) -> None:
        stack = AsyncExitStack()
        arguments = ("-m", "uvicorn", "app.main:app", "--no-access-log", "--log-level=warning")
        process = stack.enter_context(
            started(
                *arguments,
                "--port",
                str(port),
                DRAIN_SECONDS=str(self._drain),
                UVICORN_TIMEOUT_KEEP_ALIVE="75",
            )
        )
        self._running[port] = (stack, process)

    async def start(self, port: int) -> None:
        self.begin(port)
        await asyncio.to_thread(wait_for, f"http://127.0.0.1:{port}/readyz")

    async def stop(self, port: int) -> None:
        """Asked to end, and waited for."""
        stack, process = self._running[port]
        process.ask()
        await asyncio.to_thread(process.ended, 30)
        self.codes[process.process.returncode] += 1
        await stack.aclose()

    async def restart(self, port: int) -> None:
        """As an orchestrator does: replaced, and the next only when this one is known again."""
        await self.stop(port)
        await self.start(port)
        await asyncio.sleep(_KNOWN_AFTER_SECONDS)

    async def close(self) -> None:
        for stack, _ in self._running.values():
            await stack.aclose()


@asynccontextmanager
async def behind_traefik(count: int, drain: float) -> AsyncIterator[Processes]:
    entrance, ports = free_port(), [free_port() for _ in range(count)]
    processes = Processes(f"http://127.0.0.1:{entrance}", drain)
    processes.ports = ports
    with tempfile.TemporaryDirectory(prefix="jetway-traefik-") as folder:
        rules = Path(folder) / "dynamic.json"
        rules.write_text(balanced(ports))
        try:
            await asyncio.gather(*map(processes.start, ports))
            with _traefik(entrance, rules):
                await asyncio.to_thread(wait_for, f"{processes.balancer}/readyz")
                yield processes
        finally:
            await processes.close()


@contextmanager
def _traefik(port: int, rules: Path) -> Iterator[None]:
    options = {
        "entrypoints.web.address": f"127.0.0.1:{port}",
        "providers.file.filename": rules,
        "providers.file.watch": "false",
        "global.checknewversion": "false",
        "global.sendanonymoususage": "false",
        "log.level": "FATAL",  # That processes go is what it is to notice.
    }
    command = [program("traefik"), *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(command, cwd=rules.parent)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@dataclass
class People:
    """Who search, hold and watch at a steady pace until it is enough; whatever fails is kept."""

    client: Client
    flight: Flight
    offer_id: str
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    done: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)

    async def search(self) -> None:
        answer = await self.client.search(
            self.flight.origin, self.flight.destination, self.flight.day, limit=1 + self.done["search"] % 20
        )
        self._count("search", answer.status, 200)

    async def hold(self) -> None:
        number = 700_000 + self.done["hold"]
        key = {"Idempotency-Key": f"rolling-{number}"}
        body = booking(self.offer_id, [adult(number)])
        self._count("hold", (await self.client.post("/bookings", body, key)).status, 201)

    def _count(self, what: str, status: int, wanted: int) -> None:
        self.done[what] += 1
        if status != wanted:
            self.failed.append(f"{what}: {status}")

    async def keep(self, doing: Callable[[], Awaitable[None]], pause: float) -> None:
        while not self.enough.is_set():
            try:
                await doing()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                self.failed.append(f"{doing.__name__}: {error!r}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.enough.wait(), pause)

    async def watch(self, pnr: str, last: int) -> None:
        """A booking's events, until one with this number; who is cut off comes back with the last id, as a browser."""
        seen: dict[str, str] = {}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=30)
        while last not in self.heard:
            self.done["stream"] += 1
            headers = {"Authorization": f"Bearer {self.client.token}", **seen}
            path = f"{self.client.base}/bookings/{pnr}/events"
            async with self.client.session.get(path, headers=headers, timeout=timeout) as response:
                if response.status != 200:
                    self.failed.append(f"stream: {response.status}")
                async for line in response.content:
                    name, _, value = line.decode().strip().partition(": ")
                    if name == "id":
                        seen["Last-Event-ID"] = value
                    told = orjson.loads(value) if name == "data" else {}
                    if told.get("type") == "booking.changed":
                        self.heard.append(told["sequence"])
                        if told["sequence"] == last:
                            return
