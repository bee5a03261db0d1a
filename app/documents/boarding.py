"""Boarding passes, as data, as a page and as a PDF with a page for each.

There is one for each passenger and flight. Its barcode begins with that flight and goes on with those it connects to
in the same slice, as far as the passenger is checked in for them.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.airports.service import directory
from app.core.clock import rfc3339
from app.core.config import settings
from app.core.db import Row
from app.documents import aztec, bcbp, paper
from app.documents.languages import Language
from app.documents.receipt import full_name, hyphenated, place

# The letter of a cabin in the barcode, where no booking class is known.
_COMPARTMENTS = {"economy": "Y", "premium_economy": "W", "business": "J", "first": "F"}
# What the standard calls passengers; others are adults.
_DESCRIPTIONS = {"child": "3", "infant": "4"}
_CHECKED_IN = "1"
# Where a border is crossed a document is to be shown at the airport, whatever number we were told before.
_TO_BE_VERIFIED, _NO_DOCUMENT_NEEDED = "1", "0"


@dataclass(frozen=True, slots=True)
class BoardingPass:
    """One passenger's pass for one flight, after check-in.

    `name` is as the passenger writes it and `ticket_name` as the ticket prints it: `LOVELACE/ADA`. `origin` and
    `destination` are as a booking's segments show them. Times are the clock readings there, with their offsets.
    `seat` is None for an infant on a lap. `carrier` and `number` are the operating airline's.
    """

    pnr: str
    passenger: int
    name: str
    ticket_name: str
    passenger_type: str
    flight_id: str
    slice: int
    carrier: str
    number: str
    operated_by: str
    origin: Row
    destination: Row
    departing_at: datetime
    arriving_at: datetime
    boarding_at: datetime
    gate: str | None
    seat: str | None
    sequence: int
    cabin: str
    booking_class: str | None
    ticket_number: str
    coupon: int
    status: str
    checked_bags: int
    issued_at: datetime
    marketing_carrier: str | None = None
    document_verification: str | None = None
    selectee: str | None = None
    frequent_flyer: tuple[str, str] | None = None
    fast_track: bool | None = None
    onward: tuple["BoardingPass", ...] = ()

    @property
    def barcode(self) -> str:
        """The text of the barcode."""
        issue = bcbp.Issue(
            passenger=_DESCRIPTIONS.get(self.passenger_type, "0"),
            check_in_source="W",
            source="W",
            issued_on=self.issued_at.date(),
            document_type="B",
            issuer=self.carrier,
        )
        flights = (self, *self.onward)[: bcbp.MOST_LEGS]
        return bcbp.encode(self.ticket_name, [one.leg for one in flights], issue)

    @property
    def leg(self) -> bcbp.Leg:
        airline, number = self.frequent_flyer or (None, None)
        return bcbp.Leg(
            pnr=self.pnr,
            origin=self.origin["iata"],
            destination=self.destination["iata"],
            carrier=self.carrier,
            flight_number=self.number,
            date=self.departing_at.date(),
            compartment=self.booking_class or _COMPARTMENTS[self.cabin],
            seat="INF" if self.passenger_type == "infant" and self.seat is None else self.seat,
            sequence=self.sequence,
            passenger_status=_CHECKED_IN,
            ticket_number=self.ticket_number,
            selectee=self.selectee,
            document_verification=self.document_verification,
            marketing_carrier=self.marketing_carrier or self.carrier,
            frequent_flyer_airline=airline,
            frequent_flyer_number=number,
            free_baggage=f"{self.checked_bags}PC",
            fast_track=self.fast_track,
        )


def of_booking(booking: Row, boarded: Sequence[Row]) -> list[BoardingPass]:
    """A booking's passes in the order of flights, out of what its passengers board with."""
    segments = {segment["flight_id"]: segment for one in booking["slices"] for segment in one["segments"]}
    classes = {one["index"]: one["booking_class"] for one in booking["slices"]}
    made = [_made(booking, one, segments[one["flight_id"]], classes[one["slice"]]) for one in boarded]
    made.sort(key=lambda one: (one.departing_at, one.passenger))
    return [
        replace(
            one,
            onward=tuple(
                other
                for other in made[position + 1 :]
                if (other.passenger, other.slice) == (one.passenger, one.slice)
            ),
        )
        for position, one in enumerate(made)
    ]


def _made(booking: Row, boarded: Row, segment: Row, booking_class: str | None) -> BoardingPass:
    person = booking["passengers"][boarded["passenger"]]
    leaves = datetime.fromisoformat(segment["departing_at"])
    return BoardingPass(
        pnr=booking["pnr"],
        name=full_name(person),
        ticket_name=person["ticket_name"],
        passenger_type=person["type"],
        carrier=segment["operating_carrier"],
        number=segment["flight_number"].removeprefix(segment["marketing_carrier"]),
        operated_by=segment["operated_by"],
        origin=segment["origin"],
        destination=segment["destination"],
        departing_at=leaves,
        arriving_at=datetime.fromisoformat(segment["arriving_at"]),
        boarding_at=leaves - timedelta(minutes=settings().boarding_minutes),
        seat=next((one["seat"] for one in person["seats"] if one["flight_id"] == segment["flight_id"]), None),
        cabin=booking["cabin"],
        booking_class=booking_class,
        checked_bags=booking["baggage"]["checked"] + _bags_bought(booking, boarded),
        marketing_carrier=segment["marketing_carrier"],
        document_verification=_TO_BE_VERIFIED if _crosses_a_border(segment) else _NO_DOCUMENT_NEEDED,
        frequent_flyer=_membership(person, segment["operating_carrier"]),
        **boarded,
    )


def _bags_bought(booking: Row, boarded: Row) -> int:
    return sum(
        extra["quantity"]
        for extra in booking["extras"]
        if extra["kind"] == "bag"
        and extra["status"] == "paid"
        and (extra["passenger"], extra["slice"]) == (boarded["passenger"], boarded["slice"])
    )


def _membership(person: Row, carrier: str) -> tuple[str, str] | None:
    """In the operating airline's programme, or else in the first that was named."""
    named = sorted(person["loyalty"], key=lambda one: one["airline"] != carrier)
    return (named[0]["airline"], named[0]["number"]) if named else None


def _crosses_a_border(segment: Row) -> bool:
    ends = (directory().find(segment[end]["iata"]) for end in ("origin", "destination"))
    return len({airport.country for airport in ends}) > 1


def view(passes: Sequence[BoardingPass]) -> list[Row]:
    """The passes as the API shows them."""
    return [_view(one) for one in passes]


def html(passes: Sequence[BoardingPass], language: Language) -> str:
    return paper.html("boarding", _facts(passes, language))


def pdf(passes: Sequence[BoardingPass], language: Language) -> bytes:
    """A page for each pass, dated by the latest of them."""
    return paper.pdf("boarding", _facts(passes, language), max(one.issued_at for one in passes))


def _view(one: BoardingPass) -> Row:
    text = one.barcode
    return {
        "pnr": one.pnr,
        "passenger": one.passenger,
        "name": one.name,
        "ticket_name": one.ticket_name,
        "type": one.passenger_type,
        "slice": one.slice,
        "flight_id": one.flight_id,
        "flight_number": one.carrier + one.number,
        "operated_by": one.operated_by,
        "origin": one.origin,
        "destination": one.destination,
        "departing_at": one.departing_at.isoformat(),
        "arriving_at": one.arriving_at.isoformat(),
        "boarding_at": one.boarding_at.isoformat(),
        "gate": one.gate,
        "terminal": one.origin["terminal"],
        "seat": one.seat,
        "sequence": one.sequence,
        "cabin": one.cabin,
        "ticket_number": one.ticket_number,
        "coupon": one.coupon,
        "status": one.status,
        "issued_at": rfc3339(one.issued_at),
        "bcbp": text,
        "aztec": {
            "png": f"data:image/png;base64,{b64encode(aztec.png(text)).decode()}",
            "svg": aztec.svg(text),
        },
    }


def _facts(passes: Sequence[BoardingPass], language: Language) -> Row:
    pnrs = " ".join(sorted({one.pnr for one in passes}))
    return {
        "lang": language.tag,
        "t": language.texts,
        "title": f"{language.say('boarding_pass')} {pnrs}",
        "passes": [_printed(one, language) for one in passes],
    }


def _printed(one: BoardingPass, language: Language) -> Row:
    say, infant = language.say, one.passenger_type == "infant" and one.seat is None
    return {
        "name": one.name,
        "ticket_name": one.ticket_name,
        "flight": one.carrier + one.number,
        "operated_by": say("operated_by", airline=one.operated_by),
        "document": say("bring_document") if one.document_verification == _TO_BE_VERIFIED else "",
        "leaves": place(one.origin, one.departing_at, language),
        "arrives": place(one.destination, one.arriving_at, language),
        "aztec": aztec.svg(one.barcode),
        "main": [
            [say("boarding"), language.time(one.boarding_at)],
            [say("gate"), one.gate or say("check_screens")],
            [say("seat"), say("lap") if infant else one.seat or "–"],  # noqa: RUF001  No seat yet.
        ],
        "more": [
            [say("flight"), one.carrier + one.number],
            [say("terminal_short"), one.origin["terminal"] or "–"],  # noqa: RUF001
            [say("cabin"), say(one.cabin)],
            [say("sequence"), f"{one.sequence:03}"],
            [say("reference"), one.pnr],
            [say("ticket"), f"{hyphenated(one.ticket_number)} / {one.coupon}"],
        ],
    }
