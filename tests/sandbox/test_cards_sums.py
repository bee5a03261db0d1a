"""Money is neither made nor lost, whatever is asked for in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox.cards import payments, refunds
from sandbox.cards.books import Books, Call
from sandbox.cards.charges import fee
from sandbox.cards.refusals import Refusal
from sandbox.cards.settings import Settings

MOMENT = 1_800_000_000.0
METHODS = st.sampled_from(
    [
        "pm_card_visa",
        "pm_card_pendingRefund",
        "pm_card_refundFail",
        "pm_card_chargeDeclined",
        "pm_card_threeDSecure2Required",
        "pm_sandbox_processing",
        "pm_sandbox_captureFails",
    ]
)
ASKED = st.tuples(
    st.sampled_from(["capture", "cancel", "refund", "refund", "finish", "wait"]), st.integers(1, 1200)
)


def ask(books: Books, at: float, what: str, amount: int) -> None:
    """One thing that somebody asks of the first payment; a refusal is an answer."""
    intent = books.intents.objects[0]
    call = Call(books, at)
    try:
        if what == "capture":
            call.form = {"amount_to_capture": str(amount)}
            payments.capture(call, intent["id"])
        elif what == "cancel":
            payments.cancel(call, intent["id"])
        elif what == "refund":
            call.form = {"payment_intent": intent["id"], "amount": str(amount)}
            refunds.create(call)
        elif what == "finish":
            payments.finish(call, intent, well=amount > 300)
    except (Refusal, ValueError):
        pass


@given(METHODS, st.sampled_from(["automatic", "manual"]), st.lists(ASKED, max_size=12))
def test_the_books_balance(method: str, capture: str, asked: list[tuple[str, int]]) -> None:
    """No more goes back than came in, and the balance is what came in less fees and what went back."""
    told: list[dict[str, Any]] = []
    books = Books(Settings(), told.append)
    wish = {"amount": "1000", "currency": "usd", "capture_method": capture, "confirm": "true"}
    try:
        payments.create(
            Call(books, MOMENT, {**wish, "payment_method": method, "return_url": "https://shop.example"})
        )
    except Refusal:
        assert method == "pm_card_chargeDeclined"
    for turn, (what, amount) in enumerate(asked):
        at = MOMENT + turn + (10 * amount if what == "wait" else 0)
        books.catch_up(at)
        ask(books, at, what, amount)
    taken = sum(charge["amount_captured"] for charge in books.charges.objects)
    back = sum(refund["amount"] for refund in books.refunds.objects if refund["status"] != "failed")
    lines = [line for line in books.journal if line["what"] == "charged"]
    assert back <= taken <= 1000
    assert [line["amount"] for line in lines] == ([taken] if taken else [])
    assert books.intents.objects[0]["amount_received"] == taken
    charged_fee = fee(taken) if taken else 0
    assert sum(entry["net"] for entry in books.transactions.objects) == taken - charged_fee - back
    assert [event["id"] for event in told] == [event["id"] for event in books.events.objects]
