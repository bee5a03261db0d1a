"""Documents of the signed-in user's bookings, made when they are asked for and kept by nobody."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query
from starlette.responses import HTMLResponse, Response

from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.bookings import service
from app.bookings.errors import BookingNotFound
from app.core import db
from app.core.db import Row
from app.core.web.problems import problems
from app.documents import calendar, receipt
from app.documents.languages import Language, Tag, language

router = APIRouter(prefix="/bookings", tags=["Documents"])

_REFUSALS = problems(*NOT_SIGNED_IN, BookingNotFound)
# The page brings its own style and asks for nothing; it holds what only its owner may see.
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"


class PdfResponse(Response):
    media_type = "application/pdf"


class CalendarResponse(Response):
    media_type = "text/calendar"


async def _booking(caller: CurrentUser, pnr: Annotated[str, Path(max_length=20, examples=["K7QX2M"])]) -> Row:
    """The booking, read in a transaction that ends before drawing begins: that needs no connection."""
    async with db.transaction() as session:
        return await service.read(session, caller.user_id, pnr)


def _language(
    lang: Annotated[
        Tag | None,
        Query(description="Language of texts, money and dates; otherwise by `Accept-Language`, or English."),
    ] = None,
    accept_language: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Language:
    return language(lang, accept_language)


Booking = Annotated[Row, Depends(_booking)]
Spoken = Annotated[Language, Depends(_language)]


@router.get("/{pnr}/itinerary.pdf", response_class=PdfResponse, responses=_REFUSALS)
async def itinerary_pdf(booking: Booking, spoken: Spoken) -> Response:
    """The itinerary receipt as a PDF: passengers, flights, price with every tax, payments and conditions."""
    return PdfResponse(
        await asyncio.to_thread(receipt.pdf, booking, spoken), headers=_headers(booking, "pdf", spoken)
    )


@router.get("/{pnr}/itinerary.html", response_class=HTMLResponse, responses=_REFUSALS)
async def itinerary_page(booking: Booking, spoken: Spoken) -> Response:
    """The same receipt as a page to read or to print."""
    page = await asyncio.to_thread(receipt.html, booking, spoken)
    headers = _headers(booking, "html", spoken, "inline") | {"Content-Security-Policy": _PAGE_POLICY}
    return HTMLResponse(page, headers=headers)


@router.get("/{pnr}/itinerary.ics", response_class=CalendarResponse, responses=_REFUSALS)
async def itinerary_calendar(booking: Booking, spoken: Spoken) -> Response:
    """One calendar event for each flight. A later download updates the events of an earlier one."""
    return CalendarResponse(
        await asyncio.to_thread(calendar.ics, booking, spoken), headers=_headers(booking, "ics", spoken)
    )


def _headers(booking: Row, kind: str, spoken: Language, shown: str = "attachment") -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "Content-Disposition": f'{shown}; filename="itinerary-{booking["pnr"]}.{kind}"',
        "Content-Language": spoken.tag,
        "Vary": "Accept-Language",
        "X-Content-Type-Options": "nosniff",
    }
