"""Boarding passes of a booking: who asks for them while check-in is open is checked in."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from app.auth import tokens
from app.bookings import guests
from app.core import clock
from app.core.config import settings
from app.documents.schemas import BoardingPassList
from tests.documents import papers
from tests.documents.bcbp_reader import decode
from tests.payments.support import VISA
from tests.support.client import BORN, Answer, Client, adult, patiently
from tests.support.fleet import OSLO, Fleet

INFANT = {"type": "infant", "given_name": "Byron", "family_name": "King", "born_on": BORN["infant"]}


class Day:
    """The day of a journey, which tests move to and fro; time goes on from there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + self.ahead)

    def before(self, booking: dict[str, Any], hours: float, leg: int = 0) -> None:
        """So many hours before the departure of one of the booking's flights."""
        leaves = datetime.fromisoformat(flights(booking)[leg]["departing_at"])
        self.ahead = leaves - timedelta(hours=hours) - datetime.now(UTC)


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> Day:
    return Day(monkeypatch)


@pytest_asyncio.fixture
async def booked(traveller: Client, fleet: Fleet) -> dict[str, Any]:
    """A flight for one, paid for."""
    return await paid(traveller, await fleet.offer(traveller, await fleet.flight()))


async def paid(traveller: Client, offer: dict[str, Any], *people: dict[str, Any]) -> dict[str, Any]:
    answer = await traveller.book(offer["id"], list(people))
    assert answer.status == 201, answer.body
    bought = await traveller.post(f"/bookings/{answer.body['pnr']}/payments", VISA)
    assert bought.status == 201, bought.body
    made: dict[str, Any] = (await traveller.get(f"/bookings/{answer.body['pnr']}")).body
    return made


async def through_oslo(traveller: Client, fleet: Fleet, *, back: bool) -> dict[str, Any]:
    """An offer from Tromsø to Bergen by way of Oslo, and perhaps the same way back two days later."""
    there = await fleet.flight(10, "TOS", "OSL")
    later = datetime.combine(there.day, datetime.min.time(), OSLO)
    await fleet.flight_at(later + timedelta(hours=16), 10, "OSL", "BGO")
    home = {}
    if back:
        days = timedelta(days=2)
        home = {"return_date": there.day + days}
        await fleet.flight_at(later + days + timedelta(hours=12), 10, "BGO", "OSL")
        await fleet.flight_at(later + days + timedelta(hours=16), 10, "OSL", "TOS")
    return await traveller.first_offer("TOS", "BGO", there.day, airlines="7Q", max_connections=1, **home)


def flights(booking: dict[str, Any]) -> list[dict[str, Any]]:
    return [segment for one in booking["slices"] for segment in one["segments"]]


async def passes(client: Client, booking: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await patiently(lambda: client.get(f"/bookings/{booking['pnr']}/boarding-passes"))
    assert answer.status == 200, answer.body
    BoardingPassList.model_validate(answer.body)
    found: list[dict[str, Any]] = answer.body["data"]
    return found


async def refused(client: Client, booking: dict[str, Any]) -> Answer:
    return await client.get(f"/bookings/{booking['pnr']}/boarding-passes")


def guest_of(booking: dict[str, Any], api: Client) -> Client:
    """Somebody with the token that a mailed link is exchanged for."""
    return Client(api.session, api.base, tokens.sign(guests._KIND, booking["pnr"], 60))


def legs(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The flights that a gate reads from a pass's picture."""
    picture = base64.b64decode(one["aztec"]["png"].removeprefix("data:image/png;base64,"))
    [found] = zxingcpp.read_barcodes(np.asarray(Image.open(BytesIO(picture))))
    assert found.text == one["bcbp"]
    read: list[dict[str, Any]] = decode(found.text)["legs"]
    return read


async def test_asking_checks_in_and_gives_a_pass_with_a_seat(
    traveller: Client, booked: dict[str, Any], day: Day
) -> None:
    """Asked again, it is the same pass; the barcode says what the pass and the ticket say."""
    day.before(booked, hours=20)

    [one] = await passes(traveller, booked)
    again = await passes(traveller, booked)

    read = (await traveller.get(f"/bookings/{booked['pnr']}")).body
    [segment], [passenger] = flights(read), read["passengers"]
    assert again == [one]
    assert passenger["tickets"][0]["coupons"][0]["status"] == one["status"] == "C"
    assert one["seat"] == passenger["seats"][0]["seat"]
    assert (one["flight_id"], one["passenger"], one["sequence"]) == (segment["flight_id"], 0, 1)
    [leg] = legs(one)
    assert (leg["pnr"], leg["seat"], leg["sequence"]) == (booked["pnr"], one["seat"].zfill(4), "0001")
    assert leg["airline_numeric_code"] + leg["document_serial"] == passenger["ticket_number"]
    assert leg["day_of_year"] == f"{datetime.fromisoformat(segment['departing_at']):%j}"
    assert leg["compartment"] == read["slices"][0]["booking_class"]


async def test_boarding_begins_before_departure(
    traveller: Client, booked: dict[str, Any], day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock at the airport, so long before as is set."""
    monkeypatch.setattr(settings(), "boarding_minutes", 25)
    day.before(booked, hours=20)

    [one] = await passes(traveller, booked)

    leaves, boards = (datetime.fromisoformat(one[name]) for name in ("departing_at", "boarding_at"))
    assert leaves - boards == timedelta(minutes=25)
    assert leaves.utcoffset() == boards.utcoffset()


async def test_the_gate_is_the_one_that_is_known_now(
    traveller: Client, booked: dict[str, Any], day: Day, sql: Any
) -> None:
    """A pass that was fetched before names none."""
    day.before(booked, hours=20)
    [before] = await passes(traveller, booked)
    await sql(
        "UPDATE flights SET departure_gate = 'B42', departure_terminal = '2' WHERE number = :number",
        number=flights(booked)[0]["flight_number"][2:],
    )

    [after] = await passes(traveller, booked)

    assert (before["gate"], after["gate"], after["terminal"]) == (None, "B42", "2")


async def test_before_check_in_opens_it_says_when(
    traveller: Client, booked: dict[str, Any], day: Day
) -> None:
    """A day before departure; nobody is checked in by asking too early."""
    answer = await refused(traveller, booked)

    assert (answer.status, answer.code) == (409, "check_in_not_open")
    leaves = datetime.fromisoformat(flights(booked)[0]["departing_at"])
    assert datetime.fromisoformat(answer.body["opens_at"]) == leaves - timedelta(hours=24)


async def test_who_comes_too_late_is_told_so(traveller: Client, booked: dict[str, Any], day: Day) -> None:
    """But who is checked in keeps the pass, also after the flight."""
    day.before(booked, hours=0.5)
    late = await refused(traveller, booked)
    day.before(booked, hours=2)
    made = await passes(traveller, booked)
    day.before(booked, hours=-5)

    assert (late.status, late.code) == (409, "check_in_closed")
    assert await passes(traveller, booked) == made


async def test_who_has_cancelled_has_no_pass(traveller: Client, fleet: Fleet, day: Day) -> None:
    """Nor keeps the one they had; when all have cancelled there is none to be had."""
    offer = await fleet.offer(traveller, await fleet.flight(), adults=2)
    trip = await paid(traveller, offer, adult(81), adult(82))
    day.before(trip, hours=20)
    before = await passes(traveller, trip)

    await cancelled(traveller, trip, passengers=[0])
    after = await passes(traveller, trip)
    await cancelled(traveller, trip)

    assert [one["passenger"] for one in before] == [0, 1]
    assert after == before[1:]
    assert (await refused(traveller, trip)).code == "booking_closed"


async def cancelled(traveller: Client, booking: dict[str, Any], **what: Any) -> None:
    path = f"/bookings/{booking['pnr']}/cancellations"
    quote = await traveller.post(path, what)
    assert quote.status == 201, quote.body
    done = await traveller.post(f"{path}/{quote.body['id']}/confirm")
    assert done.status == 200, done.body


async def test_who_asks_several_times_at_once_is_checked_in_once(
    traveller: Client, booked: dict[str, Any], day: Day
) -> None:
    """Impatient telephones get the same pass."""
    day.before(booked, hours=20)

    made = await asyncio.gather(*(passes(traveller, booked) for _ in range(6)))

    assert [one["sequence"] for one in made[0]] == [1]
    assert all(other == made[0] for other in made)


async def test_what_is_not_paid_has_none(traveller: Client, fleet: Fleet) -> None:
    """Nor has what is not yours."""
    offer = await fleet.offer(traveller, await fleet.flight())
    held = (await traveller.book(offer["id"])).body

    answer = await refused(traveller, held)

    assert (answer.status, answer.code) == (409, "booking_closed")
    assert (await refused(traveller, {"pnr": "ZZZZZZ"})).code == "booking_not_found"


async def test_nobody_else_has_them(api: Client, booked: dict[str, Any], day: Day) -> None:
    """A stranger's question checks nobody in either."""
    day.before(booked, hours=20)
    stranger = await api.signed_up()

    assert (await refused(stranger, booked)).code == "booking_not_found"
    assert (await refused(api, booked)).status == 401
    assert (await refused(guest_of(booked, api), booked)).code == "not_checked_in"


async def test_a_guest_sees_the_passes_of_who_is_checked_in(
    traveller: Client, api: Client, booked: dict[str, Any], day: Day
) -> None:
    """And of no other booking; documents likewise."""
    day.before(booked, hours=20)
    guest = guest_of(booked, api)
    made = await passes(traveller, booked)

    assert await passes(guest, booked) == made
    assert (await guest.get("/bookings/ZZZZZZ/boarding-passes")).code == "booking_not_found"
    receipt = await guest.get(f"/bookings/{booked['pnr']}/itinerary.pdf")
    assert booked["pnr"] in papers.text(receipt.raw)


async def test_a_guest_is_told_why_there_are_none_yet(api: Client, booked: dict[str, Any], day: Day) -> None:
    """The same as the owner."""
    assert (await refused(guest_of(booked, api), booked)).code == "check_in_not_open"


async def test_a_family_is_checked_in_together(traveller: Client, fleet: Fleet, day: Day) -> None:
    """Two adults side by side, each with a number, and the infant on a lap, who has a number and no seat."""
    offer = await fleet.offer(traveller, await fleet.flight(), adults=2, infants=1)
    people = [adult(71, loyalty=[{"airline": "ZZ", "number": "AB1234"}]), adult(72), INFANT]
    family = await paid(traveller, offer, *people)
    day.before(family, hours=20)

    made = await passes(traveller, family)

    assert [one["passenger"] for one in made] == [0, 1, 2]
    assert sorted(one["sequence"] for one in made) == [1, 2, 3]
    seats = [one["seat"] for one in made]
    assert None not in seats[:2]
    assert seats[0] != seats[1]
    read = [legs(one)[0] for one in made]
    assert [leg["seat"] for leg in read] == [seats[0].zfill(4), seats[1].zfill(4), "INF"]
    assert (seats[2], decode(made[2]["bcbp"])["once"]["passenger"]) == (None, "4")
    assert (read[0]["frequent_flyer_airline"], read[0]["frequent_flyer_number"]) == ("ZZ", "AB1234")


@pytest.mark.parametrize(("destination", "verification"), [("BGO", "0"), ("LHR", "1")])
async def test_the_gate_is_told_whether_to_look_at_a_document(
    traveller: Client, fleet: Fleet, day: Day, destination: str, verification: str
) -> None:
    """Where a border is crossed; within a country nobody asks."""
    flight = await fleet.flight(10, "TOS", destination)
    trip = await paid(traveller, await fleet.offer(traveller, flight))
    day.before(trip, hours=20)

    [one] = await passes(traveller, trip)
    page = (await traveller.get(f"/bookings/{trip['pnr']}/boarding-passes", format="html")).raw.decode()

    assert legs(one)[0]["document_verification"] == verification
    assert ("travel document" in page) == (verification == "1")


async def test_connected_flights_are_in_one_barcode(traveller: Client, fleet: Fleet, day: Day) -> None:
    """Each pass begins with its own flight, so every gate finds its own; each flight has a seat and a number."""
    trip = await paid(traveller, await through_oslo(traveller, fleet, back=False))
    day.before(trip, hours=10)

    first, second = await passes(traveller, trip)

    assert [(leg["origin"], leg["destination"]) for leg in legs(first)] == [("TOS", "OSL"), ("OSL", "BGO")]
    assert [(leg["origin"], leg["destination"]) for leg in legs(second)] == [("OSL", "BGO")]
    assert [leg["seat"] for leg in legs(first)] == [first["seat"].zfill(4), second["seat"].zfill(4)]
    assert [first["coupon"], second["coupon"]] == [1, 2]


async def test_a_trip_of_four_flights_is_checked_in_as_they_come(
    traveller: Client, fleet: Fleet, day: Day
) -> None:
    """On the day out the way there, on the day home the way back too, and never both in one barcode."""
    trip = await paid(traveller, await through_oslo(traveller, fleet, back=True))
    day.before(trip, hours=10)
    out = await passes(traveller, trip)
    day.before(trip, hours=10, leg=2)
    home = await passes(traveller, trip)

    assert [len(legs(one)) for one in out] == [2, 1]
    assert [len(legs(one)) for one in home] == [2, 1, 2, 1]
    assert [one["flight_id"] for one in home] == [flight["flight_id"] for flight in flights(trip)]
    assert [one["coupon"] for one in home] == [1, 2, 3, 4]
    assert len({one["ticket_number"] for one in home}) == 1


async def test_a_flight_on_which_nobody_can_be_checked_in_keeps_no_other_from_it(
    traveller: Client, fleet: Fleet, day: Day, sql: Any
) -> None:
    """The airline has changed the second flight, and its coupon waits for an answer."""
    trip = await paid(traveller, await through_oslo(traveller, fleet, back=False))
    await sql(
        "UPDATE coupons SET status = 'I' WHERE number = 2 AND ticket_number = :ticket",
        ticket=trip["passengers"][0]["ticket_number"],
    )
    day.before(trip, hours=10)

    [one] = await passes(traveller, trip)

    assert one["flight_id"] == flights(trip)[0]["flight_id"]
    assert len(legs(one)) == 1


async def test_bags_that_were_bought_are_on_the_pass(traveller: Client, fleet: Fleet, day: Day) -> None:
    """Besides those of the fare."""
    trip = await paid(traveller, await fleet.offer(traveller, await fleet.flight()))
    bag = {"bags": [{"passenger": 0, "slice": 0, "quantity": 2}], "payment": VISA}
    added = await traveller.post(f"/bookings/{trip['pnr']}/extras", bag)
    assert added.status == 200, added.body
    day.before(trip, hours=20)

    [one] = await passes(traveller, trip)

    assert legs(one)[0]["free_baggage"] == f"{trip['baggage']['checked'] + 2}PC"


async def test_they_come_as_data_page_or_paper(traveller: Client, booked: dict[str, Any], day: Day) -> None:
    """By parameter, or else by what the client likes best; kept by no cache."""
    day.before(booked, hours=20)
    asked: list[tuple[str | None, str, str]] = [
        (None, "*/*", "application/json"),
        (None, "application/pdf", "application/pdf"),
        (None, "text/html;q=0.5, application/pdf", "application/pdf"),
        (None, "text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("html", "application/pdf", "text/html; charset=utf-8"),
        ("pdf", "*/*", "application/pdf"),
    ]

    for form, accept, kind in asked:
        answer = await traveller.get(
            f"/bookings/{booked['pnr']}/boarding-passes", format=form, headers={"Accept": accept}
        )
        assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Accept" in answer.headers["Vary"]


async def test_paper_is_in_the_readers_language(traveller: Client, booked: dict[str, Any], day: Day) -> None:
    """A page for each pass."""
    day.before(booked, hours=20)
    path = f"/bookings/{booked['pnr']}/boarding-passes"

    made = (await traveller.get(path, format="pdf", lang="de")).raw

    assert len(PdfReader(BytesIO(made)).pages) == 1
    assert "Bordkarte" in papers.text(made)
    assert booked["pnr"] in papers.text(made)
