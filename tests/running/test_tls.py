"""PostgreSQL and Redis are spoken to over TLS as hosters' addresses ask for it, if they prove who they are."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.core.test_strangers_tls import Authority
from tests.support.stack import run

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
# Everything of the product that connects to one of them, and what a deployment does first.
_CONNECTS = """
import asyncio
from alembic.config import main
from app.core import db, redis
from app.core.background import celery

async def both():
    db.connect()
    await db.ping()
    redis.connect()
    await redis.ping()
    await redis.disconnect()
    await db.disconnect()

asyncio.run(both())
main(["current"])
with celery.connection_for_write() as broker:
    broker.ensure_connection(max_retries=1, timeout=3)
"""


@asynccontextmanager
async def encrypted(url: str, shown: ssl.SSLContext) -> AsyncIterator[str]:
    """A server's address at which it takes nothing but TLS, which those that the suite starts cannot do themselves."""
    far = urlsplit(url)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            if far.scheme == "postgresql":
                if await reader.readexactly(8) != _SSL_REQUEST:
                    writer.close()
                    return
                writer.write(b"S")
            await writer.start_tls(shown)
            inner, inward = await asyncio.open_connection(far.hostname, far.port)
            await asyncio.gather(_copied(reader, inward), _copied(inner, writer))

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    yield far._replace(netloc=far.netloc.rpartition("@")[0] + f"@localhost:{port}").geturl()
    listening.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    writer.close()


@pytest.mark.parametrize("stranger", ["neither", "postgresql", "redis"])
async def test_every_connection_is_encrypted_and_to_whom_it_was_meant(
    tmp_path: Path, address: str, stranger: str
) -> None:
    """With `sslmode=verify-full` and `rediss://`; a server that another authority vouches for is refused."""
    known, other = Authority(tmp_path), Authority(_folder(tmp_path / "other"))
    trusted = {name: (other if name == stranger else known).certificate for name in ("postgresql", "redis")}
    database, redis = os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
    if "?" in database or redis.startswith("rediss"):
        pytest.skip("these servers are reached over TLS already")

    async with encrypted(database, known.server("localhost")) as postgres_url:
        async with encrypted(redis, known.server("localhost")) as redis_url:
            verified = f"sslmode=verify-full&sslrootcert={trusted['postgresql']}&channel_binding=prefer"
            settings = {
                "DATABASE_URL": f"{postgres_url}?{verified}",
                "REDIS_URL": f"{redis_url.replace('redis:', 'rediss:')}?ssl_ca_certs={trusted['redis']}",
            }
            for _ in range(5):
                done = await asyncio.to_thread(run, "-c", _CONNECTS, **settings)
                if "Timeout connecting" not in done.stderr:
                    break  # A machine under load may be too slow to be told who is there.

    if stranger == "neither":
        assert done.returncode == 0, done.stderr[-3000:]
    else:
        assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


async def test_without_a_word_about_tls_such_a_server_is_not_reached(tmp_path: Path, address: str) -> None:
    """The control: it takes nothing that is not encrypted."""
    shown = Authority(tmp_path).server("localhost")
    async with encrypted(os.environ["DATABASE_URL"], shown) as url:
        plain = {"DATABASE_URL": f"{url}?sslmode=disable"}
        done = await asyncio.to_thread(run, "-c", _CONNECTS, **plain)
    assert done.returncode != 0


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
