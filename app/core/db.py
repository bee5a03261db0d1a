"""The database: tables' base class, the connection pool, and one transaction per request or task."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from functools import cached_property, lru_cache
from time import perf_counter
from typing import Any
from urllib.parse import urlencode

import asyncpg
import orjson
from prometheus_client import Counter
from sqlalchemy import DateTime, MetaData, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util import greenlet_spawn

from app.core import tracing
from app.core.config import settings
from app.core.logging import logger
from app.core.metrics import POOL_CONNECTIONS, POOL_SIZE, POOL_WAIT_SECONDS

log = logger("jetway.db")

Row = dict[str, Any]


class Session(AsyncSession):
    """`driver` is set where `rows` speaks to PostgreSQL without SQLAlchemy in between; see `direct`."""

    driver: asyncpg.Connection | None = None

    @cached_property
    def follow_ups(self) -> list[Callable[[], Awaitable[None]]]:
        """What is to be done once the work is durable."""
        return []


class _Direct(Session):
    """SQLAlchemy's part of a session is not made, because nothing of it works here and making it takes longer than
    all else that `direct` does.
    """

    def __init__(self, driver: asyncpg.Connection) -> None:
        self.driver = driver


class Base(DeclarativeBase):
    """Constraint names are made by rule, so that a migration can find them again."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  SQLAlchemy wants a plain dict.


# A statement that waits this long has met a stuck peer: better a clear 503 than a hanging client.
_STATEMENT_SECONDS = 5
_SERVER_SETTINGS = {
    "application_name": "jetway",
    "timezone": "UTC",
    "lock_timeout": "2s",
    "statement_timeout": f"{_STATEMENT_SECONDS}s",
    "idle_in_transaction_session_timeout": "10s",
}
# A server that is frozen, or behind a network that drops packets, keeps none of these: beyond its own limit it is given
# so long to say anything, and then its connection is gone.
_SILENCE_SECONDS = 2.0
# For a pooler that lends a connection for one transaction: whatever has a name would be looked for on another one.
_NOTHING_PREPARED = {
    "statement_cache_size": 0,
    "prepared_statement_cache_size": 0,
    "prepared_statement_name_func": str,
}
_POOL_TIMEOUT_SECONDS = 4.0
# What asking may come to, for whoever asks again or elsewhere whatever it is.
GONE_WRONG = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
_TOLD = {"db.system.name": "postgresql"}

_PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")

# What addresses say in libpq's words. The driver reads them out of an address; SQLAlchemy would make arguments of them,
# and of those it knows none.
_WORDS_OF_LIBPQ = (
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs"),
)
# Hosters write these as well; the driver has no such thing, and would ask the server for it.
_LEFT_OUT = ("channel_binding", "connect_timeout", "gssencmode")

_engine: AsyncEngine | None = None
_replica: AsyncEngine | None = None


class _MeasuredPool(AsyncAdaptedQueuePool):
    """A pool that tells how long it let somebody wait."""

    _sqla_logger_namespace = "sqlalchemy.pool"  # It is as quiet as the others.

    def _do_get(self) -> ConnectionPoolEntry:
        began = perf_counter()
        try:
            return super()._do_get()
        finally:
            POOL_WAIT_SECONDS.observe(perf_counter() - began)


def connect() -> None:
    """Open the process's pools; connections are made when they are first needed."""
    global _engine, _replica
    _engine = _pool(settings().sqlalchemy_url)
    POOL_SIZE.set(settings().database_pool_size)
    for state, count in (("in_use", _in_use), ("idle", _idle)):
        POOL_CONNECTIONS.labels(state).set_function(count)
    if settings().sqlalchemy_replica_url:
        # Once it is promoted it would take writes, which nobody would find again.
        _replica = _pool(settings().sqlalchemy_replica_url, default_transaction_read_only="on")


def _pool(url: str, **server_settings: str) -> AsyncEngine:
    pool = engine_for(
        url,
        poolclass=_MeasuredPool,
        pool_size=settings().database_pool_size,
        max_overflow=0,
        pool_timeout=_POOL_TIMEOUT_SECONDS,
        pool_use_lifo=True,
        hide_parameters=True,  # They are people's names and addresses, and errors are logged.
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={
            "server_settings": _SERVER_SETTINGS | server_settings,
            "timeout": 3,
            "command_timeout": patience(_STATEMENT_SECONDS),
            **(_NOTHING_PREPARED if settings().database_pooler else {}),
        },
    )
    event.listen(pool.sync_engine, "checkout", _require_open)
    event.listen(pool.sync_engine, "handle_error", _give_up)
    if tracing.is_wanted():
        event.listen(pool.sync_engine, "before_cursor_execute", lambda *_: tracing.count("jetway.statements"))
    return pool


def patience(seconds: float) -> float:
    """How long the driver waits for a statement to which PostgreSQL itself gives so many seconds."""
    return seconds + _SILENCE_SECONDS


def _give_up(failed: ExceptionContext) -> Exception | None:
    """Let go of a connection that has fallen silent: to roll back would be to wait for it once more.

    SQLAlchemy then replaces the others too, when they are next lent; they lead to the same server.
    """
    error = failed.original_exception
    if not isinstance(error, TimeoutError):
        return None
    failed.is_disconnect = True
    if failed.connection is not None and not failed.connection.invalidated:
        failed.connection.connection.driver_connection.terminate()  # type: ignore[union-attr]
    return _silent(error)


def _silent(error: TimeoutError) -> OperationalError:
    return OperationalError(None, None, error, hide_parameters=True, connection_invalidated=True)


def _in_use() -> int:
    return _engine.pool.checkedout() if _engine else 0  # type: ignore[attr-defined]


def _idle() -> int:
    return _engine.pool.checkedin() if _engine else 0  # type: ignore[attr-defined]


def engine_for(url: str, connect_args: dict[str, Any], **options: Any) -> AsyncEngine:
    """SQLAlchemy's engine for an address as libpq and hosters write it, with `sslmode` and the like."""
    address = make_url(url)
    said = {word: address.query[word] for word in _WORDS_OF_LIBPQ if word in address.query}
    if said:
        connect_args = connect_args | {"dsn": f"postgresql://?{urlencode(said)}"}
    plain = address.difference_update_query([*_WORDS_OF_LIBPQ, *_LEFT_OUT])
    return create_async_engine(plain, connect_args=connect_args, **options)


def _require_open(connection: Any, *_: Any) -> None:
    """Have a connection replaced that PostgreSQL has closed while it waited, as by a restart: the socket has told."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def disconnect() -> None:
    global _engine, _replica
    for pool in (_engine, _replica):
        if pool is not None:
            await pool.dispose()
    _engine = _replica = None


def engine() -> AsyncEngine:
    if _engine is None:
        raise RuntimeError("db.connect() was not called")
    return _engine


def replica() -> AsyncEngine | None:
    """Where there is one; `core/replica.py` says when it is asked."""
    return _replica


@asynccontextmanager
async def transaction(on: AsyncEngine | None = None) -> AsyncIterator[Session]:
    """A session whose work is committed on leaving, or rolled back by any exception."""
    with tracing.span("transaction", "client", _TOLD):
        async with Session(on or engine(), expire_on_commit=False) as session:
            async with session.begin():
                yield session
    await _follow_up(session)


@asynccontextmanager
async def direct() -> AsyncIterator[Session]:
    """`transaction` for a hot path whose statements all go through `rows`; nothing else works in it.

    SQLAlchemy lends a connection of its pool, and what PostgreSQL refuses is raised as SQLAlchemy would.
    """
    lent = await engine().raw_connection()
    driver: asyncpg.Connection = lent.driver_connection
    session = _Direct(driver)
    cut_off = True
    try:
        with tracing.span("transaction", "client", _TOLD), raised_as_by_sqlalchemy(driver):
            async with driver.transaction():
                yield session
        cut_off = False
    except Exception:
        cut_off = False
        raise
    finally:
        # Cancelled in the midst of BEGIN, the driver would take the next transaction for a part of this one.
        if cut_off or driver.is_closed() or driver.is_in_transaction():
            lent.invalidate()
        await greenlet_spawn(lent.close)
    await _follow_up(session)


@contextmanager
def raised_as_by_sqlalchemy(driver: asyncpg.Connection) -> Iterator[None]:
    """To be put around whatever is asked of the driver itself."""
    try:
        yield
    except TimeoutError as error:
        driver.terminate()
        raise _silent(error) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DBAPIError(None, None, error, True, driver.is_closed()) from error


async def _follow_up(session: Session) -> None:
    for follow_up in session.follow_ups:
        try:
            await follow_up()
        except Exception:
            # The work is durable: no failure from here on may tell the caller otherwise.
            log.exception("follow-up failed")


def after_commit(session: Session, follow_up: Callable[[], Awaitable[None]]) -> None:
    """Do something once the work is durable, such as forgetting cached answers. It may not be done at all."""
    session.follow_ups.append(follow_up)


def count(session: Session, counter: Counter, by: int = 1) -> None:
    """Count what becomes true by this transaction: one that is rolled back has sold nothing."""

    async def counted() -> None:
        counter.inc(by)

    after_commit(session, counted)


async def rows(session: Session, sql: str, **parameters: Any) -> list[Row]:
    """Run a statement and return what it gives as dictionaries, for the paths where an ORM costs too much.

    Parameters are written `:name`; PostgreSQL finds out their types from where they stand.
    """
    statement, names = _numbered(sql)
    values = tuple(parameters[name] for name in names)
    if session.driver is not None:
        tracing.count("jetway.statements")
        with raised_as_by_sqlalchemy(session.driver):
            return [dict(row) for row in await session.driver.fetch(statement, *values)]
    connection = await session.connection()
    result = await connection.exec_driver_sql(statement, values)
    if not result.returns_rows:
        return []
    columns = tuple(result.keys())
    return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]


@lru_cache(maxsize=512)
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """The statement with the driver's `$1`, `$2`, and the names in that order.

    Each occurrence is a parameter of its own, because one may stand where different types are wanted.
    """
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        names.append(match[1])
        return f"${len(names)}"

    return _PARAMETER.sub(number, sql), tuple(names)


async def ping() -> None:
    async with engine().connect() as connection:
        await connection.execute(text("SELECT 1"))
