"""The price may stand for less time than the seats: `PRICE_GUARANTEE_MINUTES`."""

from typing import Any

import pytest

from app.core.config import settings
from app.fares import service as fares
from tests.bookings.test_refusals import dearer
from tests.faults.support import moved_at_the_processor
from tests.payments.support import VISA, balances, held, minor
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet


async def guarantee_is_over(sql: Any, pnr: str) -> None:
    await sql("UPDATE bookings SET price_stands_until = now() - interval '1 s' WHERE pnr = :pnr", pnr=pnr)


async def test_it_is_shown_and_shorter_than_the_hold(
    traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two clocks."""
    monkeypatch.setattr(settings(), "price_guarantee_minutes", 5)

    hold = await held(traveller, fleet)

    assert hold["price_guaranteed_until"] < hold["hold_expires_at"]


async def test_a_price_that_rose_is_told_once_and_then_paid(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """409 with both totals and nothing charged; whoever pays again pays the new one, to the cent."""
    hold = await held(traveller, fleet)
    path = f"/bookings/{hold['pnr']}/payments"
    await guarantee_is_over(sql, hold["pnr"])
    raised = dearer(120)
    monkeypatch.setattr(fares, "book", lambda: raised)

    refused = await traveller.post(path, VISA, {"Idempotency-Key": f"dearer-{hold['pnr']}"})

    assert (refused.status, refused.code) == (409, "price_changed")
    assert refused.body["old_total"] == hold["price"]["total"]
    assert minor(refused.body["new_total"]) > minor(hold["price"]["total"])
    assert await moved_at_the_processor(sandbox, sql, hold["pnr"]) == ()
    read = (await traveller.get(f"/bookings/{hold['pnr']}")).body
    assert (read["status"], read["price"]["total"]) == ("held", refused.body["new_total"])
    paid = await traveller.post(path, VISA, {"Idempotency-Key": f"dearer-{hold['pnr']}"})
    assert (paid.status, paid.body["amount"]) == (201, refused.body["new_total"])
    assert "unapplied" not in await balances(sql, hold["pnr"])


@pytest.mark.parametrize("percent", [80, 100])
async def test_a_price_that_did_not_rise_stays(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch, percent: int
) -> None:
    """What was agreed is paid."""
    hold = await held(traveller, fleet)
    await guarantee_is_over(sql, hold["pnr"])
    now = dearer(percent)
    monkeypatch.setattr(fares, "book", lambda: now)

    paid = await traveller.post(f"/bookings/{hold['pnr']}/payments", VISA)

    assert (paid.status, paid.body["amount"]) == (201, hold["price"]["total"])


async def test_a_price_does_not_move_under_a_payment_that_nobody_knows_about(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun in time, it is finished at the price it was begun at, whoever repeats it."""
    hold = await held(traveller, fleet)
    path, key = f"/bookings/{hold['pnr']}/payments", {"Idempotency-Key": f"unknown-{hold['pnr']}"}
    await sandbox.fault("reset", "/v1/payment_intents", times=1)
    assert (await traveller.post(path, VISA, key)).status == 202
    await guarantee_is_over(sql, hold["pnr"])
    raised = dearer(120)
    monkeypatch.setattr(fares, "book", lambda: raised)

    paid = await traveller.post(path, VISA, key)

    assert (paid.status, paid.body["amount"]) == (201, hold["price"]["total"])
    assert "unapplied" not in await balances(sql, hold["pnr"])


async def test_a_rise_lets_go_of_a_payment_that_waits_for_its_traveller(
    traveller: Client, fleet: Fleet, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked of them then is another amount."""
    hold = await held(traveller, fleet)
    path = f"/bookings/{hold['pnr']}/payments"
    await traveller.post(path, {"payment_method": "pm_card_threeDSecure2Required"})
    await guarantee_is_over(sql, hold["pnr"])
    raised = dearer(120)
    monkeypatch.setattr(fares, "book", lambda: raised)

    assert (await traveller.post(path, VISA)).code == "price_changed"

    read = (await traveller.get(f"/bookings/{hold['pnr']}")).body
    assert [one["status"] for one in read["payments"]] == ["cancelled"]


async def test_a_hold_is_prolonged_once_and_its_price_with_it(
    traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """A payment begun at the last moment has its time; one more does not hold the seats for ever."""
    hold = await held(traveller, fleet)
    soon = """
        UPDATE bookings SET hold_expires_at = now() + interval '1 min', price_stands_until = now() + interval '1 min'
        WHERE pnr = :pnr
    """
    await sql(soon, pnr=hold["pnr"])
    path, declined = f"/bookings/{hold['pnr']}/payments", {"payment_method": "pm_card_chargeDeclined"}

    await traveller.post(path, declined)
    first = (await traveller.get(f"/bookings/{hold['pnr']}")).body
    await sql(soon, pnr=hold["pnr"])
    second_before = (await traveller.get(f"/bookings/{hold['pnr']}")).body["hold_expires_at"]
    await traveller.post(path, declined)
    second = (await traveller.get(f"/bookings/{hold['pnr']}")).body["hold_expires_at"]

    assert first["hold_expires_at"] > second_before
    assert first["price_guaranteed_until"] == first["hold_expires_at"]
    assert second == second_before
