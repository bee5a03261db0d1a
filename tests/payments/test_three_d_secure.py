"""Travellers who prove who they are: passed, failed, given up, and too late."""

from typing import Any

import pytest_asyncio

from app.bookings import tasks
from tests.faults.support import moved_at_the_processor
from tests.payments.later import run, swept
from tests.payments.support import VISA, balances, held, minor
from tests.support.client import Answer, Client, Sandbox
from tests.support.fleet import Fleet, Flight

ASKS = {"payment_method": "pm_card_threeDSecure2Required"}


class Waiting:
    """A hold whose payment waits for its traveller."""

    def __init__(self, traveller: Client, sandbox: Sandbox, sql: Any, flight: Flight) -> None:
        self.traveller, self.sandbox, self.sql, self.flight = traveller, sandbox, sql, flight
        self.hold: dict[str, Any] = {}
        self.payment: dict[str, Any] = {}

    @property
    def pnr(self) -> str:
        pnr: str = self.hold["pnr"]
        return pnr

    @property
    def total(self) -> int:
        return minor(self.hold["price"]["total"])

    async def begin(self, fleet: Fleet) -> None:
        self.hold = await held(self.traveller, fleet, self.flight)
        answer = await self.traveller.post(f"/bookings/{self.pnr}/payments", ASKS)
        assert (answer.status, answer.body["status"]) == (201, "requires_action"), answer.body
        self.payment = answer.body

    async def finish(self, how: str) -> None:
        [intent] = (await self.sandbox.control("GET", "/cards"))["intents"]
        await self.sandbox.control("POST", f"/cards/intents/{intent['id']}", {"finish": how})

    async def resume(self) -> Answer:
        return await self.traveller.post(f"/bookings/{self.pnr}/payments/{self.payment['id']}/resume")

    async def read(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.traveller.get(f"/bookings/{self.pnr}")).body
        return body

    async def intents(self) -> list[str]:
        return [one["status"] for one in (await self.sandbox.control("GET", "/cards"))["intents"]]


@pytest_asyncio.fixture
async def waiting(traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any) -> Waiting:
    found = Waiting(traveller, sandbox, sql, await fleet.flight(1))
    await found.begin(fleet)
    return found


async def test_the_traveller_is_told_how_to_go_on(waiting: Waiting) -> None:
    """Only in the answer to whoever pays; the booking does not show the secret."""
    assert waiting.payment["next_action"]["client_secret"]
    [shown] = (await waiting.read())["payments"]
    assert (shown["status"], shown["next_action"]) == ("requires_action", None)


async def test_who_has_proved_it_is_booked_on_resuming(waiting: Waiting, sandbox: Sandbox, sql: Any) -> None:
    """One charge, and resuming once more changes nothing."""
    await waiting.finish("succeed")

    resumed = await waiting.resume()

    assert (resumed.status, resumed.body["status"]) == (200, "captured")
    assert (await waiting.read())["status"] == "confirmed"
    assert (await waiting.resume()).body["status"] == "captured"
    assert await moved_at_the_processor(sandbox, sql, waiting.pnr) == (("charged", waiting.total),)


async def test_who_has_proved_it_is_booked_without_resuming(waiting: Waiting, sql: Any) -> None:
    """The app was closed: the sweep finds out."""
    await waiting.finish("succeed")

    await swept(sql, waiting.pnr)

    assert (await waiting.read())["status"] == "confirmed"


async def test_until_then_resuming_changes_nothing(waiting: Waiting, sandbox: Sandbox, sql: Any) -> None:
    """And says how to go on."""
    resumed = await waiting.resume()

    assert (resumed.body["status"], resumed.body["next_action"]) == (
        "requires_action",
        waiting.payment["next_action"],
    )
    assert await moved_at_the_processor(sandbox, sql, waiting.pnr) == ()


async def test_who_has_failed_may_try_another_card(waiting: Waiting, sandbox: Sandbox, sql: Any) -> None:
    """402, the hold stays, and the next card pays."""
    await waiting.finish("fail")

    refused = await waiting.resume()

    assert (refused.status, refused.code) == (402, "payment_declined")
    assert (await waiting.read())["status"] == "held"
    assert (await waiting.traveller.post(f"/bookings/{waiting.pnr}/payments", VISA)).status == 201
    await swept(sql, waiting.pnr)
    assert await moved_at_the_processor(sandbox, sql, waiting.pnr) == (("charged", waiting.total),)
    assert sorted(await waiting.intents()) == ["canceled", "succeeded"]


async def test_another_card_takes_its_place(waiting: Waiting, sandbox: Sandbox, sql: Any) -> None:
    """Proved too late, the first one charges nobody: it was cancelled at the processor."""
    paid = await waiting.traveller.post(f"/bookings/{waiting.pnr}/payments", VISA)
    assert paid.status == 201, paid.body
    first = next(
        one["id"]
        for one in (await sandbox.control("GET", "/cards"))["intents"]
        if one["status"] == "requires_action"
    )
    await sandbox.control("POST", f"/cards/intents/{first}", {"finish": "succeed"})

    await swept(sql, waiting.pnr)

    assert sorted(await waiting.intents()) == ["canceled", "succeeded"]
    assert await moved_at_the_processor(sandbox, sql, waiting.pnr) == (("charged", waiting.total),)
    assert [one["status"] for one in (await waiting.read())["payments"]] == ["cancelled", "captured"]
    assert (await waiting.resume()).status == 402


async def test_it_is_waited_for_an_hour(waiting: Waiting, sql: Any) -> None:
    """Then it is given up, also at the processor; the hold, if it lasts, can be paid for otherwise."""
    await sql(
        "UPDATE payments SET created_at = created_at - interval '59 min' WHERE status = 'requires_action'"
    )
    await swept(sql, waiting.pnr, times=1)
    assert await waiting.intents() == ["requires_action"]

    await sql(
        "UPDATE payments SET created_at = created_at - interval '2 min' WHERE status = 'requires_action'"
    )
    await swept(sql, waiting.pnr)

    read = await waiting.read()
    assert (read["status"], read["payments"][0]["status"]) == ("held", "cancelled")
    assert read["payments"][0]["failure"] == "given_up"
    assert await waiting.intents() == ["canceled"]


async def test_it_is_not_waited_for_beyond_the_hold(waiting: Waiting, fleet: Fleet, sql: Any) -> None:
    """Nobody has proved anything and the seats are gone: the payment is given up with them."""
    await fleet.run_out(waiting.pnr)
    await run(tasks.expire_due_holds)

    await swept(sql, waiting.pnr)

    assert (await waiting.read())["status"] == "expired"
    assert await waiting.intents() == ["canceled"]
    refused = await waiting.resume()
    assert (refused.status, refused.body["decline_code"]) == (402, "given_up")


async def test_proved_after_the_hold_it_is_booked_while_the_seat_is_free(
    waiting: Waiting, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The seat is taken again, at the price that was agreed."""
    await fleet.run_out(waiting.pnr)
    await run(tasks.expire_due_holds)
    assert (await waiting.read())["status"] == "expired"
    await waiting.finish("succeed")

    await swept(sql, waiting.pnr)

    read = await waiting.read()
    assert (read["status"], read["price"]) == ("confirmed", waiting.hold["price"])
    counts = await fleet.counts(waiting.flight)
    assert (counts["held"], counts["sold"], counts["claimed"]) == (0, 1, 1)
    assert await moved_at_the_processor(sandbox, sql, waiting.pnr) == (("charged", waiting.total),)
    assert await _told(sql, waiting.pnr) == [
        "booking.held",
        "booking.expired",
        "booking.held",
        "payment.succeeded",
        "booking.confirmed",
    ]


async def test_proved_after_the_seat_was_sold_it_takes_nothing(
    waiting: Waiting, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """What was reserved on the card is let go by itself, and the traveller is told so."""
    await fleet.run_out(waiting.pnr)
    await held(await api.signed_up(), fleet, waiting.flight)
    await waiting.finish("succeed")

    refused = await waiting.resume()

    assert (refused.status, refused.code) == (409, "hold_expired")
    await swept(sql, waiting.pnr)
    assert await waiting.intents() == ["canceled"]
    assert await moved_at_the_processor(sandbox, sql, waiting.pnr) == ()
    assert await balances(sql, waiting.pnr) == {}
    assert (await fleet.counts(waiting.flight))["held"] == 1
    assert "payment.failed" in await _told(sql, waiting.pnr)


async def test_captured_after_the_seat_was_sold_it_goes_back(
    waiting: Waiting, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Somebody took the money at the processor meanwhile: all of it is refunded by itself, with events."""
    await fleet.run_out(waiting.pnr)
    await held(await api.signed_up(), fleet, waiting.flight)
    await waiting.finish("succeed")
    [intent] = (await sandbox.control("GET", "/cards"))["intents"]
    await captured_by_hand(sandbox, intent["id"])

    await swept(sql, waiting.pnr)

    moved = (("charged", waiting.total), ("refunded", waiting.total))
    assert await moved_at_the_processor(sandbox, sql, waiting.pnr) == moved
    read = await waiting.read()
    assert (read["status"], [one["status"] for one in read["refunds"]]) == ("expired", ["succeeded"])
    assert read["refunds"][0]["reason"] == "late_payment"
    told = await _told(sql, waiting.pnr)
    assert [type_ for type_ in told if type_.startswith("payment.")] == ["payment.failed", "payment.refunded"]
    left = await balances(sql, waiting.pnr)
    assert sum(left.values()) == 0
    assert left.keys() <= {"processor", "processor_fees"}


async def captured_by_hand(sandbox: Sandbox, intent: str) -> None:
    """As an operator does in the processor's dashboard."""
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    async with sandbox.session.post(
        f"{sandbox.base}/v1/payment_intents/{intent}/capture", headers=headers
    ) as answer:
        assert answer.status == 200, await answer.text()


async def _told(sql: Any, pnr: str) -> list[str]:
    rows = await sql("SELECT type FROM outbox WHERE subject = :pnr ORDER BY sequence", pnr=pnr)
    return [row["type"] for row in rows]
