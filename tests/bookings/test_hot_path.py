"""An ordinary hold is answered before FastAPI is entered; whatever is not ordinary goes on to the route."""

from typing import Any

import orjson
import pytest

from app.bookings.hotpath import HotPath
from app.core.web.door import Door
from tests.support.client import Client, booking
from tests.support.fleet import Fleet

JSON = {"content-type": "application/json"}


async def asked(headers: list[tuple[str, str]], body: bytes) -> tuple[list[Any], list[bytes]]:
    """What the hot path behind the door sends by itself, and the bodies with which it goes on to what is behind it."""
    sent: list[Any] = []
    behind: list[bytes] = []
    arriving = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def app(_: Any, receive: Any, __: Any) -> None:
        behind.append((await receive())["body"])

    async def receive() -> Any:
        return next(arriving, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/bookings",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    await Door(HotPath(app), {}, {})(scope, receive, send)
    return sent, behind


def ordinary(traveller: Client, body: bytes) -> dict[str, str]:
    return JSON | {"authorization": f"Bearer {traveller.token}", "content-length": str(len(body))}


async def test_an_ordinary_hold_never_meets_fastapi(traveller: Client, fleet: Fleet) -> None:
    """It is answered with the booking."""
    offer = await fleet.offer(traveller, await fleet.flight())
    body = orjson.dumps(booking(offer["id"]))

    sent, behind = await asked([*ordinary(traveller, body).items()], body)

    assert behind == []
    assert sent[0]["status"] == 201
    assert orjson.loads(sent[1]["body"])["status"] == "held"


async def test_both_ways_make_the_same_booking(traveller: Client, api: Client, fleet: Fleet) -> None:
    """To the members that differ between any two bookings."""
    offer = await fleet.offer(traveller, await fleet.flight())
    other = await api.signed_up()
    routed = {"content-type": "application/json; charset=utf-8"}

    hot = await traveller.post("/bookings", booking(offer["id"]))
    stock = await other.post("/bookings", booking(offer["id"]), routed)

    assert (hot.status, stock.status) == (201, 201)
    assert hot.headers.keys() == stock.headers.keys()
    differs = {"pnr", "hold_expires_at", "price_guaranteed_until", "created_at", "updated_at"}
    assert {k: v for k, v in hot.body.items() if k not in differs} == {
        k: v for k, v in stock.body.items() if k not in differs
    }


@pytest.mark.parametrize(
    ("without", "more"),
    [
        ("authorization", []),
        ("content-length", [("transfer-encoding", "chunked")]),
        ("content-type", [("content-type", "application/json; charset=utf-8")]),
        ("authorization", [("authorization", "Bearer forged")]),
        ("", [("idempotency-key", "two words")]),
    ],
)
async def test_unusual_headers_are_left_to_the_route(
    traveller: Client, without: str, more: list[tuple[str, str]]
) -> None:
    """With the body that came, nothing answered."""
    body = orjson.dumps(booking("off_any"))
    headers = {name: value for name, value in ordinary(traveller, body).items() if name != without}

    assert await asked([*headers.items(), *more], body) == ([], [body])


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        orjson.dumps(booking("off_any") | {"extra": 1}),
        orjson.dumps(booking("off_any") | {"passengers": []}),
        orjson.dumps(booking("off_any") | {"payment": {"payment_method": "pm_card_visa"}}),
    ],
)
async def test_other_bodies_are_left_to_the_route(traveller: Client, body: bytes) -> None:
    """It says what is wrong with them, or takes the payment."""
    assert await asked([*ordinary(traveller, body).items()], body) == ([], [body])
