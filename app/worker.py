"""Celery's entry point: `celery -A app.worker worker` and `celery -A app.worker beat`.

Every task and the whole schedule, each as one table.
"""

from typing import Any

from billiard import current_process
from celery import signals
from prometheus_client import start_http_server

from app.airlines import sync as airlines_sync  # noqa: F401  Its job is known from here on.
from app.airports import sync as airports_sync  # noqa: F401
from app.bookings import tasks as bookings
from app.core import background, logging, tracing
from app.core.background import celery
from app.core.config import settings
from app.flights import tasks as flights
from app.jobs import tasks as jobs
from app.notifications import tasks as notifications
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
    ops.purge: 3600,
    ops.drop_events: 3600,
    ops.keep_audit_months: 3600,
}

celery.conf.beat_schedule = {
    task.name: {"task": task.name, "schedule": seconds, "options": {"expires": seconds}}
    for task, seconds in _SCHEDULE.items()
}
app = celery


@signals.setup_logging.connect
def _configure_logging(**_: Any) -> None:
    logging.configure()


@signals.worker_process_init.connect
def _worker_starts(**_: Any) -> None:
    tracing.begin("worker")
    background.open_resources()
    background.keep(keep_relaying)
    background.keep(keep_relaying)  # While one waits for the database the other reads on.
    background.keep(courier.keep_delivering)
    _serve_metrics()
    _note_progress("worker")


@signals.worker_process_shutdown.connect
def _worker_stops(**_: Any) -> None:
    background.close_resources()


@signals.beat_init.connect
def _beat_starts(**_: Any) -> None:
    """Beat's own progress is noted by Beat, so that a dead worker does not look like a dead Beat."""
    _note_progress("beat")
    signals.before_task_publish.connect(_beat_sends, sender=ops.beat.name, weak=False)


def _beat_sends(**_: Any) -> None:
    _note_progress("beat")


def _serve_metrics() -> None:
    """Each process of a worker has metrics and a port of its own; one that replaces another takes its port."""
    host, _, port = settings().worker_metrics_address.rpartition(":")
    if not port:
        return
    try:
        start_http_server(int(port) + getattr(current_process(), "index", 0), host.strip("[]"))
    except (OSError, ValueError) as error:
        log.warning("metrics not served", reason=str(error))


def _note_progress(name: str) -> None:
    try:
        background.run_here(ops_service.note_progress, name)
    except Exception as error:  # noqa: BLE001  Work goes on whatever happens to the database.
        log.warning("progress not noted", reason=type(error).__name__)
