"""What the processor knows: payments, charges, refunds, the balance, and what it has told and when."""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import orjson

from sandbox.cards.forms import Form
from sandbox.cards.refusals import invalid, missing
from sandbox.cards.settings import Settings

Object: TypeAlias = dict[str, Any]  # as the vendor shows it

API_VERSION = "2026-10-28.endive"
MOST_EVENTS = 20_000
EXPANDABLE = {
    *("data", "latest_charge", "payment_method", "payment_intent", "charge", "source"),
    *("balance_transaction", "failure_balance_transaction"),
}


class Shelf:
    """Objects of one kind in the order in which they were made; events are forgotten when there are too many."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.objects: list[Object] = []
        self._places: dict[str, int] = {}

    def add(self, thing: Object) -> None:
        if self.most is not None and len(self.objects) >= 2 * self.most:
            kept = self.objects[-self.most :]
            self.objects, self._places = kept, {old["id"]: place for place, old in enumerate(kept)}
        self._places[thing["id"]] = len(self.objects)
        self.objects.append(thing)

    def get(self, identity: str) -> Object | None:
        place = self._places.get(identity)
        return None if place is None else self.objects[place]

    def newest(self, after: str | None = None) -> Iterator[Object]:
        """The newest first, beginning behind one of them."""
        last = len(self.objects) if after is None else self._places[after]
        return (self.objects[place] for place in range(last - 1, -1, -1))

    def newer(self, than: str) -> Iterator[Object]:
        """Those that were made after one of them, the oldest first."""
        first = self._places[than] + 1
        return (self.objects[place] for place in range(first, len(self.objects)))

    def __contains__(self, identity: object) -> bool:
        return identity in self._places


class Books:
    """Everything of one processor. Nothing is written to disk."""

    def __init__(self, settings: Settings, tell: Callable[[Object], None]) -> None:
        self.settings, self._tell = settings, tell
        self.intents, self.charges, self.refunds = Shelf(), Shelf(), Shelf()
        self.transactions, self.methods, self.events = Shelf(), Shelf(), Shelf(MOST_EVENTS)
        self.journal: list[Object] = []
        self._agenda: list[tuple[float, int, Callable[[Call], None]]] = []
        self._turns = count()

    def name(self, prefix: str) -> str:
        return prefix + secrets.token_hex(12)

    def find(self, identity: str) -> Object | None:
        """The object of any kind with this id."""
        shelf = {
            "pi": self.intents,
            "ch": self.charges,
            "re": self.refunds,
            "txn": self.transactions,
            "pm": self.methods,
        }.get(identity.partition("_")[0])
        return shelf.get(identity) if shelf else None

    def emit(self, kind: str, about: Object, call: Call) -> None:
        """Tells of an object as it is at this moment."""
        event = {
            "id": self.name("evt_3"),
            "object": "event",
            "api_version": API_VERSION,
            "created": call.now,
            "data": {"object": orjson.Fragment(orjson.dumps(about))},
            "livemode": False,
            "pending_webhooks": len(self.settings.webhook_urls),
            "request": {"id": call.request, "idempotency_key": call.key},
            "type": kind,
        }
        self.events.add(event)
        self._tell(event)

    def plan(self, due: float, work: Callable[[Call], None]) -> None:
        heapq.heappush(self._agenda, (due, next(self._turns), work))

    def catch_up(self, now: float) -> float | None:
        """Does what has come due, as of the moment when it did; gives the seconds until there is more to do."""
        while self._agenda and self._agenda[0][0] <= now:
            due, _, work = heapq.heappop(self._agenda)
            work(Call(self, due))
        return self._agenda[0][0] - now if self._agenda else None


@dataclass(slots=True)
class Call:
    """One request, or nobody's when the clock has brought something about."""

    books: Books
    at: float
    form: Form = field(default_factory=dict)
    request: str | None = None
    key: str | None = None
    base: str = ""
    answer: str | None = None  # how the answer comes when the card has manners of its own

    @property
    def now(self) -> int:
        return int(self.at)

    def emit(self, kind: str, about: Object) -> None:
        self.books.emit(kind, about, self)

    def later(self, seconds: float, work: Callable[[Call], None]) -> None:
        self.books.plan(self.at + seconds, work)

    def note(self, what: str, intent: Object, amount: int, identity: str | None) -> None:
        """A line about money; lines are never changed, and hold no secret."""
        self.books.journal.append(
            {
                "at": self.now,
                "what": what,
                "payment_intent": intent["id"],
                "id": identity,
                "amount": amount,
                "currency": intent["currency"],
                "metadata": intent["metadata"],
                "idempotency_key": self.key,
                "request": self.request,
            }
        )

    def intent(self, identity: str, param: str = "intent") -> Object:
        found = self.books.intents.get(identity)
        if found is None:
            raise missing("payment_intent", param, identity)
        return found


def transaction(call: Call, kind: str, amount: int, fee: int, source: Object) -> str:
    """Enters an amount in the balance; gives the entry's id."""
    fees = {"amount": fee, "application": None, "currency": source["currency"], "type": "stripe_fee"}
    entry = {
        "id": call.books.name("txn_3"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": call.now + 2 * 86_400,
        "balance_type": "payments",
        "created": call.now,
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [{**fees, "description": "Processing fees"}] if fee else [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    call.books.transactions.add(entry)
    identity: str = entry["id"]
    return identity


def expanded(books: Books, value: Any, names: list[str]) -> Any:
    """The value with the object itself where the id of one stood."""
    if not names or value is None:
        return value
    if isinstance(value, list):
        return [expanded(books, member, names) for member in value]
    first, *rest = names
    if first not in EXPANDABLE or not isinstance(value, dict) or first not in value:
        raise invalid("expand", "parameter_invalid_string", f"{first} cannot be expanded.")
    inner = value[first]
    if isinstance(inner, str):
        inner = books.find(inner)
    return {**value, first: expanded(books, inner, rest)}
