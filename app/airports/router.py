"""Airports: find one by its code, or by what a traveller types."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from app.airports import service, sync
from app.airports.errors import AirportNotFound
from app.airports.schemas import AirportList, AirportOut
from app.auth.dependencies import NOT_AN_ADMIN, AdminUser
from app.core import cursors
from app.core.errors import FieldProblem, Unprocessable
from app.core.web.conditional import reference_data
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.jobs.router import accepted
from app.jobs.schemas import JobAccepted

router = APIRouter(prefix="/airports", tags=["Reference data"])

Country = Annotated[
    str | None, Query(pattern="^[A-Za-z]{2}$", description="ISO 3166-1 alpha-2.", examples=["GB"])
]


@router.get("", response_model=AirportList)
async def find_airports(
    request: Request,
    q: Annotated[
        str,
        Query(
            max_length=60,
            description="Code, city or words of the name, as far as typed; accents and a wrong letter do not matter.",
            examples=["london"],
        ),
    ] = "",
    country: Country = None,
    near: Annotated[
        str | None,
        Query(
            pattern=r"^-?\d{1,2}(\.\d{1,8})?,-?\d{1,3}(\.\d{1,8})?$",
            description="`latitude,longitude`: nearest first.",
        ),
    ] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Response:
    """Airports that match, best first."""
    directory, code = service.directory(), country.upper() if country else None
    start = cursors.decode(cursor) or 0
    found = directory.search(q, code)
    if near:
        latitude, longitude = map(float, near.split(","))
        if abs(latitude) > 90 or abs(longitude) > 180:
            problem = FieldProblem("near", "no_such_place", "Latitude to 90, longitude to 180 degrees")
            raise Unprocessable("There is no such place on Earth.", errors=[problem])
        matching = {airport.iata for airport in found}
        found = [a for a in directory.near(latitude, longitude, code) if a.iata in matching]
    page = found[start : start + limit]
    following = cursors.encode(start + limit) if start + limit < len(found) else None
    return reference_data(request, {"data": [airport.wire for airport in page], "next_cursor": following})


@router.get("/{iata}", response_model=AirportOut, responses=problems(AirportNotFound))
async def read_airport(
    request: Request, iata: Annotated[str, Path(pattern="^[A-Za-z]{3}$", examples=["JFK"])]
) -> Response:
    """One airport, with its time zone and the city it serves."""
    return reference_data(request, service.directory().find(iata).wire)


@router.post("/sync", status_code=202, response_model=JobAccepted, responses=problems(*NOT_AN_ADMIN))
async def sync_airports(admin: AdminUser, session: SessionDep) -> JSONResponse:
    """Ask for the provider's airports; `GET /admin/jobs/{id}` tells how it goes and what it changed."""
    return accepted(await sync.ask(session, admin.user_id))
