"""Alembic's environment: our settings, our tables, one connection, and no harm to whoever uses the database meanwhile.

`alembic -x lock_timeout=1s upgrade head` waits less for a table that is in use.
"""

import asyncio
import time

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
# A change of a table waits until nobody uses it, and whoever comes meanwhile waits behind the change. Better that it
# gives up and is tried again than that everybody waits for one long transaction.
_LOCK_TIMEOUT = context.get_x_argument(as_dictionary=True).get("lock_timeout", "5s")
_SECONDS_BETWEEN_TRIES = 0.2
# Where the product runs with the roles of deploy/postgres/roles.sql, what is kept by the month belongs to who makes the
# months, and which version the tables are of is the migrations' alone.
_HAND_OVER = """
    DO $$
    DECLARE one regclass;
    BEGIN
        IF current_user <> 'jetway_owner' OR to_regclass('alembic_version') IS NULL THEN RETURN; END IF;
        FOR one IN
            SELECT oid FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relowner = current_user::regrole
              AND (relkind = 'p' OR relkind = 'r' AND relispartition)
        LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO jetway_months', one);
        END LOOP;
        REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM jetway_app;
    END $$
"""


def _wait_for_turn(connection: Connection) -> None:
    """Two deployments may migrate at once: the second waits, and then finds nothing to do.

    It asks again and again, because one that waits for a lock within a statement sees the database as it was when it
    began, and CREATE INDEX CONCURRENTLY waits until nobody does: each would wait for the other.
    """
    while not connection.exec_driver_sql("SELECT pg_try_advisory_lock(7000)").scalar():
        connection.rollback()
        time.sleep(_SECONDS_BETWEEN_TRIES)
    connection.rollback()


def _migrate(connection: Connection) -> None:
    _wait_for_turn(connection)
    # The months of a table are made and dropped as time goes by: no model and no migration lists them.
    months = set(connection.exec_driver_sql(_PARTITIONS).scalars())
    connection.rollback()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        compare_server_default=True,
        # What was done stays done when a later one fails, and one that leaves its transaction leaves no other's.
        transaction_per_migration=True,
        include_name=lambda name, kind, _: kind != "table" or name not in months,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.exec_driver_sql(_HAND_OVER)
    connection.commit()


async def _online() -> None:
    session = {"application_name": "jetway-migrations", "lock_timeout": _LOCK_TIMEOUT}
    engine = engine_for(settings().sqlalchemy_url, {"server_settings": session}, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


if context.is_offline_mode():
    context.configure(
        url=settings().sqlalchemy_url,
        target_metadata=Base.metadata,
        literal_binds=True,
        transaction_per_migration=True,
    )
    context.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    with context.begin_transaction():
        context.run_migrations()
else:
    asyncio.run(_online())
