"""Every reason for which a booking is not made."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.core.config import settings
from app.fares import service as fares
from app.fares.pricing import FareBook
from app.offers import token
from app.rules.kinds import Book
from tests.support.client import Client, adult, booking
from tests.support.fleet import Fleet


@pytest.mark.parametrize(
    "offer_id", ["", "x", "off_", "off_abc.def", "OFF_abc", "off_é", "off_\x01", "off_" + "A" * 508]
)
async def test_what_is_no_offer_is_not_found(traveller: Client, offer_id: str) -> None:
    """404, whatever was sent instead."""
    answer = await traveller.book(offer_id)

    assert (answer.status, answer.code) == (404, "offer_not_found")


async def test_an_offer_that_is_too_long_is_invalid(traveller: Client) -> None:
    """No offer of ours is longer than 512 characters."""
    assert (await traveller.book("off_" + "A" * 509)).code == "validation_error"


async def test_an_altered_offer_is_not_found(traveller: Client, fleet: Fleet) -> None:
    """Each changed character breaks the signature; a price cannot be edited."""
    offer_id = (await fleet.offer(traveller, await fleet.flight()))["id"]
    for place in range(4, len(offer_id) - 1, 7):
        letter = "A" if offer_id[place] != "A" else "B"
        altered = offer_id[:place] + letter + offer_id[place + 1 :]
        assert (await traveller.book(altered)).code == "offer_not_found"
    assert (await traveller.book(offer_id)).status == 201


async def test_an_expired_offer_is_gone(traveller: Client, fleet: Fleet) -> None:
    """410: it was good once."""
    flight = await fleet.flight()
    offer = token.read((await fleet.offer(traveller, flight))["id"])

    answer = await traveller.book(
        token.sign(replace(offer, expires_at=datetime.now(UTC) - timedelta(minutes=1)))
    )

    assert (answer.status, answer.code) == (410, "offer_expired")
    assert (await fleet.counts(flight))["held"] == 0


def refiled(version: int = 2, **tables: Any) -> FareBook:
    """The fares of a later version, with other rows in some tables."""
    packaged = fares.FARES.packaged()
    return fares.build(Book(version, {**packaged.tables, **tables}))


def dearer(percent: int) -> FareBook:
    filed = fares.FARES.packaged().tables["fares"]
    amounts = [f"{Decimal(row['amount']) * percent / 100:.2f}" for row in filed]
    return refiled(fares=[{**row, "amount": amount} for row, amount in zip(filed, amounts, strict=True)])


async def test_a_price_that_rose_is_not_charged_unasked(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal brings the same trip at the new price, ready to be booked."""
    flight = await fleet.flight()
    offer, raised = await fleet.offer(traveller, flight), dearer(120)
    monkeypatch.setattr(fares, "book", lambda: raised)

    refused = await traveller.book(offer["id"])

    assert (refused.status, refused.code) == (409, "price_changed")
    renewed = refused.body["offer"]
    assert float(renewed["price"]["total"]["amount"]) > float(offer["price"]["total"]["amount"])
    assert refused.body["old_total"] == offer["price"]["total"]
    assert refused.body["new_total"] == renewed["price"]["total"]
    assert (renewed["slices"], renewed["fare_brand"]) == (offer["slices"], offer["fare_brand"])
    assert (await fleet.counts(flight))["held"] == 0
    booked = await traveller.book(renewed["id"])
    assert (booked.status, booked.body["price"]) == (201, renewed["price"])


async def test_a_price_that_fell_is_passed_on(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to be asked whether to pay less."""
    offer, lowered = await fleet.offer(traveller, await fleet.flight()), dearer(80)
    monkeypatch.setattr(fares, "book", lambda: lowered)

    booked = await traveller.book(offer["id"])

    assert booked.status == 201
    assert float(booked.body["price"]["total"]["amount"]) < float(offer["price"]["total"]["amount"])


async def test_a_brand_that_is_no_longer_sold_is_refused(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its conditions could not be kept."""
    offer, filed = await fleet.offer(traveller, await fleet.flight()), fares.FARES.packaged().tables["brands"]
    without = refiled(brands=[brand for brand in filed if brand["name"] != offer["fare_brand"]])
    monkeypatch.setattr(fares, "book", lambda: without)

    assert (await traveller.book(offer["id"])).code == "flight_not_on_sale"


@pytest.mark.parametrize("status", ["cancelled", "departed", "landed", "diverted", "unknown"])
async def test_a_flight_that_will_not_leave_is_not_sold(
    traveller: Client, fleet: Fleet, sql: Any, status: str
) -> None:
    """Although the offer was made before."""
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    await sql("UPDATE flights SET status = :status WHERE id = :id", id=flight.id, status=status)

    answer = await traveller.book(offer["id"])

    assert (answer.status, answer.code) == (409, "flight_not_on_sale")


async def test_sales_close_before_departure(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An offer found in time cannot be booked afterwards."""
    closing = timedelta(minutes=settings().sales_close_minutes)
    flight = await fleet.flight_at(datetime.now(UTC) + closing + timedelta(minutes=10))
    offer = await fleet.offer(traveller, flight)
    monkeypatch.setattr(settings(), "sales_close_minutes", settings().sales_close_minutes + 11)

    assert (await traveller.book(offer["id"])).code == "flight_not_on_sale"

    monkeypatch.undo()
    assert (await traveller.book(offer["id"])).status == 201


async def test_a_group_needs_seats_for_all(traveller: Client, fleet: Fleet) -> None:
    """Nobody is left behind: two seats are not sold to three."""
    flight = await fleet.flight(4)
    three, one = await fleet.offer(traveller, flight, adults=3), await fleet.offer(traveller, flight)
    for _ in range(2):
        await traveller.book(one["id"])

    answer = await traveller.book(three["id"], [adult(1), adult(2), adult(3)])

    assert (answer.status, answer.code, answer.body["retryable"]) == (409, "sold_out", False)
    assert (await fleet.counts(flight))["held"] == 2


async def test_an_offer_for_a_flight_that_vanished_is_refused(traveller: Client, fleet: Fleet) -> None:
    """Signed by us, but for a flight that is not there."""
    offer = token.read((await fleet.offer(traveller, await fleet.flight()))["id"])

    answer = await traveller.book(token.sign(replace(offer, slices=((2**62,),))))

    assert (answer.status, answer.code) == (409, "flight_not_on_sale")


async def test_a_payment_is_refused_as_long_as_none_is_taken(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better than to hold seats and leave the payment out in silence."""
    monkeypatch.setattr(settings(), "stripe_secret_key", "")
    flight = await fleet.flight()
    data = booking((await fleet.offer(traveller, flight))["id"]) | {"payment": {"payment_method": "pm_card"}}

    answer = await traveller.post("/bookings", data)

    assert (answer.status, answer.code) == (422, "payment_not_offered")
    assert (await fleet.counts(flight))["held"] == 0


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"contact": {"email": "nobody", "phone": None}}, "/contact/email"),
        ({"contact": {"email": "ada@example.com", "phone": "01632 960000"}}, "/contact/phone"),
        ({"contact": {"email": "ada@example.com", "phone": "+0441632960000"}}, "/contact/phone"),
        ({"price": {"amount": "1.00", "currency": "USD"}}, "/price"),
        ({"passengers": []}, "/passengers"),
        ({"passengers": [adult(i) for i in range(19)]}, "/passengers"),
        ({"passengers": [adult(born_on="29 February")]}, "/passengers/0/born_on"),
        ({"passengers": [adult(type="senior")]}, "/passengers/0/type"),
        ({"passengers": [adult(passport="X1")]}, "/passengers/0/passport"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_body_with_a_wrong_field_points_at_it(
    traveller: Client, changes: dict[str, Any], pointer: str
) -> None:
    """A client never sends a price."""
    answer = await traveller.post("/bookings", booking("off_x") | changes)

    assert (answer.status, answer.code) == (422, "validation_error")
    assert [problem["pointer"] for problem in answer.body["errors"]] == [pointer]


async def test_only_somebody_can_book_or_read(api: Client) -> None:
    """401 before anything else is said."""
    for answer in (await api.book("off_x"), await api.get("/bookings"), await api.get("/bookings/K7QX2M")):
        assert (answer.status, answer.code) == (401, "unauthorized")


async def test_somebody_elses_booking_looks_like_none(traveller: Client, api: Client, fleet: Fleet) -> None:
    """The same answer as for a reference that does not exist."""
    pnr = (await traveller.book((await fleet.offer(traveller, await fleet.flight()))["id"])).body["pnr"]
    stranger = await api.signed_up()

    theirs, nobodys = await stranger.get(f"/bookings/{pnr}"), await stranger.get("/bookings/ZZZZZZ")

    assert (theirs.status, theirs.code) == (404, "booking_not_found")
    assert {**theirs.body, "request_id": 0} == {**nobodys.body, "request_id": 0}


async def test_a_reference_is_found_in_small_letters(traveller: Client, fleet: Fleet) -> None:
    """As people type it."""
    booked = await traveller.book((await fleet.offer(traveller, await fleet.flight()))["id"])

    assert (await traveller.get(f"/bookings/{booked.body['pnr'].lower()}")).body == booked.body


@pytest.mark.parametrize("pnr", ["x", "%01", "é", "K7QX2M%1F", "a" * 20, "%F0%9F%9B%AB"])
async def test_what_is_no_reference_is_not_found(traveller: Client, pnr: str) -> None:
    """404, and nothing breaks."""
    assert (await traveller.get(f"/bookings/{pnr}")).code == "booking_not_found"
