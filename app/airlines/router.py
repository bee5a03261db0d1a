"""Airlines by designator or name."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from app.airlines import service, sync
from app.airlines.errors import AirlineNotFound
from app.airlines.schemas import AirlineList, AirlineOut
from app.auth.dependencies import NOT_AN_ADMIN, AdminUser
from app.core import cursors
from app.core.web.conditional import reference_data
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.jobs.router import accepted
from app.jobs.schemas import JobAccepted

router = APIRouter(prefix="/airlines", tags=["Reference data"])


@router.get("", response_model=AirlineList)
async def find_airlines(
    request: Request,
    q: Annotated[
        str,
        Query(
            max_length=60,
            pattern=r"^[^\x00]*$",
            description="Designator, callsign or words of the name, as far as typed.",
            examples=["air"],
        ),
    ] = "",
    country: Annotated[str | None, Query(pattern="^[A-Za-z]{2}$", description="ISO 3166-1 alpha-2.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Response:
    """Airlines that match, best first."""
    start = cursors.decode(cursor) or 0
    found = service.directory().search(q, country.upper() if country else None)
    following = cursors.encode(start + limit) if start + limit < len(found) else None
    page = [airline.wire for airline in found[start : start + limit]]
    return reference_data(request, {"data": page, "next_cursor": following}, max_age=300)


@router.get("/{code}", response_model=AirlineOut, responses=problems(AirlineNotFound))
async def read_airline(
    request: Request,
    code: Annotated[
        str,
        Path(
            pattern="^([A-Za-z0-9]{2}|[A-Za-z]{3})$",
            description="IATA designator, or ICAO's three letters.",
            examples=["BA"],
        ),
    ],
) -> Response:
    """One airline."""
    return reference_data(request, service.directory().find(code).wire, max_age=300)


@router.post("/sync", status_code=202, response_model=JobAccepted, responses=problems(*NOT_AN_ADMIN))
async def sync_airlines(admin: AdminUser, session: SessionDep) -> JSONResponse:
    """Ask for the provider's airlines; `GET /admin/jobs/{id}` tells how it goes and what it changed."""
    return accepted(await sync.ask(session, admin.user_id))
