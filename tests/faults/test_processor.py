"""The card processor fails at each of its calls, in each of its ways."""

import os
from typing import Any

import pytest

from tests.faults import support
from tests.faults.conftest import Api
from tests.faults.support import Flow, Request, moved_at_the_processor, require_whole
from tests.faults.test_commits import repeated
from tests.payments.later import swept
from tests.payments.support import bought
from tests.support.client import Client, Sandbox
from tests.support.fleet import Fleet

EVERY = bool(os.environ.get("EVERY_FAULT"))
NOT_ARRIVED = ("card_reset_before", "card_silence_before", "card_500", "card_429")
DONE = ("reset", "truncated", "garbage", "html_502", "card_silence_after", "card_500_after")
KEPT = ("card_500_kept",)
FAULTS = (*NOT_ARRIVED, *DONE, *KEPT)
FEW = ("card_reset_before", "truncated", "garbage", "card_silence_after", "card_500_after", "card_500_kept")
CALLS = {"authorise": "/v1/payment_intents", "capture": "/v1/payment_intents/*"}


@pytest.mark.parametrize("flow", [support.pay, support.hold_and_pay, support.change, support.extras])
@pytest.mark.parametrize("call", CALLS)
async def test_an_unknown_payment_is_answered_202_and_found_out_about(
    cut_api: Api, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, flow: Flow, call: str
) -> None:
    """One charge, however the answer was lost; the same key then brings the answer of a payment that went well."""
    for fault in FAULTS if EVERY else FEW if flow is support.pay else FEW[-1:]:
        traveller = await api.signed_up()
        request = await flow(traveller, fleet)
        await sandbox.fault(fault, CALLS[call], times=1)

        first = await repeated(cut_api, traveller, request, fault)

        assert first.status == 202, (fault, first.body)
        pnr = request.pnr or first.body["pnr"]
        assert first.headers["Location"] == f"/bookings/{pnr}"
        assert len(await moved_at_the_processor(sandbox, sql, pnr)) <= len(request.moved)
        await swept(sql, pnr)
        again = await repeated(cut_api, traveller, request, fault)
        assert again.status == request.status, (fault, again.body)
        await require_whole(sandbox, sql, pnr, request)


@pytest.mark.parametrize("call", CALLS)
async def test_whoever_repeats_an_unknown_payment_finds_out_at_once(
    cut_api: Api, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, call: str
) -> None:
    """Without any sweep: the client's own repetition goes on from where it stopped."""
    for fault in FAULTS if EVERY else ("reset", "card_500_after", "card_500_kept"):
        traveller = await api.signed_up()
        request = await support.pay(traveller, fleet)
        await sandbox.fault(fault, CALLS[call], times=1)
        assert (await repeated(cut_api, traveller, request, fault)).status == 202

        again = await repeated(cut_api, traveller, request, fault)

        assert (again.status, again.body["status"]) == (201, "captured"), fault
        await require_whole(sandbox, sql, request.pnr or "", request)


async def test_a_decline_whose_answer_was_lost_is_a_decline(
    cut_api: Api, api: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """Found out by the sweep, told under the same key, and the hold can be paid with another card."""
    for fault in DONE if EVERY else ("truncated", "card_500_after"):
        traveller = await api.signed_up()
        paid = await support.pay(traveller, fleet)
        declined = Request(paid.path, {"payment_method": "pm_card_chargeDeclined"}, 402, "held", (), paid.pnr)
        pnr = paid.pnr or ""
        await sandbox.fault(fault, CALLS["authorise"], times=1)
        assert (await repeated(cut_api, traveller, declined, fault)).status == 202

        await swept(sql, pnr)

        again = await repeated(cut_api, traveller, declined, fault)
        assert (again.status, again.body["decline_code"]) == (402, "generic_decline")
        await require_whole(sandbox, sql, pnr, declined)
        assert (await repeated(cut_api, traveller, paid, fault + "-2")).status == 201
        await require_whole(sandbox, sql, pnr, paid)


@pytest.mark.parametrize("fault", FAULTS if EVERY else FEW)
async def test_a_refund_whose_answer_was_lost_is_made_once(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, fault: str, impatient: None
) -> None:
    """The cancellation stands at once; the money goes back by itself."""
    request = await support.cancel(traveller, fleet)
    await sandbox.fault(fault, "/v1/refunds", times=1)

    answer = await traveller.post(request.path, None)

    assert (answer.status, answer.body["status"]) == (200, "cancelled")
    await swept(sql, request.pnr or "")
    await require_whole(sandbox, sql, request.pnr or "", request)


@pytest.mark.parametrize("fault", FAULTS if EVERY else ("reset", "card_500_kept"))
async def test_a_reservation_is_let_go_however_the_answer_is_lost(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, fault: str, impatient: None
) -> None:
    """Another card takes the place of one whose traveller did not prove who they are."""
    request = await support.pay(traveller, fleet)
    waiting = await traveller.post(request.path, {"payment_method": "pm_card_threeDSecure2Required"})
    assert waiting.body["status"] == "requires_action", waiting.body
    assert (await traveller.post(request.path, request.body)).status == 201
    await sandbox.fault(fault, "/v1/payment_intents/*", times=1)

    await swept(sql, request.pnr or "")

    await require_whole(sandbox, sql, request.pnr or "", request)
    intents = (await sandbox.control("GET", "/cards"))["intents"]
    assert sorted(one["status"] for one in intents) == ["canceled", "succeeded"]


async def test_a_processor_that_is_down_for_long_is_asked_until_it_is_back(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """The hold is kept meanwhile though its time is over, and nobody else pays or gets the seat."""
    request = await support.pay(traveller, fleet)
    pnr = request.pnr or ""
    await sandbox.fault("card_500", "/v1/payment_intents*")
    assert (await traveller.post(request.path, request.body)).status == 202
    await fleet.run_out(pnr)
    await swept(sql, pnr, times=3)
    read = (await traveller.get(f"/bookings/{pnr}")).body
    assert (read["status"], read["payments"][0]["status"]) == ("held", "processing")

    await sandbox.control("DELETE", "/faults")
    await swept(sql, pnr)

    await require_whole(sandbox, sql, pnr, request)


async def test_a_wrong_key_of_ours_fails_no_payment(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is put right some day; until then nobody is told that their card was declined, and no refund is given up."""
    from app.core.config import settings

    request, cancelled = await support.pay(traveller, fleet), await bought(traveller, fleet)
    quote = (await traveller.post(f"/bookings/{cancelled['pnr']}/cancellations")).body
    await traveller.post(f"/bookings/{cancelled['pnr']}/cancellations/{quote['id']}/confirm")
    with monkeypatch.context() as wrong:
        wrong.setattr(settings(), "stripe_secret_key", "sk_test_another")
        assert (await traveller.post(request.path, request.body)).status == 202
        await swept(sql, request.pnr or "", cancelled["pnr"], times=2)

    await swept(sql, request.pnr or "", cancelled["pnr"])

    await require_whole(sandbox, sql, request.pnr or "", request)
    refunds = (await traveller.get(f"/bookings/{cancelled['pnr']}")).body["refunds"]
    assert [refund["status"] for refund in refunds] == ["succeeded"]


async def test_a_name_that_the_processor_has_forgotten_charges_nobody_twice(
    traveller: Client, fleet: Fleet, sandbox: Sandbox, sql: Any
) -> None:
    """After a day the payment is looked for before it is asked for again."""
    request = await support.pay(traveller, fleet)
    pnr = request.pnr or ""
    await sandbox.fault("reset", "/v1/payment_intents", times=1)
    assert (await traveller.post(request.path, request.body)).status == 202
    await sql("UPDATE payments SET created_at = created_at - interval '25 hours' WHERE status = 'processing'")
    await sandbox.control("POST", "/clock", {"advance_seconds": 25 * 3600})

    await swept(sql, pnr)

    await require_whole(sandbox, sql, pnr, request)
    assert len((await sandbox.control("GET", "/cards"))["intents"]) == 1
