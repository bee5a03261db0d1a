"""One flight by its id."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import JSONResponse

from app.core.web.dependencies import SessionDep
from app.core.web.problems import problems
from app.flights import service, watch
from app.flights.errors import FlightNotFound
from app.flights.schemas import FlightOut

router = APIRouter(prefix="/flights", tags=["Flights"])


@router.get("/{flight_id}", response_model=FlightOut, responses=problems(FlightNotFound))
async def read_flight(
    session: SessionDep,
    flight_id: Annotated[
        str, Path(max_length=30, description="From a search.", examples=["ZZ101-20261201-JFK"])
    ],
) -> JSONResponse:
    """Times, terminal, gate and aircraft of a flight, with the source and age of what is known."""
    flight = await service.read(session, flight_id)
    if flight["stale"]:
        watch.look_behind(flight["id"])
    return JSONResponse(flight)
