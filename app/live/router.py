"""Where aircraft are now: on a map, one flight alone, and as a stream."""

from math import ceil
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import JSONResponse, Response

from app.core.errors import Unprocessable
from app.core.etags import matches
from app.core.web.problems import problems
from app.flights.errors import FlightNotFound
from app.live import answers, tracking
from app.live.errors import PositionsDisabled, PositionsUnavailable, TooManyStreams
from app.live.schemas import LiveList, LiveQuery, TrackOut
from app.live.streams import PositionStream

router = APIRouter(prefix="/flights", tags=["Live"])

_SMALL_BYTES = 1400  # One packet: nothing is won by packing what fits into it.
_REFUSALS = (Unprocessable, PositionsUnavailable, PositionsDisabled)


@router.get("/live", response_model=LiveList, responses=problems(*_REFUSALS))
async def read_live(request: Request, query: Annotated[LiveQuery, Query()]) -> Response:
    """Aircraft that are in the air now, in a box, of an airline, under a flight number, or all of them.

    What a viewer sees was fetched for all who look at the same part of the map. `flight` is the flight that
    an aircraft is known to be on; of most aircraft that is not known. `meta.stale` says that the source does
    not answer or that its credits have to last, and `meta.fetched_at` how old the positions are.
    """
    answer = await answers.find(query)
    headers = {
        "ETag": answer.body.etag,
        "Cache-Control": "no-cache" if answer.stale else f"public, max-age={ceil(answer.fresh_seconds)}",
        "Vary": "Accept-Encoding",
    }
    if matches(request.headers.get("if-none-match"), answer.body.etag.removeprefix("W/")):
        return Response(status_code=304, headers=headers)
    body = answer.body.plain
    if len(body) > _SMALL_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = answer.body.packed, "gzip"
    return Response(body, headers=headers, media_type="application/json")


@router.get(
    "/live/stream",
    status_code=200,
    response_class=PositionStream,
    responses=problems(*_REFUSALS, TooManyStreams),
)
async def stream_live(query: Annotated[LiveQuery, Query()]) -> Response:
    """The same as server-sent events: `positions` now and whenever there are newer ones.

    Each event's data are an answer of `GET /flights/live`. While there are none to be had, one event
    `unavailable` says so. Comments keep the connection open in between.
    """
    return PositionStream(query, await answers.find(query))


@router.get(
    "/track/{identifier}", response_model=TrackOut, responses=problems(FlightNotFound, PositionsUnavailable)
)
async def track_flight(
    identifier: Annotated[
        str,
        Path(
            max_length=20,
            description="A flight number (`BA117`, `BAW117`), a callsign, or an aircraft's address.",
            examples=["ZZ101"],
        ),
    ],
) -> JSONResponse:
    """Where one flight is, how that is known, and how far it has come.

    Of the dated flights under a number the one in the air is meant, else the next to leave, else the last
    that left. An `estimated` position was heard by nobody: it follows from the flight's times.
    """
    return JSONResponse(await tracking.track(identifier), headers={"Cache-Control": "no-cache"})
