"""Flight search, the calendar of prices, and offers."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from app.airports.errors import AirportNotFound
from app.core.errors import Unprocessable
from app.core.web.dependencies import SessionDep
from app.core.web.problems import problems
from app.flights.errors import ProviderUnavailable
from app.offers import answers, calendar, hotpath, service
from app.offers.errors import FlightNotOnSale, OfferExpired, OfferNotFound
from app.offers.questions import CalendarQuery, JourneySearch, SearchQuery
from app.offers.schemas import CalendarAnswer, RefreshedOffer, SearchAnswer

router = APIRouter(tags=["Flights"])

_REFUSALS = problems(AirportNotFound, Unprocessable, ProviderUnavailable)


@router.get("/flights/search", response_model=SearchAnswer, responses=_REFUSALS)
async def search_flights(request: Request, query: Annotated[SearchQuery, Query()]) -> Response:
    """Flights between two airports or cities, priced in every fare brand.

    Each offer carries its price until `expires_at`; book it by its `id`. With `return_date` the offers have
    two slices that are priced together. `meta.stale` says that the schedule behind the answer is old.

    An itinerary is left out if another one of the same airlines, with as many connections between the same
    airports, leaves no earlier and arrives no later. `meta.facets` counts what the offers of all pages have in
    common.
    """
    return _response(request, await answers.find(query, request.scope["query_string"]))


@router.post("/flights/search", response_model=SearchAnswer, responses=_REFUSALS)
async def search_journeys(request: Request, query: JourneySearch) -> Response:
    """Journeys of two to six slices, priced together: several cities, or there and back from elsewhere."""
    return _response(request, await answers.find(query, None))


@router.get("/flights/calendar", response_model=CalendarAnswer, responses=_REFUSALS)
async def price_calendar(query: Annotated[CalendarQuery, Query()]) -> Any:
    """The lowest price of each day of a month, one way or, with `stay_days`, there and back.

    Days whose schedule nobody has asked for yet are worked out from the same weekday of another week, and
    marked `projected`; their flights and prices may turn out otherwise.
    """
    return await calendar.month(query)


@router.get(
    "/offers/{offer_id}",
    response_model=RefreshedOffer,
    responses=problems(OfferNotFound, OfferExpired, FlightNotOnSale),
)
async def read_offer(offer_id: Annotated[str, Path(max_length=600)], session: SessionDep) -> Any:
    """An offer as it is now: the seats that are left, and its price.

    The price of an offer stands until it expires, but for a change of the fares themselves; then
    `price_changed` is true and the `id` is that of an offer at the new price.
    """
    return await service.refreshed(session, offer_id)


def _response(request: Request, answer: answers.Answer) -> Response:
    status, headers, body = hotpath.rendered(request.scope, answer)
    response = Response(body, status)
    response.raw_headers = list(headers)
    return response
