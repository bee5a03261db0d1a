"""Airlines by designator or name."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from app.airlines import service
from app.airlines.errors import AirlineNotFound
from app.airlines.schemas import AirlineList, AirlineOut
from app.core import cursors
from app.core.web.conditional import reference_data
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems

router = APIRouter(prefix="/airlines", tags=["Reference data"])


@router.get("", response_model=AirlineList)
async def find_airlines(
    request: Request,
    session: SessionDep,
    q: Annotated[
        str, Query(max_length=60, pattern=r"^[^\x00]*$", description="Designator or name.", examples=["air"])
    ] = "",
    country: Annotated[str | None, Query(pattern="^[A-Za-z]{2}$", description="ISO 3166-1 alpha-2.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Response:
    """Airlines that match, best first."""
    start = cursors.decode(cursor) or 0
    found = await service.page(session, q, country.upper() if country else None, start, limit + 1)
    following = cursors.encode(start + limit) if len(found) > limit else None
    data = [AirlineOut.model_validate(airline).model_dump() for airline in found[:limit]]
    return reference_data(request, {"data": data, "next_cursor": following}, max_age=300)


@router.get("/{iata}", response_model=AirlineOut, responses=problems(AirlineNotFound))
async def read_airline(
    request: Request,
    session: SessionDep,
    iata: Annotated[str, Path(pattern="^[A-Za-z0-9]{2}$", examples=["ZZ"])],
) -> Response:
    """One airline."""
    airline = await service.read(session, iata)
    return reference_data(request, AirlineOut.model_validate(airline).model_dump(), max_age=300)
