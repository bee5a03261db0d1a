"""Alembic's environment: our settings, our tables, one connection."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.pool import NullPool

import app.airlines.models
import app.airports.models
import app.auth.models
import app.bookings.models
import app.core.attempts
import app.core.audit
import app.core.idempotency
import app.core.outbox
import app.flights.models
import app.jobs.models
import app.notifications.models
import app.offers.models
import app.ops.models
import app.payments.models
import app.providers.models
import app.rules.models
import app.seats.models
import app.tickets.models
import app.timetable.models
import app.webhooks.models  # noqa: F401  Importing a feature's models declares its tables.
from app.core.config import settings
from app.core.db import Base, engine_for

_PARTITIONS = "SELECT relname FROM pg_class WHERE relispartition"


def _migrate(connection: Connection) -> None:
    # The months of a table are made and dropped as time goes by: no model and no migration lists them.
    months = set(connection.exec_driver_sql(_PARTITIONS).scalars())
    connection.rollback()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        include_name=lambda name, kind, _: kind != "table" or name not in months,
    )
    with context.begin_transaction():
        # Two deployments may migrate at once; the second waits and then finds nothing to do.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7000)")
        context.run_migrations()


async def _online() -> None:
    engine = engine_for(settings().sqlalchemy_url, {}, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


if context.is_offline_mode():
    context.configure(url=settings().sqlalchemy_url, target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(_online())
