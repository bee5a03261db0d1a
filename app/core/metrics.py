"""Every metric the product emits, declared with its meaning; label values come from closed sets.

What a process counts of itself is in `REGISTRY`: each of them tells its own, and they are added up. What is so for the
whole installation, whoever tells it, is in `SHARED`: `app.ops.measuring` reads it just before it is told, and no sum
of it means anything. `docs/metrics.md` is made from here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from app.core.meters import BOUNDS, Answered, Kind, PlainCounter, PlainGauge, PlainHistogram, RequestMeter

__all__ = ["ANSWERED", "REGISTRY", "REQUESTS", "SHARED", "Answered", "Kind"]

Made = TypeVar("Made")

SHARED = CollectorRegistry(auto_describe=True)
# By far the most numbers, which only the API has, and which its processes leave for each other in a shorter way.
ANSWERED = CollectorRegistry(auto_describe=True)
# When each series began: twice the numbers, and Prometheus reads them as metrics of their own.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Declared:
    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    shared: bool


DECLARED: list[Declared] = []

# What a label can hold: a few words, names that the code has, or rows that an operator has made. Nothing that
# travellers send.
LABELS = {
    "currency": "the currencies that fares are sold in",
    "dependency": "`postgres`, `redis`",
    "endpoint": "the kinds of calls that the code makes of a provider; `*` is the whole provider",
    "budget": "the budgets that the code keeps for a provider",
    "invariant": "the names in `app/ops/invariants.py`",
    "kind": "the kinds of messages or of streams that the code has",
    "method": "the methods of our routes, `-` where there is no route",
    "outcome": "the words in the metric's meaning, or the codes of failures that the code has",
    "process": "`worker`, `beat`",
    "provider": "`aviationstack`, `opensky`, `stripe`, `fcm`, `smtp`",
    "reason": "the codes in `app/core/web/problems.py`, `INVENTORY_RACES`",
    "receiver": "`healthy`, `failing`, `paused`",
    "route": "the templates of our routes, never a path; `unmatched` is all that has none",
    "source": "the words in the metric's meaning",
    "state": "the words in the metric's meaning, or PostgreSQL's own",
    "status": "HTTP's status codes, or the states of a booking",
    "task": "the names of our tasks",
    "version": "the version that runs",
}


def _declared(kind: str, made: Callable[..., Made], shared: bool = False) -> Callable[..., Made]:
    """Metrics of this kind are made by name, meaning, names of labels and what else the kind needs."""

    def declare(name: str, meaning: str, *labels: str, **more: Any) -> Made:
        DECLARED.append(Declared(name, kind, labels, meaning, shared))
        return made(name, meaning, labels, **more)

    return declare


def _registered(made: Callable[..., Any], registry: CollectorRegistry) -> Callable[..., Any]:
    def make(*args: Any, **more: Any) -> Any:
        metric = made(*args, **more)
        registry.register(metric)
        return metric

    return make


def _plain_histogram(
    name: str, meaning: str, _: tuple[str, ...], bounds: tuple[float, ...]
) -> PlainHistogram:
    return PlainHistogram(name, meaning, bounds)


_counter = _declared("counter", Counter)
_gauge = _declared("gauge", Gauge)
_histogram = _declared("histogram", Histogram)
_requests: Callable[..., RequestMeter] = _declared("histogram", _registered(RequestMeter, ANSWERED))
_plain_counter: Callable[..., PlainCounter] = _declared("counter", _registered(PlainCounter, REGISTRY))
_plain_gauge: Callable[..., PlainGauge] = _declared("gauge", _registered(PlainGauge, REGISTRY))
_plain: Callable[..., PlainHistogram] = _declared("histogram", _registered(_plain_histogram, REGISTRY))
_fact: Callable[..., PlainGauge] = _declared("gauge", _registered(PlainGauge, SHARED), shared=True)
_count: Callable[..., PlainCounter] = _declared("counter", _registered(PlainCounter, SHARED), shared=True)

# Requests.
REQUESTS = _requests(
    "jetway_http_request_seconds",
    "Time from a request's headers to the end of its answer; `_count` counts the requests.",
    *("method", "route", "status"),
)
IN_PROGRESS = _plain_gauge(
    "jetway_http_requests_in_progress",
    "Requests that are being worked on, open streams included; those whose answer was ready never are.",
).labels()
SEARCH_ANSWERS = _plain_counter(
    "jetway_search_answers_total",
    "Searches by where the answer came from: hot, redis or computed.",
    "source",
)
_plain_gauge(
    "jetway_processes", "1 for each process: how many are added up in the numbers of this address."
).set(1)

# What is done beside requests.
TASKS = _counter(
    "jetway_tasks_total", "Background tasks by how they ended: succeeded or failed.", "task", "outcome"
)
TASK_SECONDS = _histogram(
    "jetway_task_seconds",
    "Time a background task took, however it ended.",
    "task",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 90.0),
)

# Providers.
UPSTREAM_CALLS = _counter(
    "jetway_upstream_calls_total",
    "Calls to a provider by how they ended: ok, or why not.",
    *("provider", "endpoint", "outcome"),
)
UPSTREAM_SECONDS = _histogram(
    "jetway_upstream_seconds", "Time a provider took to answer.", "provider", "endpoint"
)
UPSTREAM_ROWS_DROPPED = _counter(
    "jetway_upstream_rows_dropped_total", "Provider rows that could not be used.", "provider", "endpoint"
)
PROVIDER_BUDGET_SPENT = _fact(
    "jetway_provider_budget_spent",
    "Calls or credits spent in the present period, by all processes together.",
    *("provider", "budget"),
)
PROVIDER_BUDGET_LEFT = _fact(
    "jetway_provider_budget_left",
    "Calls or credits that may still be spent in the present period.",
    *("provider", "budget"),
)
PROVIDER_PAUSED = _fact(
    "jetway_provider_paused",
    "1 while an endpoint is not called: it fails, is too fast, or is not in the plan.",
    *("provider", "endpoint"),
)
LIVE_TILES = _counter(
    "jetway_live_tiles_total",
    "Looks at a part of the map by what was there: fresh, stale or nothing; upstream are those fetched for it.",
    "source",
)
LIVE_STREAMS = _gauge("jetway_live_streams", "Streams that are open, of positions or of bookings.", "kind")

# Seats, bookings and money.
BOOKINGS = _counter("jetway_bookings_total", "Bookings that reached a state.", "status")
BOOKINGS_NOW = _fact("jetway_bookings", "Bookings in each state when they were last counted.", "status")
SEATS_HELD = _fact("jetway_seats_held", "Seats held and not paid for when they were last counted.")
SOLD_OUT = _counter("jetway_sold_out_total", "Bookings refused because the seats were gone.")
INVENTORY_CONFLICTS = _counter(
    "jetway_inventory_conflicts_total",
    "Requests refused because somebody or something else was faster, by the code of the refusal; lock_timeout and "
    "deadlock are PostgreSQL's.",
    "reason",
)
PAYMENTS = _counter(
    "jetway_payments_total",
    "Payments by how they ended: captured, failed, or late: captured for seats that were gone, and refunded.",
    "outcome",
)
AMOUNTS = _counter(
    "jetway_payments_amount_minor_total",
    "Money that was captured or refunded, in the smallest unit of its currency.",
    *("currency", "outcome"),
)
PAYMENTS_UNKNOWN = _fact(
    "jetway_payments_unknown", "Payments of which nobody has known for 15 minutes whether they were made."
)
REFUNDS = _counter(
    "jetway_refunds_total", "Refunds by how they ended: pending, succeeded or failed.", "outcome"
)
REFUNDS_OVERDUE = _fact(
    "jetway_refunds_overdue", "Refunds that are not made although their last day is over."
)
LEDGER_DIFFERENCES = _fact(
    "jetway_ledger_differences", "Differences from the card processor's books that the last comparison found."
)
VIOLATIONS = _fact(
    "jetway_invariant_violations",
    "Things that break a rule which always holds, as the last check counted them, up to 100.",
    "invariant",
)
CHECKED = _fact(
    "jetway_invariants_checked_timestamp_seconds",
    "When all the invariants were last checked, in seconds since 1970; 0 before the first time.",
)

# Events, mails, pushes and webhooks.
OUTBOX_AGE = _fact("jetway_outbox_age_seconds", "How long the oldest event has waited to be handed on.")
OUTBOX_WAITING = _fact(
    "jetway_outbox_waiting", "Events that wait to be handed on; at most 10,000 are counted."
)
EMAILS = _counter(
    "jetway_emails_total",
    "Attempts to send a mail by how they ended: sent, later, waits for quiet hours to end, dropped because nobody "
    "needs to hear it any more, failed, or lost to another sender.",
    *("kind", "outcome"),
)
PUSHES = _counter(
    "jetway_pushes_total", "Attempts to push, by how they ended, as mails do.", "kind", "outcome"
)
WEBHOOK_ATTEMPTS = _plain_counter(
    "jetway_webhook_attempts_total",
    "Attempts to deliver a webhook by what followed: delivered, pending (tried again), exhausted, cancelled; released "
    "were not made, lost were made by a sender that had been given up.",
    "outcome",
)
WEBHOOKS_IN_HAND = _gauge("jetway_webhooks_in_hand", "Deliveries that were leased and are not finished.")
WEBHOOK_FIRST_SECONDS = _plain(
    "jetway_webhook_first_attempt_seconds",
    "Time from an event to the first attempt to deliver it; while a subscription is paused it goes on.",
    bounds=(0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0),
)
WEBHOOK_RECEIVERS = _fact(
    "jetway_webhook_receivers",
    "Subscriptions for which deliveries wait: healthy, failing since their last success, or paused.",
    "receiver",
)
WEBHOOKS_WAITING = _fact(
    "jetway_webhooks_waiting",
    "Deliveries that wait for such subscriptions, due or not; of each at most 100 are counted.",
    "receiver",
)
WEBHOOKS_LAG = _fact(
    "jetway_webhooks_lag_seconds",
    "How long ago the oldest delivery to such subscriptions that has not been sent was due.",
    "receiver",
)

# Who signs in.
LOGINS = _counter(
    "jetway_logins_total",
    "Logins by how they ended: succeeded, failed, code_required where the password was right and more is wanted, or "
    "wrong_code.",
    "outcome",
)
LOGIN_ALARMS = _counter(
    "jetway_login_alarms_total",
    "Failed logins at which more than 500 had failed in the five minutes before them: somebody tries passwords.",
)

# What the product stands on.
BUILD = _fact("jetway_build_info", "1, with the version that runs.", "version")
DEPENDENCY_UP = _fact("jetway_dependency_up", "1 while it answers the process that was asked.", "dependency")
HEARTBEAT_AGE = _fact(
    "jetway_heartbeat_age_seconds", "How long ago a worker or Beat last got something done.", "process"
)
QUEUE = _fact("jetway_celery_queue_messages", "Messages in Redis that no worker has taken yet.")
POOL_CONNECTIONS = _gauge(
    "jetway_database_pool_connections", "Connections to PostgreSQL by state: in_use or idle.", "state"
)
POOL_SIZE = _gauge("jetway_database_pool_size", "The most connections to PostgreSQL that there can be.")
POOL_WAIT_SECONDS = _plain(
    "jetway_database_pool_wait_seconds",
    "Time until a transaction had its connection, a new one's making included.",
    bounds=BOUNDS,
)
REDIS_ERRORS = _plain_counter(
    "jetway_redis_errors_total", "Questions to Redis that were not answered in time or refused."
).labels()
POSTGRES_CONNECTIONS = _fact(
    "jetway_postgres_connections", "Connections to our database, of all programs, by their state.", "state"
)
POSTGRES_MAX_CONNECTIONS = _fact(
    "jetway_postgres_max_connections", "The most connections that this PostgreSQL takes."
)
POSTGRES_TRANSACTIONS = _count(
    "jetway_postgres_transactions_total",
    "Transactions of our database by how they ended: committed or rolled_back.",
    "outcome",
)
POSTGRES_DEADLOCKS = _count("jetway_postgres_deadlocks_total", "Deadlocks that PostgreSQL has broken.")
POSTGRES_BLOCKS = _count(
    "jetway_postgres_blocks_total",
    "Blocks that were read, by where they were: memory (PostgreSQL's own) or disk (or the system's memory).",
    "source",
)
POSTGRES_BYTES = _fact("jetway_postgres_database_bytes", "The size of our database on disk.")
POSTGRES_LONGEST = _fact(
    "jetway_postgres_longest_transaction_seconds", "How long the longest open transaction has lasted."
)
POSTGRES_LOCKS_WAITING = _fact("jetway_postgres_locks_waiting", "Locks that somebody waits for.")
REDIS_MEMORY = _fact("jetway_redis_memory_bytes", "Memory that Redis uses.")
REDIS_MEMORY_MAX = _fact("jetway_redis_memory_max_bytes", "Memory that Redis may use; 0 is all there is.")
REDIS_CLIENTS = _fact("jetway_redis_clients", "Connections to Redis, of all programs.")
REDIS_HITS = _count("jetway_redis_keyspace_hits_total", "Keys that were asked for and there.")
REDIS_MISSES = _count("jetway_redis_keyspace_misses_total", "Keys that were asked for and not there.")
REDIS_EVICTED = _count("jetway_redis_evicted_keys_total", "Keys that Redis dropped for want of memory.")
REDIS_COMMANDS = _count("jetway_redis_commands_total", "Commands that Redis has carried out.")
