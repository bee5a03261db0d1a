"""`GET /offers/{id}/extras` and `POST .../extras/price`: what is sold besides the fare, and what it comes to."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from app.core import db
from app.extras.service import EXTRAS
from app.rules import service as rules
from tests.extras.support import tables
from tests.seats.support import assign, claim, wants
from tests.support.client import Answer, Client
from tests.support.fleet import Fleet, Flight


async def offer_of(api: Client, fleet: Fleet, flight: Flight, brand: str = "Light", **params: Any) -> Any:
    return next(o for o in await fleet.offers(api, flight, **params) if o["fare_brand"] == brand)


async def price(api: Client, offer: Any, **choice: Any) -> Answer:
    return await api.post(f"/offers/{offer['id']}/extras/price", choice)


def flight_ids(offer: Any) -> list[str]:
    return [segment["flight_id"] for one in offer["slices"] for segment in one["segments"]]


@pytest_asyncio.fixture
async def publish(address: str) -> AsyncIterator[Any]:
    """Put prices in force; afterwards the packaged ones are."""

    async def put(found: Any) -> None:
        async with db.transaction() as session:
            await rules.publish(session, "extras", found, "console", "For a test.")

    yield put
    await put(EXTRAS.packaged().tables)


async def test_each_passenger_sees_bags_and_seats_of_each_slice(api: Client, fleet: Fleet) -> None:
    """Those of the fare included; an infant has neither."""
    there, back = await fleet.round_trip(30)
    offer = await offer_of(
        api, fleet, there, "Standard", return_date=back.day, adults=1, children=1, infants=1
    )

    answer = await api.get(f"/offers/{offer['id']}/extras")

    assert answer.status == 200, answer.body
    assert answer.body["meta"] == {"most_bags": 5, "heaviest_kg": 32}
    people = answer.body["data"]
    assert [(one["passenger"], one["type"], len(one["slices"])) for one in people] == [
        (0, "adult", 2),
        (1, "child", 2),
        (2, "infant", 0),
    ]
    out = people[0]["slices"][0]
    assert out["bags"][:2] == [
        {"piece": 1, "max_kg": 23, "included": True, "price": {"amount": "0.00", "currency": "USD"}},
        {"piece": 2, "max_kg": 23, "included": False, "price": {"amount": "60.00", "currency": "USD"}},
    ]
    [seats] = out["seats"]
    assert seats["flight_id"] == flight_ids(offer)[0]
    assert [(kind["kind"], kind["price"]["amount"]) for kind in seats["kinds"]] == [
        ("standard", "0.00"),
        ("front", "10.00"),
        ("legroom", "18.00"),
    ]


async def test_a_choice_is_priced_line_by_line(api: Client, fleet: Fleet) -> None:
    """In the offer's currency; lines add up to the total, and asking takes nothing."""
    flight = await fleet.flight(150)
    offer = await offer_of(api, fleet, flight, adults=2, currency="JPY")
    [flight_id] = flight_ids(offer)

    answer = await price(
        api,
        offer,
        seats=[
            {"passenger": 0, "flight_id": flight_id, "seat": "14a"},
            {"passenger": 1, "flight_id": flight_id, "seat": "20B"},
        ],
        bags=[{"passenger": 0, "slice": 0, "quantity": 2}, {"passenger": 1, "slice": 0, "kg": 30}],
    )

    assert answer.status == 200, answer.body
    lines = [
        (line["type"], line["passenger"], line["seat"] or line["piece"], line["price"]["amount"])
        for line in answer.body["lines"]
    ]
    assert lines == [
        ("seat", 0, "14A", "2700"),
        ("seat", 1, "20B", "900"),
        ("bag", 0, 1, "4500"),
        ("bag", 0, 2, "9000"),
        ("bag", 1, 1, "12000"),
    ]
    assert answer.body["total"] == {"amount": "29100", "currency": "JPY"}
    assert sum(Decimal(line[-1]) for line in lines) == Decimal(answer.body["total"]["amount"])
    again = await price(api, offer, seats=[{"passenger": 0, "flight_id": flight_id, "seat": "14A"}])
    assert again.status == 200


async def test_who_needs_assistance_pays_for_no_seat(api: Client, fleet: Fleet) -> None:
    """And sits at no exit."""
    offer = await offer_of(api, fleet, await fleet.flight(150))
    [flight_id] = flight_ids(offer)
    seat = {"passenger": 0, "flight_id": flight_id, "seat": "4A"}

    dear, free = await price(api, offer, seats=[seat]), await price(api, offer, seats=[seat], assistance=[0])
    refused = await price(api, offer, seats=[seat | {"seat": "14A"}], assistance=[0])

    assert (dear.body["total"]["amount"], free.body["total"]["amount"]) == ("18.00", "0.00")
    assert (refused.status, refused.code) == (422, "seat_not_allowed")


@pytest.mark.parametrize(
    ("choice", "status", "code"),
    [
        ({"seats": [{"passenger": 0, "flight_id": "HERE", "seat": "8A"}]}, 409, "seat_taken"),
        ({"seats": [{"passenger": 0, "flight_id": "HERE", "seat": "13A"}]}, 422, "seat_not_found"),
        ({"seats": [{"passenger": 0, "flight_id": "XX1-20270101-OSL", "seat": "8B"}]}, 422, "seat_not_found"),
        ({"seats": [{"passenger": 1, "flight_id": "HERE", "seat": "14A"}]}, 422, "seat_not_allowed"),
        ({"seats": [{"passenger": 0, "flight_id": "HERE", "seat": "9C"}]}, 422, "seat_not_allowed"),
        ({"seats": [{"passenger": 2, "flight_id": "HERE", "seat": "8B"}]}, 422, "seat_not_allowed"),
        ({"seats": [{"passenger": 3, "flight_id": "HERE", "seat": "8B"}]}, 422, "validation_error"),
        ({"bags": [{"passenger": 0, "slice": 0, "quantity": 6}]}, 422, "bag_not_allowed"),
        ({"bags": [{"passenger": 0, "slice": 0, "kg": 33}]}, 422, "bag_not_allowed"),
        ({"bags": [{"passenger": 0, "slice": 1}]}, 422, "bag_not_allowed"),
        ({"bags": [{"passenger": 2, "slice": 0}]}, 422, "bag_not_allowed"),
        ({"assistance": [7]}, 422, "validation_error"),
        ({"hats": []}, 422, "validation_error"),
    ],
)
async def test_refused(api: Client, fleet: Fleet, choice: dict[str, Any], status: int, code: str) -> None:
    """An adult who carries an infant, and a child; others have 8A and an infant in 9A."""
    flight = await fleet.flight(150)
    offer = await offer_of(api, fleet, flight, adults=1, children=1, infants=1)
    others = await claim(flight, 2)
    await assign(others, wants("8A"), wants("9A", 1, carries_infant=True))
    for seat in choice.get("seats", ()):
        seat["flight_id"] = seat["flight_id"].replace("HERE", flight_ids(offer)[0])

    answer = await price(api, offer, **choice)

    assert (answer.status, answer.code) == (status, code), answer.body


async def test_operators_publish_prices(api: Client, fleet: Fleet, publish: Any) -> None:
    """They are in force at once; in a currency without a rate, nothing is sold."""
    offer = await offer_of(api, fleet, await fleet.flight(30))
    changed = tables()
    changed["bags"] = [row | {"amount": "1.00"} for row in changed["bags"]]

    await publish(changed)
    cheap = await api.get(f"/offers/{offer['id']}/extras")
    await publish(tables(book=[("currency", "SEK")]))
    refused = [await api.get(f"/offers/{offer['id']}/{what}") for what in ("extras", "seat-maps")]

    assert {bag["price"]["amount"] for bag in cheap.body["data"][0]["slices"][0]["bags"]} == {"1.00"}
    assert [(answer.status, answer.code) for answer in refused] == [(409, "extras_not_sold")] * 2
