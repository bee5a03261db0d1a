"""One flight by its id, and the flights that somebody follows."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import JSONResponse, Response

from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.flights import following, service, watch
from app.flights.errors import FlightNotFound, FlightOver, TooManyFollowed
from app.flights.schemas import FlightOut, FollowedFlight, FollowedList

router = APIRouter(prefix="/flights", tags=["Flights"])


_FOLLOWED_ALREADY: dict[int | str, dict[str, Any]] = {
    200: {"model": FollowedFlight, "description": "You follow it already."}
}

FlightId = Annotated[str, Path(max_length=30, description="From a search.", examples=["ZZ101-20261201-JFK"])]


@router.get("/followed", response_model=FollowedList, responses=problems(*NOT_SIGNED_IN))
async def list_followed(
    caller: CurrentUser, session: SessionDep, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """The flights that you follow, the latest first."""
    return JSONResponse(await following.listed(session, caller.user_id, limit, cursor))


@router.get("/{flight_id}", response_model=FlightOut, responses=problems(FlightNotFound))
async def read_flight(session: SessionDep, flight_id: FlightId) -> JSONResponse:
    """Times, terminal, gate and aircraft of a flight, with the source and age of what is known."""
    flight = await service.read(session, flight_id)
    if flight["stale"]:
        watch.look_behind(flight["id"])
    return JSONResponse(flight)


@router.post(
    "/{flight_id}/follow",
    status_code=201,
    response_model=FollowedFlight,
    responses=_FOLLOWED_ALREADY | problems(*NOT_SIGNED_IN, FlightNotFound, FlightOver, TooManyFollowed),
)
async def follow_flight(caller: CurrentUser, session: SessionDep, flight_id: FlightId) -> JSONResponse:
    """Hear of a flight's delays, gates, departure and landing, whether you are booked on it or not."""
    flight, begun = await following.follow(session, caller.user_id, flight_id)
    return JSONResponse(flight, 201 if begun else 200)


@router.delete("/{flight_id}/follow", status_code=204, responses=problems(*NOT_SIGNED_IN, FlightNotFound))
async def unfollow_flight(caller: CurrentUser, session: SessionDep, flight_id: FlightId) -> Response:
    """Hear of it no more, unless you are booked on it."""
    await following.unfollow(session, caller.user_id, flight_id)
    return Response(status_code=204)
