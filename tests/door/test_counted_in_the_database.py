"""Limits that must hold whatever becomes of Redis: holds for nothing, and card after card."""

import asyncio
from typing import Any

import pytest

from app.core import redis
from app.core.config import settings
from tests.support.client import Client, booking
from tests.support.fleet import Fleet


@pytest.fixture(autouse=True)
def without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "_resting_until", float("inf"))


async def hold(traveller: Client, fleet: Fleet) -> Any:
    offer = await fleet.offer(traveller, await fleet.flight())
    return await traveller.book(offer["id"])


async def pay(traveller: Client, pnr: str, method: str) -> Any:
    return await traveller.post(f"/bookings/{pnr}/payments", {"payment_method": method})


async def test_an_account_holds_so_many_unpaid_bookings(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly, however many are asked for at once; what is paid or has run out counts no more."""
    monkeypatch.setattr(settings(), "live_holds_per_user", 2)
    offers = [await fleet.offer(traveller, await fleet.flight()) for _ in range(6)]
    answers = await asyncio.gather(*(traveller.book(offer["id"]) for offer in offers))

    held = [answer for answer in answers if answer.status == 201]
    refused = [answer for answer in answers if answer.status != 201]
    assert len(held) == 2
    assert {(one.status, one.code) for one in refused} == {(429, "too_many_holds")}
    assert refused[0].body["violated-policies"] == ["holds"]
    assert 0 < int(refused[0].headers["Retry-After"]) <= 60 * settings().hold_minutes + 1
    assert (await pay(traveller, held[0].body["pnr"], "pm_card_visa")).status == 201
    assert (await hold(traveller, fleet)).status == 201
    assert (await hold(traveller, fleet)).code == "too_many_holds"


async def test_a_hold_that_has_run_out_counts_no_more(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although nobody has swept it away yet; another account's never counted."""
    monkeypatch.setattr(settings(), "live_holds_per_user", 1)
    first = await hold(traveller, fleet)
    assert (await hold(traveller, fleet)).code == "too_many_holds"

    await sql("UPDATE bookings SET hold_expires_at = now() WHERE pnr = :pnr", pnr=first.body["pnr"])

    assert (await hold(traveller, fleet)).status == 201


async def test_who_tries_card_after_card_is_stopped_over_all_bookings(
    traveller: Client, api: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Good payments do not count, another account's neither, and an hour later none of them."""
    monkeypatch.setattr(settings(), "failed_payments_per_hour", 3)
    pnrs = [(await hold(traveller, fleet)).body["pnr"] for _ in range(4)]
    good = await pay(traveller, pnrs[0], "pm_card_visa")
    declined = [await pay(traveller, pnr, "pm_card_chargeDeclined") for pnr in (pnrs[1], pnrs[1], pnrs[2])]
    stopped = await pay(traveller, pnrs[3], "pm_card_visa")
    other = await api.signed_up()

    assert (good.status, [answer.status for answer in declined]) == (201, [402] * 3)
    assert (stopped.status, stopped.code) == (429, "too_many_failed_payments")
    assert 3500 < int(stopped.headers["Retry-After"]) <= 3600
    assert (await pay(other, (await hold(other, fleet)).body["pnr"], "pm_card_visa")).status == 201
    await sql(
        "UPDATE payments SET created_at = created_at - interval '1 hour' WHERE booking_id IN"
        " (SELECT id FROM bookings WHERE pnr = ANY(CAST(:pnrs AS text[])))",
        pnrs=pnrs,
    )
    assert (await pay(traveller, pnrs[3], "pm_card_visa")).status == 201


async def test_cards_that_are_tried_at_once_are_counted_one_by_one(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of which nobody knows yet count as well."""
    monkeypatch.setattr(settings(), "failed_payments_per_hour", 3)
    pnrs = [(await hold(traveller, fleet)).body["pnr"] for _ in range(8)]

    answers = await asyncio.gather(*(pay(traveller, pnr, "pm_card_chargeDeclined") for pnr in pnrs))

    assert sorted(answer.status for answer in answers) == [402] * 3 + [429] * 5


async def test_booking_and_paying_in_one_counts_too(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And holds nothing where it is refused."""
    monkeypatch.setattr(settings(), "failed_payments_per_hour", 1)
    codes = []
    for _ in range(2):
        offer = await fleet.offer(traveller, await fleet.flight())
        body = booking(offer["id"]) | {"payment": {"payment_method": "pm_card_chargeDeclined"}}
        codes.append((await traveller.post("/bookings", body)).code)

    assert codes == ["payment_declined", "too_many_failed_payments"]
    assert len((await traveller.get("/bookings")).body["data"]) == 1
