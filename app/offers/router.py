"""Flight search."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.airports.errors import AirportNotFound
from app.core.errors import Unprocessable
from app.core.web.problems import problems
from app.flights.errors import ProviderUnavailable
from app.offers import answers, hotpath
from app.offers.answers import Answer
from app.offers.schemas import SearchAnswer, SearchQuery

router = APIRouter(prefix="/flights", tags=["Flights"])


class _Ready(Response):
    """An answer whose bytes and headers are ready."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        await hotpath.reply(scope, send, self.answer)


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
    return _Ready(await answers.find(query, request.scope["query_string"]))
