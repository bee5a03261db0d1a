"""Seat maps, and what is sold besides the fare."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import JSONResponse

from app.core.errors import Unprocessable
from app.core.web.dependencies import SessionDep
from app.core.web.problems import problems
from app.extras.errors import BagNotAllowed, ExtrasNotSold
from app.offers.errors import FlightNotOnSale, OfferExpired, OfferNotFound
from app.seats import offered
from app.seats.errors import SeatNotAllowed, SeatNotFound, SeatTaken
from app.seats.schemas import Choice, ChosenOut, ExtrasOut, SeatMapsOut

router = APIRouter(prefix="/offers/{offer_id}", tags=["Seats and extras"])

OfferId = Annotated[str, Path(max_length=600)]
_REFUSALS = (OfferNotFound, OfferExpired, FlightNotOnSale, ExtrasNotSold)


@router.get("/seat-maps", response_model=SeatMapsOut, responses=problems(*_REFUSALS))
async def read_seat_maps(offer_id: OfferId, session: SessionDep) -> JSONResponse:
    """The cabin of the offer on each of its flights: every seat, whether it is free, and what it costs.

    Seats that others hold are not available; when their hold runs out, they are.
    """
    # As it is: to check hundreds of seats against their schema takes ten times as long as to draw them.
    return JSONResponse(await offered.seat_maps(session, offer_id))


@router.get("/extras", response_model=ExtrasOut, responses=problems(*_REFUSALS))
async def list_extras(offer_id: OfferId, session: SessionDep) -> Any:
    """Checked bags and kinds of seats, with their prices, for each passenger on each slice."""
    return await offered.for_sale(session, offer_id)


@router.post(
    "/extras/price",
    response_model=ChosenOut,
    responses=problems(*_REFUSALS, SeatTaken, SeatNotFound, SeatNotAllowed, BagNotAllowed, Unprocessable),
)
async def price_extras(offer_id: OfferId, session: SessionDep, choice: Choice) -> Any:
    """What a choice of seats and bags costs, line by line, if it can be had now. Nothing is taken by asking."""
    return await offered.priced(session, offer_id, choice)
