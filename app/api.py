"""Table of contents: every router, in reading order.

`/flights/search` and `/flights/live` come before `/flights/{id}`, which would take them for ids.
"""

from app.airlines.router import router as airlines
from app.airports.router import router as airports
from app.auth.account_router import router as accounts
from app.auth.key_router import router as api_keys
from app.auth.router import router as auth
from app.auth.second_factor_router import router as second_factor
from app.auth.session_router import router as sessions
from app.auth.user_router import router as users
from app.bookings.event_router import router as events
from app.bookings.guest_router import router as guests
from app.bookings.operator_router import router as operators
from app.bookings.router import router as bookings
from app.documents.router import router as documents
from app.flights.router import router as flights
from app.jobs.router import router as jobs
from app.live.router import router as live
from app.notifications.router import router as notifications
from app.offers.router import router as offers
from app.ops.router import router as ops
from app.payments.router import router as payments
from app.privacy.router import router as privacy
from app.rules import router as rules
from app.schedules import router as schedules
from app.seats.router import router as seats
from app.webhooks.router import calls
from app.webhooks.router import router as webhooks

# What the product calls, as OpenAPI describes it.
CALLS = calls
# Paths whose bodies may be larger than all others'.
LARGER_BODIES = {schedules.PATH: schedules.MOST_BYTES} | dict.fromkeys(rules.paths(), rules.MOST_BYTES)
# Paths that take other bodies than JSON, and how their media types begin.
OTHER_BODIES = {
    "/auth/login": ("application/x-www-form-urlencoded",),
    "/notifications/unsubscribe": ("application/x-www-form-urlencoded", "multipart/form-data"),
    "/payments/stripe/events": ("",),
    schedules.PATH: ("",),
}
# Paths that share a limit of their own, because their answers are worked out from many flights.
SEARCHES = ("/flights/search", "/flights/calendar")

# One by one and not as a router of routers, for which FastAPI would work every route out once more.
ROUTERS = (
    offers,
    seats,
    live,
    flights,
    bookings,
    events,
    guests,
    payments,
    documents,
    webhooks,
    notifications,
    auth,
    accounts,
    second_factor,
    sessions,
    api_keys,
    users,
    operators,
    privacy,
    airports,
    airlines,
    jobs,
    schedules.router,
    rules.router,
    ops,
)
