"""The levers of the card processor: what it has done, and what happens next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from sandbox.cards import payments, refunds
from sandbox.cards.books import Object
from sandbox.cards.methods import CARDS

if TYPE_CHECKING:
    from sandbox.cards.service import Cards

GUIDE = {
    "POST /v1/payment_intents": "Stripe: payments, refunds, balance, events; the key is sk_test_sandbox",
    "GET /_sandbox/cards": "what was charged and refunded, with a journal (?payment_intent=)",
    "GET /_sandbox/cards/methods": "the test payment methods",
    "GET /_sandbox/cards/deliveries": "every attempt of a webhook",
    "POST /_sandbox/cards/intents/{id}": "pass or fail 3-D Secure, or end the processing",
    "POST /_sandbox/cards/refunds/{id}": "let a refund succeed or fail",
}
SHOWN = {
    "intents": (
        *("id", "status", "amount", "amount_capturable", "amount_received", "currency", "capture_method"),
        *("latest_charge", "metadata", "created"),
    ),
    "charges": (
        *("id", "status", "amount", "amount_captured", "amount_refunded", "currency", "captured"),
        *("refunded", "payment_intent", "failure_code", "created"),
    ),
    "refunds": ("id", "status", "amount", "currency", "charge", "payment_intent", "created"),
}
FINISH = ("succeed", "fail")
Endpoint = Callable[[Request, dict[str, Any]], dict[str, Any]]


class Controls:
    def __init__(self, cards: Cards) -> None:
        self.cards = cards

    def table(self) -> list[tuple[str, str, Endpoint]]:
        return [
            ("GET", "/cards", self.read),
            ("GET", "/cards/methods", self.methods),
            ("GET", "/cards/deliveries", self.deliveries),
            ("POST", "/cards/intents/{id}", self.finish_payment),
            ("POST", "/cards/refunds/{id}", self.finish_refund),
        ]

    def read(self, request: Request, _body: dict[str, Any]) -> dict[str, Any]:
        """Amounts and states, and a line for each time that money moved or was to be moved."""
        self.cards.look()
        books, wanted = self.cards.books, request.query_params.get("payment_intent")
        shelves = {"intents": books.intents, "charges": books.charges, "refunds": books.refunds}
        shown = {
            name: [
                {field: thing[field] for field in SHOWN[name]}
                for thing in shelf.objects
                if wanted in {None, thing["id"], thing.get("payment_intent")}
            ]
            for name, shelf in shelves.items()
        }
        return {
            **shown,
            "journal": [line for line in books.journal if wanted in {None, line["payment_intent"]}],
        }

    def methods(self, _request: Request, _body: dict[str, Any]) -> dict[str, Any]:
        return {name: card.says for name, card in CARDS.items()}

    def deliveries(self, _request: Request, _body: dict[str, Any]) -> dict[str, Any]:
        return {"deliveries": self.cards.webhooks.deliveries}

    def finish_payment(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        return self._finish(request, body, "intents")

    def finish_refund(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        return self._finish(request, body, "refunds")

    def _finish(self, request: Request, body: dict[str, Any], kind: str) -> dict[str, Any]:
        if body.keys() != {"finish"} or body["finish"] not in FINISH:
            raise ValueError(f'say {{"finish": one of {list(FINISH)}}}')
        books, identity = self.cards.books, request.path_params["id"]
        self.cards.look()
        thing: Object | None = (books.intents if kind == "intents" else books.refunds).get(identity)
        if thing is None:
            raise LookupError(identity)
        finish = payments.finish if kind == "intents" else refunds.finish
        finish(self.cards.nobodys_call(), thing, well=body["finish"] == "succeed")
        self.cards.look()
        return {field: thing[field] for field in SHOWN[kind]}
