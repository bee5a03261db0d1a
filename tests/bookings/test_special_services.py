"""Meals, assistance and animals: asked for flight by flight, shown back, and free."""

from typing import Any

import pytest
import pytest_asyncio

from app.bookings import booked
from app.bookings.schemas import SPECIAL_SERVICES
from app.core import db
from tests.support.client import Answer, Client, adult
from tests.support.fleet import Fleet

Trip = tuple[str, list[str]]


@pytest_asyncio.fixture
async def trip(traveller: Client, fleet: Fleet) -> Trip:
    """There and back: the offer, and the ids of its two flights."""
    there, back = await fleet.round_trip()
    offer = await fleet.offer(traveller, there, return_date=back.day)
    return offer["id"], [one["segments"][0]["flight_id"] for one in offer["slices"]]


async def asked(traveller: Client, trip: Trip, *services: dict[str, Any]) -> Answer:
    return await traveller.book(trip[0], [adult(services=list(services))])


async def test_a_service_is_for_all_flights_or_for_those_that_are_named(
    traveller: Client, trip: Trip
) -> None:
    """In the order of the flights, with its name and kind, also when it is read again."""
    there, back = trip[1]

    booked = await asked(
        traveller,
        trip,
        {"code": "WCHR"},
        {"code": "VGML", "segments": [back]},
        {"code": "KSML", "segments": [there]},
        {"code": "MEDA", "segments": [back, there], "text": "oxygen on stand-by"},
    )

    assert booked.status == 201, booked.body
    shown = booked.body["passengers"][0]["services"]
    assert [(one["code"], one["kind"], one["segments"], one["text"]) for one in shown] == [
        ("KSML", "meal", [there], None),
        ("MEDA", "assistance", [there, back], "oxygen on stand-by"),
        ("VGML", "meal", [back], None),
        ("WCHR", "assistance", [there, back], None),
    ]
    assert shown[0]["name"] == "Kosher meal"
    again = await traveller.get(f"/bookings/{booked.body['pnr']}")
    assert again.body["passengers"] == booked.body["passengers"]


async def test_each_flight_can_have_its_own_text(traveller: Client, trip: Trip) -> None:
    """A dog on the way there, a cat on the way back."""
    there, back = trip[1]

    booked = await asked(
        traveller,
        trip,
        {"code": "PETC", "segments": [there], "text": "dog, 6 kg"},
        {"code": "PETC", "segments": [back], "text": "cat, 4 kg"},
    )

    again = await traveller.get(f"/bookings/{booked.body['pnr']}")
    shown = again.body["passengers"][0]["services"]
    assert [(one["segments"], one["text"]) for one in shown] == [
        ([there], "dog, 6 kg"),
        ([back], "cat, 4 kg"),
    ]


async def test_what_is_needed_costs_nothing(traveller: Client, trip: Trip) -> None:
    """Every kind of assistance at once, at the price of none."""
    assistance = [
        {"code": code, "text": "as agreed"} if row["needs_text"] else {"code": code}
        for code, row in SPECIAL_SERVICES.items()
        if row["kind"] == "assistance"
    ]

    without = await asked(traveller, trip)
    everything = await traveller.book(trip[0], [adult(2, services=assistance)])

    assert len(everything.body["passengers"][0]["services"]) == len(assistance) > 8
    assert everything.body["price"] == without.body["price"]


@pytest.mark.parametrize(
    ("services", "pointer"),
    [
        ([{"code": "PETC"}], "0/text"),
        ([{"code": "VGML", "segments": ["7Q9999-20990101-TOS"]}], "0/segments/0"),
        ([{"code": "WCHR"}, {"code": "WCHR"}], "1"),
        ([{"code": "VGML"}, {"code": "KSML"}], "1"),
    ],
    ids=["a pet of no kind", "a flight of somebody else", "twice", "two meals"],
)
async def test_what_cannot_be_served_is_refused(
    traveller: Client, fleet: Fleet, trip: Trip, services: list[dict[str, Any]], pointer: str
) -> None:
    """With the place in the request, and nothing is booked."""
    answer = await asked(traveller, trip, *services)

    assert (answer.status, answer.code) == (422, "invalid_service")
    assert answer.body["errors"][0]["pointer"] == f"/passengers/0/services/{pointer}"
    assert (await traveller.get("/bookings")).body["data"] == []


@pytest.mark.parametrize(
    ("service", "pointer"),
    [
        ({"code": "UMNR"}, "code"),
        ({"code": "vgml"}, "code"),
        ({"code": "VGML", "segments": []}, "segments"),
        ({"code": "VGML", "text": "a\nb"}, "text"),
        ({"code": "VGML", "text": "a\u200bb"}, "text"),
        ({"code": "VGML", "text": "x" * 101}, "text"),
        ({"code": "VGML", "price": 0}, "price"),
    ],
)
async def test_the_list_of_services_is_closed(
    traveller: Client, trip: Trip, service: dict[str, Any], pointer: str
) -> None:
    """And a text is one short line."""
    answer = await asked(traveller, trip, service)

    assert (answer.status, answer.code) == (422, "validation_error")
    assert answer.body["errors"][0]["pointer"] == f"/passengers/0/services/0/{pointer}"


async def test_the_description_lists_every_code(api: Client) -> None:
    """Clients need not guess."""
    described = (await api.get("/openapi.json")).body["components"]["schemas"]["ServiceIn"]

    assert described["properties"]["code"]["enum"] == list(SPECIAL_SERVICES)


async def test_services_survive_rebooking(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Whoever needs a wheelchair needs it on the other flight as well."""
    left, entered = await fleet.flight(), await fleet.flight()
    offer = await fleet.offer(traveller, left)
    pnr = (await traveller.book(offer["id"], [adult(services=[{"code": "WCHC"}])])).body["pnr"]
    [segment] = await sql(
        "UPDATE booking_segments SET flight_id = :entered WHERE flight_id = :left RETURNING booking_id",
        left=left.id,
        entered=entered.id,
    )

    for _ in range(2):
        async with db.transaction() as session:
            await booked.copy_services(session, segment["booking_id"], left.id, entered.id)

    read = (await traveller.get(f"/bookings/{pnr}")).body
    [service] = read["passengers"][0]["services"]
    assert service["code"] == "WCHC"
    assert service["segments"] == [read["slices"][0]["segments"][0]["flight_id"]]


async def test_a_service_belongs_to_a_passenger(traveller: Client, trip: Trip, sql: Any) -> None:
    """The database stands behind it."""
    await asked(traveller, trip, {"code": "WCHR"})

    with pytest.raises(Exception, match="fk_booking_services_booking_id"):
        await sql("UPDATE booking_services SET position = 9")
