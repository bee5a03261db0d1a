"""Every metric the product emits, declared with its meaning; label values come from closed sets."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


# Method, route and status, from closed sets.
Kind = tuple[str, str, int]
# Its kind, when it was done and how long that took, by the monotonic clock in seconds, and the request's id.
Answered = tuple[Kind, float, float, bytes]


class RequestMeter(Collector):
    """Requests and their duration, counted in plain integers by the one thread that answers them.

    The library's own histogram takes two locks for each request, which a hot answer would feel.
    """

    def __init__(self) -> None:
        self._seen: dict[Kind, list[float]] = {}
        self.bring_up_to_date: Callable[[], None] = lambda: None

    def add(self, answered: Iterable[Answered]) -> None:
        last, counts = None, list[float]()
        for kind, _, seconds, _ in answered:
            if kind is not last:
                last, counts = kind, self._seen.setdefault(kind, [0] * (len(_BOUNDS) + 1) + [0.0])
            counts[bisect_left(_BOUNDS, seconds)] += 1
            counts[-1] += seconds

    def collect(self) -> Iterator[Metric]:
        self.bring_up_to_date()
        family = HistogramMetricFamily(
            "jetway_http_request_seconds",
            "Time from a request's headers to the end of its answer; `_count` counts the requests.",
            labels=["method", "route", "status"],
        )
        for (method, route, status), counts in list(self._seen.items()):
            buckets = zip([*map(str, _BOUNDS), "+Inf"], accumulate(counts[:-1]), strict=True)
            family.add_metric([method, route, str(status)], list(buckets), counts[-1])
        yield family


class Tally:
    """A number that one thread counts up."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def inc(self) -> None:
        self.count += 1


class PlainCounter(Collector):
    """A counter with one label, for the same reason without the library's lock."""

    def __init__(self, name: str, documentation: str, label: str) -> None:
        self._name, self._documentation, self._label = name, documentation, label
        self._tallies: dict[str, Tally] = {}

    def labels(self, value: str) -> Tally:
        return self._tallies.setdefault(value, Tally())

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=[self._label])
        for value, tally in list(self._tallies.items()):
            family.add_metric([value], tally.count)
        yield family


class PlainHistogram(Collector):
    """A histogram without labels, for the same reason without the library's locks."""

    def __init__(self, name: str, documentation: str, bounds: tuple[float, ...]) -> None:
        self._name, self._documentation, self._bounds = name, documentation, bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterator[Metric]:
        buckets = zip([*map(str, self._bounds), "+Inf"], accumulate(self._counts), strict=True)
        yield HistogramMetricFamily(
            self._name, self._documentation, buckets=list(buckets), sum_value=self._sum
        )


REQUESTS = RequestMeter()
REGISTRY.register(REQUESTS)
SEARCH_ANSWERS = PlainCounter(
    "jetway_search_answers_total",
    "Searches by where the answer came from: hot, redis or computed.",
    "source",
)
REGISTRY.register(SEARCH_ANSWERS)
UPSTREAM_CALLS = Counter(
    "jetway_upstream_calls_total",
    "Calls to a provider by how they ended.",
    ["provider", "endpoint", "outcome"],
)
UPSTREAM_SECONDS = Histogram(
    "jetway_upstream_seconds", "Time a provider took to answer.", ["provider", "endpoint"]
)
UPSTREAM_ROWS_DROPPED = Counter(
    "jetway_upstream_rows_dropped_total", "Provider rows that could not be used.", ["provider", "endpoint"]
)
PROVIDER_BUDGET_SPENT = Gauge(
    "jetway_provider_budget_spent",
    "Calls or credits spent in the present period, by all processes together.",
    ["provider", "budget"],
)
PROVIDER_BUDGET_LEFT = Gauge(
    "jetway_provider_budget_left",
    "Calls or credits that may still be spent in the present period.",
    ["provider", "budget"],
)
PROVIDER_PAUSED = Gauge(
    "jetway_provider_paused",
    "1 while an endpoint is not called: it fails, is too fast, or is not in the plan. `*` is the whole provider.",
    ["provider", "endpoint"],
)
LIVE_TILES = Counter(
    "jetway_live_tiles_total",
    "Looks at a part of the map by what was there: fresh, stale or nothing; `upstream` are those fetched for it.",
    ["source"],
)
LIVE_STREAMS = Gauge(
    "jetway_live_streams", "Streams that are open in this process, of positions or of bookings.", ["kind"]
)
BOOKINGS = Counter("jetway_bookings_total", "Bookings that reached a state.", ["status"])
PAYMENTS = Counter(
    "jetway_payments_total",
    "Payments by how they ended: captured, failed, or late: captured for seats that were gone, and refunded.",
    ["outcome"],
)
PAYMENTS_UNKNOWN = Gauge(
    "jetway_payments_unknown", "Payments of which nobody has known for 15 minutes whether they were made."
)
REFUNDS = Counter("jetway_refunds_total", "Refunds by how they ended.", ["outcome"])
REFUNDS_OVERDUE = Gauge(
    "jetway_refunds_overdue", "Refunds that are not made although their last day is over."
)
LEDGER_DIFFERENCES = Gauge(
    "jetway_ledger_differences", "Differences from the card processor's books that the last comparison found."
)
SOLD_OUT = Counter("jetway_sold_out_total", "Bookings refused because the seats were gone.")
EMAILS = Counter(
    "jetway_emails_total",
    "Attempts to send a mail by how they ended: sent, later, waits for quiet hours to end, dropped because nobody "
    "needs to hear it any more, failed, or lost to another sender.",
    ["kind", "outcome"],
)
WEBHOOK_ATTEMPTS = PlainCounter(
    "jetway_webhook_attempts_total",
    "Attempts to deliver a webhook by what followed: delivered, pending (tried again), exhausted, cancelled; released "
    "were not made, lost were made by a sender that had been given up.",
    "outcome",
)
REGISTRY.register(WEBHOOK_ATTEMPTS)
WEBHOOKS_IN_HAND = Gauge(
    "jetway_webhooks_in_hand", "Deliveries that this process has leased and not finished."
)
PUSHES = Counter(
    "jetway_pushes_total", "Attempts to push, by how they ended, as mails do.", ["kind", "outcome"]
)
WEBHOOK_FIRST_SECONDS = PlainHistogram(
    "jetway_webhook_first_attempt_seconds",
    "Time from an event to the first attempt to deliver it; while a subscription is paused it goes on.",
    (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0),
)
REGISTRY.register(WEBHOOK_FIRST_SECONDS)
WEBHOOK_RECEIVERS = Gauge(
    "jetway_webhook_receivers",
    "Subscriptions for which deliveries wait: healthy, failing since their last success, or paused.",
    ["receiver"],
)
WEBHOOKS_WAITING = Gauge(
    "jetway_webhooks_waiting",
    "Deliveries that wait for such subscriptions, due or not; of each at most 100 are counted.",
    ["receiver"],
)
WEBHOOKS_LAG = Gauge(
    "jetway_webhooks_lag_seconds",
    "How long ago the oldest delivery to such subscriptions that has not been sent was due.",
    ["receiver"],
)
LOGINS = Counter(
    "jetway_logins_total",
    "Logins by how they ended: succeeded, failed, code_required where the password was right and more is wanted, or "
    "wrong_code.",
    ["outcome"],
)
LOGIN_ALARMS = Counter(
    "jetway_login_alarms_total",
    "Failed logins at which more than 500 had failed in the five minutes before them: somebody tries passwords.",
)
REPLICA_LAG = Gauge(
    "jetway_replica_lag_seconds",
    "How far the replica is behind; +Inf while it cannot be asked or is none any more. Nothing where there is none.",
)
OUTBOX_AGE = Gauge("jetway_outbox_age_seconds", "How long the oldest event has waited to be handed on.")
TASKS = Counter("jetway_tasks_total", "Background tasks by how they ended.", ["task", "outcome"])
