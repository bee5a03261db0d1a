"""An operator cancels in a traveller's place: by the traveller's own rules, once, and on record."""

from typing import Any

import pytest
import pytest_asyncio

from app.core.config import settings
from tests.bookings.paid import bought, events, held, quoted, read, settled
from tests.payments.support import at_the_processor, minor
from tests.support.client import Answer, Client, Sandbox
from tests.support.fleet import Fleet


@pytest_asyncio.fixture
async def admin(api: Client, sql: Any) -> Client:
    client = await api.signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=client.user["id"])
    return client


async def cancel(admin: Client, pnr: str, why: str = "asked_for", **headers: str) -> Answer:
    return await admin.post(f"/admin/bookings/{pnr}/cancel", {"why": why}, headers)


async def test_the_traveller_gets_what_their_own_cancellation_would_have_given(
    admin: Client, traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """To the cent, at the processor as well; the seats are free, and the booking tells of it as of any other."""
    flight = await fleet.flight()
    booking = await bought(traveller, fleet, sql, flight, brand="Light")
    own = await quoted(traveller, booking["pnr"])

    answer = await cancel(admin, booking["pnr"].lower(), "error")
    await settled()

    assert (answer.status, answer.body["status"], answer.body["why"]) == (200, "cancelled", "error"), (
        answer.body
    )
    for name in ("refund", "penalty", "reason", "lines"):
        assert answer.body[name] == own[name]
    assert 0 < minor(own["refund"]) < minor(booking["price"]["total"])
    assert (await read(traveller, booking["pnr"]))["status"] == "cancelled"
    assert await at_the_processor(sandbox, sql, booking["pnr"]) == [
        ("charged", minor(booking["price"]["total"])),
        ("refunded", minor(own["refund"])),
    ]
    assert (await fleet.counts(flight))["sold"] == 0
    assert "booking.cancelled" in [event["type"] for event in await events(sql, booking["pnr"])]


async def test_who_did_it_and_why_is_on_record(
    admin: Client, traveller: Client, fleet: Fleet, sql: Any
) -> None:
    """Both the order and what it did are the administrator's, and neither is the traveller's."""
    pnr = (await held(traveller, fleet))["pnr"]
    assert (await cancel(admin, pnr, "fraud")).status == 200

    found = (await admin.get("/admin/audit", subject=f"booking:{pnr}")).body["data"]

    by_operator = {one["action"]: one for one in found if one["actor"]["kind"] == "admin"}
    assert by_operator.keys() == {"booking.cancelled_for_traveller", "booking.cancelled"}
    assert {one["actor"]["id"] for one in by_operator.values()} == {admin.user["id"]}
    assert by_operator["booking.cancelled_for_traveller"]["data"]["why"] == "fraud"


async def test_it_happens_once(admin: Client, traveller: Client, fleet: Fleet, sql: Any) -> None:
    """Under its key the first answer comes again; without one there is nothing left to cancel."""
    pnr = (await bought(traveller, fleet, sql))["pnr"]
    first = await cancel(admin, pnr, **{"Idempotency-Key": f"once-{pnr}"})
    again = await cancel(admin, pnr, **{"Idempotency-Key": f"once-{pnr}"})
    another = await cancel(admin, pnr)

    assert (first.status, again.status, again.raw) == (200, 200, first.raw)
    assert (another.status, another.code) == (409, "booking_closed")
    refunds = await sql(
        "SELECT r.id FROM refunds r JOIN bookings b ON b.id = r.booking_id WHERE b.pnr = :pnr", pnr=pnr
    )
    assert len(refunds) == 1


async def test_what_cannot_be_done_is_refused(
    admin: Client, traveller: Client, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's booking, no reason of ours, nobody who may, and no second factor where one is required."""
    pnr = (await held(traveller, fleet))["pnr"]

    assert (await cancel(admin, "BBBBBB")).code == "booking_not_found"
    assert (await cancel(admin, pnr, "because Ada Lovelace telephoned")).status == 422
    assert (await cancel(traveller, pnr)).code == "admins_only"
    monkeypatch.setattr(settings(), "app_env", "production")
    assert (await cancel(admin, pnr)).code == "second_factor_required"
    monkeypatch.undo()

    assert (await read(traveller, pnr))["status"] == "held"
