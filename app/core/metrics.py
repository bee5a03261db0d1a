"""Every metric the product emits, declared with its meaning; label values come from closed sets."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("jetway_http_requests_total", "Requests answered.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "jetway_http_request_seconds",
    "Time from a request's headers to the end of its answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
SEARCH_ANSWERS = Counter(
    "jetway_search_answers_total",
    "Searches by where the answer came from: hot, redis or computed.",
    ["source"],
)
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
BOOKINGS = Counter("jetway_bookings_total", "Bookings that reached a state.", ["status"])
SOLD_OUT = Counter("jetway_sold_out_total", "Bookings refused because the seats were gone.")
TASKS = Counter("jetway_tasks_total", "Background tasks by how they ended.", ["task", "outcome"])
