"""Celery's entry point: `celery -A app.worker worker` and `celery -A app.worker beat`.

Every task and the whole schedule, each as one table.
"""

import asyncio
import os
import signal
import threading
from contextlib import suppress
from typing import Any

from billiard import current_process
from celery import signals
from celery.worker import state
from prometheus_client import start_http_server

from app.airlines import sync as airlines_sync  # noqa: F401  Its job is known from here on.
from app.airports import sync as airports_sync  # noqa: F401
from app.bookings import tasks as bookings
from app.core import background, logging, redis, signs, tracing
from app.core.background import celery
from app.core.config import settings
from app.flights import tasks as flights
from app.jobs import tasks as jobs
from app.notifications import tasks as notifications
from app.ops import measuring
from app.ops import service as ops_service
from app.ops import tasks as ops
from app.payments import tasks as payments
from app.schedules import upload as schedules_upload  # noqa: F401
from app.subscribers import keep_relaying
from app.webhooks import tasks as webhooks
from app.webhooks.courier import courier

log = logging.logger("jetway.worker")

# Every task sweeps rows that are due, so one that comes late or twice does no harm. A message that has
# waited longer than its interval is dropped: the next one does the same work.
_SCHEDULE = {
    jobs.sweep: 5,
    webhooks.keep_months: 3600,
    notifications.send_due: 5,
    notifications.push_due: 5,
    ops.beat: 10,
    bookings.settle_payments: 5,
    bookings.settle_refunds: 10,
    bookings.expire_due_holds: 15,
    bookings.lapse_airline_changes: 60,
    bookings.complete_flown: 300,
    payments.reconcile: 3600,
    bookings.apply_flight_changes: 15,
    bookings.watch_flights: 20,
    bookings.keep_flights_fresh: 3600,
    bookings.purge_documents: 3600,
    flights.keep_fresh: 30,
    flights.check_zones: 21_600,
    ops.check_invariants: 60,
    ops.take_stock: 60,
    flights.drop_unbooked: 21_600,
    ops.purge: 3600,
    ops.drop_events: 3600,
    ops.tell_of_ends: 3600,
    ops.keep_audit_months: 3600,
}

# After SIGTERM; then what is kept running beside the tasks has its own seconds, and all fits into thirty.
_TASKS_END_WITHIN_SECONDS = 5.0

celery.conf.beat_schedule = {
    task.name: {"task": task.name, "schedule": seconds, "options": {"expires": seconds}}
    for task, seconds in _SCHEDULE.items()
}
app = celery

# How often a process that gets on shows it.
_SHOWN_EVERY_SECONDS = 5.0
# A worker takes its messages in less than a second, and no task is longer than its limit.
_DEAF_SECONDS = background.celery.conf.task_time_limit + 30.0


@signals.setup_logging.connect
def _configure_logging(**_: Any) -> None:
    logging.configure()


@signals.worker_init.connect
def _worker_begins(**_: Any) -> None:
    signs.hide("worker")
    signs.show("consumer")


@signals.worker_process_init.connect
def _worker_starts(**_: Any) -> None:
    tracing.begin("worker")
    background.open_resources()
    background.keep(keep_relaying)
    background.keep(keep_relaying)  # While one waits for the database the other reads on.
    background.keep(courier.keep_delivering)
    background.keep(_keep_showing)
    _serve_metrics()
    _note_progress(measuring.WORKER)


@signals.worker_shutting_down.connect
def _worker_is_told_to_stop(**_: Any) -> None:
    """Celery waits until every task has ended, however long that takes, but whoever runs containers does not: what
    takes longer is interrupted, as by its time limit, so that all the rest still ends in order.
    """
    patience = threading.Timer(_TASKS_END_WITHIN_SECONDS, _interrupt_tasks)
    patience.daemon = True
    patience.start()


def _interrupt_tasks() -> None:
    for request in tuple(state.active_requests):
        if request.worker_pid not in (None, os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(request.worker_pid, signal.SIGUSR1)  # Celery's own signal for a time that is over.


@signals.worker_process_shutdown.connect
def _worker_stops(**_: Any) -> None:
    background.close_resources()
    signs.hide("worker", _index())


@signals.task_prerun.connect
@signals.task_postrun.connect
def _heard(**_: Any) -> None:
    signs.show("consumer")


async def _keep_showing(stop: asyncio.Event) -> None:
    """Show that this process gets on, as long as nothing in it hangs and the worker hears its messages.

    It is shown by the loop that everything here is done on. What others keep from it, such as a Redis or a database
    that is away, is no reason to start it again.
    """
    while not stop.is_set():
        if not background.hanging() and not await _deaf():
            signs.show("worker", _index())
            with suppress(Exception):
                await ops_service.note_progress(measuring.LOOP)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _SHOWN_EVERY_SECONDS)


async def _deaf() -> bool:
    """Messages wait, and for longer than any task may take no process of this worker has heard one."""
    if signs.age("consumer", "0") < _DEAF_SECONDS:
        return False
    return bool(await redis.or_none(redis.client().llen(background.QUEUE)))


@signals.beat_init.connect
def _beat_starts(**_: Any) -> None:
    """Beat's own progress is noted by Beat, so that a dead worker does not look like a dead Beat."""
    signs.hide("beat")
    _beat_sends()
    signals.before_task_publish.connect(_beat_sends, sender=ops.beat.name, weak=False)


def _beat_sends(**_: Any) -> None:
    signs.show("beat")
    _note_progress(measuring.BEAT)


def _serve_metrics() -> None:
    """Each process of a worker has metrics and a port of its own; one that replaces another takes its port."""
    host, _, port = settings().worker_metrics_address.rpartition(":")
    if not port:
        return
    try:
        start_http_server(int(port) + int(_index()), host.strip("[]"))
    except (OSError, ValueError) as error:
        log.warning("metrics not served", reason=str(error))


def _index() -> str:
    """Which process of its worker this is; one that replaces another has its number."""
    return str(getattr(current_process(), "index", 0))


def _note_progress(name: str) -> None:
    try:
        background.run_here(ops_service.note_progress, name)
    except Exception as error:  # noqa: BLE001  Work goes on whatever happens to the database.
        log.warning("progress not noted", reason=type(error).__name__)
