"""Documents of bookings, made when they are asked for and kept by nobody."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query
from starlette.responses import HTMLResponse, JSONResponse, Response

from app.auth.dependencies import NOT_SIGNED_IN
from app.bookings import checking_in
from app.bookings.dependencies import BoardingReader, BookingReader
from app.bookings.errors import BookingClosed, BookingNotFound
from app.core import db
from app.core.db import Row
from app.core.web.problems import problems
from app.documents import boarding, calendar, receipt
from app.documents.languages import Language, Tag, by_liking, language
from app.documents.schemas import BoardingPassList
from app.seats.errors import SeatNotAllowed
from app.tickets.errors import CheckInClosed, CheckInNotOpen, CouponNotAllowed, NotCheckedIn

router = APIRouter(prefix="/bookings", tags=["Documents"])

_REFUSALS = problems(*NOT_SIGNED_IN, BookingNotFound)
# The page brings its own style and asks for nothing; it holds what only its owner may see.
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


class PdfResponse(Response):
    media_type = "application/pdf"


class CalendarResponse(Response):
    media_type = "text/calendar"


Pnr = Annotated[str, Path(max_length=20, examples=["K7QX2M"])]


async def _booking(read: BookingReader, pnr: Pnr) -> Row:
    """The booking, read in a transaction that ends before drawing begins: that needs no connection."""
    async with db.transaction() as session:
        return await read(session, pnr)


async def _boarding(board: BoardingReader, pnr: Pnr) -> list[boarding.BoardingPass]:
    async with db.transaction() as session:
        booking = await board(session, pnr)
        return boarding.of_booking(booking, await checking_in.passes(session, booking))


def _language(
    lang: Annotated[
        Tag | None,
        Query(description="Language of texts, money and dates; otherwise by `Accept-Language`, or English."),
    ] = None,
    accept_language: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Language:
    return language(lang, accept_language)


Form = Literal["json", "pdf", "html"]
_FORMS: dict[str, Form] = {"application/json": "json", "application/pdf": "pdf", "text/html": "html"}


def _form(
    form: Annotated[Form | None, Query(alias="format", description="Otherwise by `Accept`, or JSON.")] = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Form:
    liked = [_FORMS[kind] for kind in by_liking(accept or "") if kind in _FORMS]
    return form or (liked[0] if liked else "json")


Booking = Annotated[Row, Depends(_booking)]
Passes = Annotated[list[boarding.BoardingPass], Depends(_boarding)]
Spoken = Annotated[Language, Depends(_language)]


@router.get("/{pnr}/itinerary.pdf", response_class=PdfResponse, responses=_REFUSALS)
async def itinerary_pdf(booking: Booking, spoken: Spoken) -> Response:
    """The itinerary receipt as a PDF: passengers, flights, price with every tax, payments and conditions."""
    made = await asyncio.to_thread(receipt.pdf, booking, spoken)
    return PdfResponse(made, headers=_headers(f"itinerary-{booking['pnr']}.pdf", spoken))


@router.get("/{pnr}/itinerary.html", response_class=HTMLResponse, responses=_REFUSALS)
async def itinerary_page(booking: Booking, spoken: Spoken) -> Response:
    """The same receipt as a page to read or to print."""
    made = await asyncio.to_thread(receipt.html, booking, spoken)
    return _page(made, f"itinerary-{booking['pnr']}.html", spoken)


@router.get("/{pnr}/itinerary.ics", response_class=CalendarResponse, responses=_REFUSALS)
async def itinerary_calendar(booking: Booking, spoken: Spoken) -> Response:
    """One calendar event for each flight. A later download updates the events of an earlier one."""
    made = await asyncio.to_thread(calendar.ics, booking, spoken)
    return CalendarResponse(made, headers=_headers(f"itinerary-{booking['pnr']}.ics", spoken))


@router.get(
    "/{pnr}/boarding-passes",
    response_model=BoardingPassList,
    responses={
        200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("application/pdf", "text/html")}},
        **problems(
            *NOT_SIGNED_IN,
            BookingNotFound,
            BookingClosed,
            CheckInNotOpen,
            CheckInClosed,
            NotCheckedIn,
            CouponNotAllowed,
            SeatNotAllowed,
        ),
    },
)
async def boarding_passes(passes: Passes, spoken: Spoken, form: Annotated[Form, Depends(_form)]) -> Response:
    """A boarding pass for each passenger and flight. Asking checks in whoever can be, from a day before departure.

    As data with the barcode's text and pictures, as a page, or as a PDF. With a guest token you see the passes of
    those who are checked in, and check nobody in.
    """
    name = f"boarding-passes-{passes[0].pnr}.{form}"
    if form == "pdf":
        made = await asyncio.to_thread(boarding.pdf, passes, spoken)
        return PdfResponse(made, headers=_headers(name, spoken, negotiated=True))
    if form == "html":
        return _page(await asyncio.to_thread(boarding.html, passes, spoken), name, spoken, negotiated=True)
    found = {"data": await asyncio.to_thread(boarding.view, passes), "next_cursor": None}
    return JSONResponse(found, headers={"Vary": "Accept"})


def _page(made: str, name: str, spoken: Language, *, negotiated: bool = False) -> Response:
    headers = _headers(name, spoken, "inline", negotiated=negotiated)
    return HTMLResponse(made, headers=headers | {"Content-Security-Policy": _PAGE_POLICY})


def _headers(
    name: str, spoken: Language, shown: str = "attachment", *, negotiated: bool = False
) -> dict[str, str]:
    return {
        "Content-Disposition": f'{shown}; filename="{name}"',
        "Content-Language": spoken.tag,
        "Vary": "Accept, Accept-Language" if negotiated else "Accept-Language",
    }
