"""The number of a payment card goes into no text that anybody may write, so that none is ever kept."""

import uuid
from typing import Any

import pytest

from tests.support.client import PASSWORD, Client

CARD = "4242 4242 4242 4242"


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        (
            "/auth/signup",
            {"email": "card@example.com", "password": PASSWORD, "full_name": f"Ada {CARD}"},
            "/full_name",
        ),
        ("/devices", {"token": "till", "platform": "ios", "name": f"till {CARD}"}, "/name"),
        (
            "/webhooks/subscriptions",
            {"url": "http://127.0.0.1:9/", "events": ["*"], "description": f"of {CARD}"},
            "/description",
        ),
        ("/bookings/lookup", {"pnr": "BCDFGH", "family_name": f"Lovelace {CARD}"}, "/family_name"),
        ("/bookings/lookup", {"pnr": CARD.replace(" ", ""), "family_name": "Lovelace"}, "/pnr"),
        ("/bookings/lookup/link", {"pnr": CARD.replace(" ", "-"), "family_name": "Lovelace"}, "/pnr"),
    ],
)
async def test_it_is_refused(traveller: Client, path: str, body: dict[str, Any], pointer: str) -> None:
    """By a code of its own, which says where it was, and without repeating it."""
    answer = await traveller.post(path, body)

    assert (answer.status, answer.code) == (422, "card_number_refused")
    assert answer.body["errors"] == [
        {"pointer": pointer, "code": "card_number_refused", "message": "Leave out numbers of payment cards"}
    ]
    assert b"4242" not in answer.raw


@pytest.mark.parametrize("name", ["4242 4242 4242 4241", "Flat 42, 1234567890", "R2-D2"])
async def test_other_numbers_are_not(traveller: Client, name: str) -> None:
    """The last digit of a card's number proves the others."""
    device = {"token": uuid.uuid4().hex, "platform": "ios", "name": name}
    assert (await traveller.post("/devices", device)).status == 201
