"""Flight search."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.airports.errors import AirportNotFound
from app.core.errors import Unprocessable
from app.core.web.problems import problems
from app.flights.errors import ProviderUnavailable
from app.offers import answers, hotpath
from app.offers.schemas import SearchAnswer, SearchQuery

router = APIRouter(prefix="/flights", tags=["Flights"])


@router.get(
    "/search",
    response_model=SearchAnswer,
    responses=problems(AirportNotFound, Unprocessable, ProviderUnavailable),
)
async def search_flights(request: Request, query: Annotated[SearchQuery, Query()]) -> Response:
    """Flights between two airports or cities, priced in every fare brand.

    Each offer carries its price until `expires_at`; book it by its `id`. With `return_date` the offers have
    two slices that are priced together. `meta.stale` says that the schedule behind the answer is old.
    """
    answer = await answers.find(query, request.scope["query_string"])
    status, headers, body = hotpath.rendered(request.scope, answer)
    response = Response(body, status)
    response.raw_headers = list(headers)
    return response
