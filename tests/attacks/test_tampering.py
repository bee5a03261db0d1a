"""Attack: offers, cursors and keys that were changed, borrowed or used twice."""

import base64
from typing import Any

import pytest

from tests.bookings.paid import somebody
from tests.ownership.conftest import Person
from tests.payments.support import VISA, held
from tests.support.client import Client, booking
from tests.support.fleet import Fleet


async def test_an_offer_with_any_character_changed(traveller: Client, fleet: Fleet) -> None:
    """Wherever it is: no price, flight or date in it can be another."""
    offer = (await fleet.offer(traveller, await fleet.flight()))["id"]
    for place in (*range(4, len(offer), 7), len(offer) - 2):
        changed = offer[:place] + ("A" if offer[place] != "A" else "B") + offer[place + 1 :]
        answer = await traveller.post("/bookings", booking(changed, [somebody()]))
        assert (answer.status, answer.code) == (404, "offer_not_found"), place


async def test_an_offer_put_together_from_two(traveller: Client, fleet: Fleet) -> None:
    """The cheap one's content with the dear one's signature, and the other way round."""
    cheap, dear = [one["id"] for one in (await fleet.offers(traveller, await fleet.flight()))[:2]]
    cut = max(cheap.rfind("."), 4)
    for mixed in (
        cheap[:cut] + dear[dear.rfind(".") :],
        cheap + dear,
        cheap + ".",
        "off_",
        "off_" + "A" * 400,
    ):
        answer = await traveller.post("/bookings", booking(mixed[:512], [somebody()]))
        assert answer.code == "offer_not_found", mixed


@pytest.mark.parametrize(
    "extra",
    [
        {"price": {"total": {"amount": "1.00", "currency": "USD"}}},
        {"total": 1},
        {"currency": "XXX"},
        {"discount": "100%"},
        {"status": "confirmed"},
        {"user_id": "00000000-0000-0000-0000-000000000000"},
        {"hold_expires_at": "2099-01-01T00:00:00Z"},
        {"pnr": "K7QX2M"},
    ],
    ids=lambda extra: next(iter(extra)),
)
async def test_a_price_or_a_state_of_ones_own_choice(
    traveller: Client, fleet: Fleet, extra: dict[str, Any]
) -> None:
    """The offer carries the price, and nobody sends one."""
    offer = await fleet.offer(traveller, await fleet.flight())

    answer = await traveller.post("/bookings", booking(offer["id"], [somebody()]) | extra)

    assert (answer.status, answer.body["errors"][0]["code"]) == (422, "extra_forbidden")


@pytest.mark.parametrize(
    "people",
    [
        ["adult", "adult"],
        ["child"],
        ["infant"],
        ["adult", "infant"],
        ["adult"] * 18,
    ],
    ids=len,
)
async def test_more_or_cheaper_people_than_were_priced(
    traveller: Client, fleet: Fleet, people: list[str]
) -> None:
    """An offer is for those whom the search was for."""
    flight = await fleet.flight(seats=40)
    offer = await fleet.offer(traveller, flight)

    answer = await traveller.post("/bookings", booking(offer["id"], [somebody(kind) for kind in people]))

    assert answer.status == 422
    assert (await fleet.counts(flight))["held"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "adults=-1",
        "adults=0",
        "adults=99999999999",
        "adults=1&adults=9&children=-3",
        "infants=-1",
        "children=1.5",
        "adults=0x10",
        "adults=%D9%A1",
    ],
)
async def test_passengers_that_would_make_a_price_smaller(api: Client, query: str) -> None:
    """Negative, huge, or written in another way."""
    day = "2027-03-01"
    answer = await api.send("GET", f"/flights/search?origin=JFK&destination=LHR&departure_date={day}&{query}")

    assert answer.status == 422


async def test_a_cursor_of_somebody_else(ada: Person, bob: Person, fleet: Fleet) -> None:
    """It says where to go on, and never in whose list."""
    await held(ada.client, fleet)
    cursor = (await ada.client.get("/bookings", limit=1)).body["next_cursor"]
    assert cursor

    page = await bob.client.get("/bookings", limit=100, cursor=cursor)

    assert page.status == 200
    assert {one["pnr"] for one in page.body["data"]} <= {bob.ids["bookings"]}


@pytest.mark.parametrize("path", ["/bookings", "/webhooks/subscriptions", "/flights/followed", "/airports"])
async def test_a_cursor_that_was_made_up(traveller: Client, path: str) -> None:
    """Of nothing, of too much, of other types, or with a piece of SQL inside."""
    for content in (
        "null",
        "[]",
        "{}",
        '["2026-01-01", "x"]',
        "-1",
        "1e400",
        "[[[[1]]]]",
        '"\' OR 1=1--"',
        "[null, 1]",
    ):
        cursor = base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()
        answer = await traveller.get(path, cursor=cursor)
        assert answer.status == 422, content


async def test_somebody_elses_idempotency_key(ada: Person, bob: Person, fleet: Fleet) -> None:
    """The same key, path and body: each gets an answer of their own."""
    offer = await fleet.offer(ada.client, await fleet.flight())
    body = booking(offer["id"], [somebody()])
    key = {"Idempotency-Key": "a-key-that-bob-has-seen"}

    hers = await ada.client.post("/bookings", body, key)
    his = await bob.client.post("/bookings", {**body, "passengers": [somebody()]}, key)

    assert (hers.status, his.status) == (201, 201)
    assert hers.body["pnr"] != his.body["pnr"]
    assert "Idempotency-Replayed" not in his.headers


async def test_a_key_that_was_used_for_something_else(ada: Person, fleet: Fleet) -> None:
    """The first answer is not given for another body, nor the effect of another body under it."""
    key = {"Idempotency-Key": "one-key-two-bodies"}
    offer = await fleet.offer(ada.client, await fleet.flight())
    first = await ada.client.post("/bookings", booking(offer["id"], [somebody()]), key)
    again = await ada.client.post("/bookings", booking(offer["id"], [somebody()]), key)

    assert first.status == 201
    assert (again.status, again.code) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "ключ", "a b"])
async def test_a_key_that_is_none(ada: Person, key: str) -> None:
    """Refused before anything is done."""
    answer = await ada.client.post("/webhooks/test", {"subscription_id": "x"}, {"Idempotency-Key": key})

    assert answer.status == 422


async def test_a_quote_of_another_booking(ada: Person, fleet: Fleet) -> None:
    """Ada's own, with a cheaper way out: a quote is confirmed only where it was made."""
    other = (await held(ada.client, fleet))["pnr"]
    quote = (await ada.client.post(f"/bookings/{other}/cancellations")).body["id"]

    for kind in ("cancellations", "changes"):
        answer = await ada.client.post(f"/bookings/{ada.ids['bookings']}/{kind}/{quote}/confirm")
        assert (answer.status, answer.code) == (404, "quote_not_found")
    assert (await ada.client.get(f"/bookings/{ada.ids['bookings']}")).body["status"] == "confirmed"


async def test_a_payment_of_another_booking(ada: Person, fleet: Fleet) -> None:
    """Ada's own, which is paid for: it pays for no second one."""
    other = (await held(ada.client, fleet))["pnr"]

    answer = await ada.client.post(f"/bookings/{other}/payments/{ada.ids['payments']}/resume")

    assert (answer.status, answer.code) == (404, "payment_not_found")
    assert (await ada.client.get(f"/bookings/{other}")).body["status"] == "held"


async def test_paying_for_what_was_given_up(ada: Person, fleet: Fleet) -> None:
    """A booking that is cancelled takes no money and gives no ticket."""
    pnr = (await held(ada.client, fleet))["pnr"]
    quote = (await ada.client.post(f"/bookings/{pnr}/cancellations")).body["id"]
    assert (await ada.client.post(f"/bookings/{pnr}/cancellations/{quote}/confirm")).status == 200

    answer = await ada.client.post(f"/bookings/{pnr}/payments", VISA)

    assert answer.status == 409
    assert (await ada.client.get(f"/bookings/{pnr}")).body["payments"] == []


@pytest.mark.parametrize(
    "method", ["4242424242424242", "pm_card_visa' --", "", "x" * 101, "pi_123_secret_456"]
)
async def test_something_else_in_place_of_a_card(ada: Person, fleet: Fleet, method: str) -> None:
    """A number of a card is never taken, and nothing else buys a ticket."""
    pnr = (await held(ada.client, fleet))["pnr"]

    answer = await ada.client.post(f"/bookings/{pnr}/payments", {"payment_method": method})

    assert answer.status in (402, 422)
    assert (await ada.client.get(f"/bookings/{pnr}")).body["status"] == "held"
    assert "4242424242424242" not in answer.raw.decode()
