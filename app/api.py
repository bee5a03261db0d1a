"""Table of contents: every router, in reading order.

`/flights/search` comes before `/flights/{id}`, which would take it for an id.
"""

from fastapi import APIRouter

from app.airlines.router import router as airlines
from app.airports.router import router as airports
from app.auth.router import router as auth
from app.bookings.router import router as bookings
from app.flights.router import router as flights
from app.offers.router import router as offers
from app.ops.router import router as ops

router = APIRouter()
for _part in (offers, flights, bookings, auth, airports, airlines, ops):
    router.include_router(_part)
