"""Travellers, airlines, processors and sweepers who do what comes to their minds, some of them at the same time."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from inspect import unwrap
from random import Random
from typing import Any

from app.bookings import tasks
from tests.bookings.changed import Booked
from tests.invariants import broken, journal_of
from tests.support.client import Answer, Client, Sandbox, adult, booking, in_days
from tests.support.fleet import Fleet, Flight

# Markets that no other test flies, each on many days, so that histories do not see each other's flights.
_MARKETS = itertools.cycle([("EVE", "TRD"), ("BOO", "AES"), ("KKN", "HAU"), ("ALF", "KRS"), ("MOL", "BDU")])
_DAYS = itertools.cycle(range(60, 320, 2))
_people = itertools.count(500_000)

_METHODS = (
    *("pm_card_visa", "pm_card_visa", "pm_card_mastercard"),
    *("pm_card_threeDSecure2Required", "pm_card_threeDSecureRequiredChargeDeclined"),
    *("pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds", "pm_sandbox_captureFails"),
    *("pm_card_pendingRefund", "pm_sandbox_processing"),
)
_PARTIES: tuple[dict[str, int], ...] = (
    {"adults": 1},
    {"adults": 2},
    {"adults": 1, "children": 1},
    {"adults": 1, "infants": 1},
    {"adults": 2, "infants": 1},
)
_FAULTS = ("reset", "html_502", "card_500", "card_reset_before", "truncated")
# What may be said at a bad moment; every other refusal of something that was offered would be wrong, but is no harm.
_REFUSALS = {400, 402, 403, 404, 409, 410, 422}


@dataclass
class World:
    """One history: a trip there and back with another flight beside it, few seats, and three accounts."""

    travellers: list[Client]
    fleet: Fleet
    sandbox: Sandbox
    sql: Any
    flights: list[Flight] = field(default_factory=list)
    mine: list[tuple[Client, str]] = field(default_factory=list)
    quotes: list[tuple[Client, str, str, str]] = field(default_factory=list)
    said: Counter[str] = field(default_factory=Counter)

    async def open(self) -> "World":
        await self.sandbox.control("POST", "/reset")
        hooks = [f"{self.travellers[0].base}/payments/stripe/events"]
        quick = {"processing_seconds": 0.05, "refund_seconds": 0.05}
        await self.sandbox.control("POST", "/settings", {"cards": {"webhook_urls": hooks, **quick}})
        (origin, destination), day = next(_MARKETS), in_days(next(_DAYS))
        self.there = await self.fleet.flight(5, origin, destination, day)
        self.other = await self.fleet.flight(3, origin, destination, day)
        self.back = await self.fleet.flight(4, destination, origin, in_days((day - in_days(0)).days + 1))
        self.flights = [self.there, self.other, self.back]
        return self

    async def do(self, batch: list[tuple[str, int]]) -> None:
        """Steps at the same time; each is a name and a number from which its choices follow."""
        await asyncio.gather(*(STEPS[name](self, Random(number)) for name, number in batch))

    async def settle(self) -> None:
        """The processor is well again, nobody proves anything any more, and the sweeps come by until all is known."""
        await self.sandbox.control("DELETE", "/faults")
        for _ in range(40):  # The processor's messages come when they come.
            await self.sweep(Random(0))
            if not await self._unsettled():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never found out: {await self._unsettled()}")

    async def broken(self) -> dict[str, str]:
        return await broken(self.sql, self.flights, await journal_of(self.sandbox))

    async def _unsettled(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self.sql(
            """
            WITH b AS (SELECT booking_id FROM booking_segments WHERE flight_id = ANY(CAST(:flights AS bigint[])))
            SELECT p.id, p.status, p.payment_method AS what FROM payments p
            WHERE p.booking_id IN (SELECT booking_id FROM b) AND (p.status IN ('processing', 'authorised')
                OR (p.status <> 'requires_action' AND p.next_look_at IS NOT NULL))
            UNION ALL
            SELECT r.id, r.status, r.reason FROM refunds r
            WHERE r.booking_id IN (SELECT booking_id FROM b) AND r.next_try_at IS NOT NULL
            """,
            flights=[flight.id for flight in self.flights],
        )
        return found

    def _heard(self, what: str, answer: Answer) -> Answer:
        assert answer.status < 400 or answer.status in _REFUSALS, f"{what}: {answer.status} {answer.body}"
        assert answer.code != "unprocessable", f"{what}: {answer.body}"
        self.said[f"{what} {answer.code or answer.status}"] += 1
        return answer

    async def _read(self, random: Random) -> tuple[Client, dict[str, Any]] | None:
        """Some booking, as its owner sees it."""
        if not self.mine:
            return None
        client, pnr = random.choice(self.mine)
        return client, self._heard("read", await client.get(f"/bookings/{pnr}")).body

    async def _offer(
        self, client: Client, random: Random, flight: Flight, **params: Any
    ) -> dict[str, Any] | None:
        found = await self.fleet.offers(client, flight, **params)
        wanted = [o for o in found if o["slices"][0]["segments"][0]["flight_number"] == flight.number]
        return random.choice(wanted) if wanted else None

    async def _order(self, random: Random) -> tuple[Client, dict[str, Any]] | None:
        client, party = random.choice(self.travellers), random.choice(_PARTIES)
        flight = random.choice((self.there, self.there, self.other))
        more = {"return_date": self.back.day} if random.random() < 0.5 else {}
        offer = await self._offer(client, random, flight, **party, **more)
        return (client, booking(offer["id"], _people_of(party))) if offer else None

    def _got(self, client: Client, answer: Answer) -> None:
        if isinstance(answer.body, dict) and "pnr" in answer.body and answer.code != "duplicate_trip":
            self.mine.append((client, answer.body["pnr"]))

    async def hold(self, random: Random) -> None:
        if order := await self._order(random):
            client, body = order
            self._got(client, self._heard("hold", await client.post("/bookings", body, _key(random))))

    async def buy(self, random: Random) -> None:
        """Book and pay at once, now and then by two copies of the same request."""
        if order := await self._order(random):
            client, body = order
            body["payment"] = {"payment_method": random.choice(_METHODS)}
            headers = _key(random)
            copies = random.choice((1, 1, 2)) if headers else 1
            answers = await asyncio.gather(*(client.post("/bookings", body, headers) for _ in range(copies)))
            assert len({answer.raw for answer in answers if answer.status == 201}) <= 1
            self._got(client, self._heard("buy", answers[0]))

    async def pay(self, random: Random) -> None:
        if found := await self._read(random):
            client, one = found
            body = {"payment_method": random.choice(_METHODS)}
            path = f"/bookings/{one['pnr']}/payments"
            self._heard("pay", await client.post(path, body, _key(random)))

    async def prove(self, random: Random) -> None:
        """A cardholder passes 3-D Secure or not; the page comes back, or the browser was closed."""
        waiting = await self.sql(
            """
            SELECT p.intent, p.public_id, b.pnr FROM payments p JOIN bookings b ON b.id = p.booking_id
            WHERE p.status = 'requires_action' AND b.pnr = ANY(CAST(:pnrs AS text[])) ORDER BY p.id
            """,
            pnrs=[pnr for _, pnr in self.mine],
        )
        if not waiting:
            return
        one = random.choice(waiting)
        known = await self.sandbox.control("GET", f"/cards?payment_intent={one['intent']}")
        if known["intents"] and known["intents"][0]["status"] == "requires_action":
            finish = {"finish": random.choice(("succeed", "succeed", "fail"))}
            await self.sandbox.control("POST", f"/cards/intents/{one['intent']}", finish)
        if random.random() < 0.7:
            client = next(client for client, pnr in self.mine if pnr == one["pnr"])
            path = f"/bookings/{one['pnr']}/payments/pay_{one['public_id'].hex}/resume"
            self._heard("resume", await client.post(path))

    async def cancel(self, random: Random) -> None:
        """Ask what it gives back, for all or a part; confirm at once, twice, or later."""
        found = await self._read(random)
        if found is None:
            return
        client, one = found
        body: dict[str, Any] = {}
        if one["status"] == "confirmed" and random.random() < 0.6:
            name = random.choice(("passengers", "slices"))
            every = (
                list(range(len(one["passengers"])))
                if name == "passengers"
                else [slice_["index"] for slice_ in one["slices"]]
            )
            body[name] = [random.choice(every)]
            if name == "passengers" and len(one["slices"]) > 1 and random.random() < 0.5:
                body["slices"] = [random.choice(one["slices"])["index"]]
        path = f"/bookings/{one['pnr']}/cancellations"
        quoted = self._heard("quote", await client.post(path, body, _key(random)))
        if quoted.status != 201:
            return
        confirm = f"{path}/{quoted.body['id']}/confirm"
        if random.random() < 0.2:
            self.quotes.append((client, confirm, "cancel later", ""))
            return
        copies = random.choice((1, 1, 2))
        answers = await asyncio.gather(*(client.post(confirm) for _ in range(copies)))
        assert sum(answer.status == 200 for answer in answers) <= 1, "cancelled twice"
        for answer in answers:
            self._heard("cancel", answer)

    async def change(self, random: Random) -> None:
        """Fly something else instead of one slice: at noon on the same way, in any brand."""
        found = await self._read(random)
        if found is None or not found[1]["slices"]:
            return
        client, one = found
        old = random.choice(one["slices"])
        goes = old["segments"][0]["origin"]["iata"] == self.there.origin
        flight = random.choice((self.there, self.other)) if goes else self.back
        party = Counter(p["type"] for p in one["passengers"] if p["status"] == "active")
        offer = await self._offer(
            client,
            random,
            flight,
            adults=party["adult"] or 1,
            children=party["child"] or None,
            infants=party["infant"] or None,
        )
        if offer is None:
            return
        path = f"/bookings/{one['pnr']}/changes"
        body = {"slices": [old["index"]], "offer_id": offer["id"]}
        quoted = self._heard("ask to change", await client.post(path, body))
        if quoted.status != 201:
            return
        confirm, method = f"{path}/{quoted.body['id']}/confirm", random.choice(_METHODS)
        if random.random() < 0.2:
            self.quotes.append((client, confirm, "change later", method))
            return
        paying = {"payment": {"payment_method": method}}
        self._heard("change", await client.post(confirm, paying, _key(random)))

    async def remember(self, random: Random) -> None:
        """Confirm what was quoted some time ago."""
        if self.quotes:
            client, path, what, method = self.quotes.pop(random.randrange(len(self.quotes)))
            body = {"payment": {"payment_method": method}} if method else None
            self._heard(what, await client.post(path, body))

    async def add(self, random: Random) -> None:
        """A seat, bags, or both."""
        found = await self._read(random)
        if found is None or not found[1]["slices"]:
            return
        client, one = found
        slice_ = random.choice(one["slices"])
        passenger = random.randrange(len(one["passengers"]))
        flight_id = slice_["segments"][0]["flight_id"]
        body: dict[str, Any] = {}
        if random.random() < 0.6:
            seat = f"{random.randint(1, 2)}{random.choice('ABC')}"
            body["seats"] = [{"passenger": passenger, "flight_id": flight_id, "seat": seat}]
        if not body or random.random() < 0.5:
            body["bags"] = [{"passenger": passenger, "slice": slice_["index"], "quantity": 1}]
        if one["status"] == "confirmed" and random.random() < 0.8:
            body["payment"] = {"payment_method": random.choice(_METHODS)}
        self._heard("add", await client.post(f"/bookings/{one['pnr']}/extras", body, _key(random)))

    async def run_out(self, random: Random) -> None:
        """Some holds end, by the clock."""
        held = [pnr for _, pnr in self.mine]
        await self.sql(
            """
            WITH due AS (
                UPDATE bookings SET hold_expires_at = now() - interval '1 second'
                WHERE pnr = ANY(CAST(:pnrs AS text[])) AND status = 'held' RETURNING id)
            UPDATE seat_claims SET expires_at = now() - interval '1 second'
            WHERE expires_at IS NOT NULL
              AND id IN (SELECT claim_id FROM booking_segments WHERE booking_id IN (SELECT id FROM due))
            """,
            pnrs=random.sample(held, min(len(held), random.randint(1, 3))),
        )

    async def trouble(self, random: Random) -> None:
        """The next call to the processor goes wrong, before or after its work."""
        path = random.choice(("/v1/payment_intents*", "/v1/refunds*"))
        await self.sandbox.fault(random.choice(_FAULTS), path, times=1)

    async def airline(self, random: Random) -> None:
        """A flight is moved, cancelled, or put back; bookings are told."""
        moved = Booked(self.travellers[0], self.fleet, self.sql)
        moved.flight = random.choice(self.flights)
        what = random.choice(("moved a lot", "moved", "cancelled", "back"))
        if what == "cancelled":
            await moved.moves(status="cancelled")
        else:
            await moved.moves({"moved a lot": 400, "moved": 30, "back": 0}[what])
        await unwrap(tasks.apply_flight_changes)()

    async def reply(self, random: Random) -> None:
        """Answer a change that the airline made."""
        found = await self._read(random)
        if found is None:
            return
        client, one = found
        waiting = [change for change in one["airline_changes"] if change["status"] == "open"]
        if not waiting:
            return
        change = random.choice(waiting)
        option = random.choice(change["options"])
        body = None
        if option == "rebook":
            party = Counter(p["type"] for p in one["passengers"] if p["status"] == "active")
            offer = await self._offer(
                client,
                random,
                self.other if change["flight_id"].startswith(self.there.number) else self.there,
                adults=party["adult"] or 1,
                children=party["child"] or None,
                infants=party["infant"] or None,
            )
            if offer is None:
                return
            body = {"offer_id": offer["id"]}
        path = f"/bookings/{one['pnr']}/airline-changes/{change['id']}/{option}"
        self._heard(option, await client.post(path, body))

    async def lapse(self, _: Random) -> None:
        """Nobody has answered for long enough."""
        await self.sql(
            "UPDATE airline_changes SET deadline_at = now() WHERE flight_id = ANY(CAST(:ids AS bigint[]))",
            ids=[flight.id for flight in self.flights],
        )
        await unwrap(tasks.lapse_airline_changes)()

    async def leave(self, random: Random) -> None:
        """The day of departure comes: somebody checks in; now and then the flight lands."""
        flight = random.choice(self.flights)
        hours, status = random.choice(((5, "scheduled"), (5, "scheduled"), (-5, "landed")))
        await self.sql(
            """
            UPDATE flights SET departs_at = now() + make_interval(hours => :hours), status = :status,
                arrives_at = now() + make_interval(hours => CAST(:hours AS int) + 2)
            WHERE id = :id AND status <> 'cancelled'
            """,
            id=flight.id,
            hours=hours,
            status=status,
        )
        await unwrap(tasks.complete_flown)()

    async def check_in(self, random: Random) -> None:
        found = await self._read(random)
        if found is None or not found[1]["slices"]:
            return
        client, one = found
        flight_id = random.choice(one["slices"])["segments"][0]["flight_id"]
        path = f"/bookings/{one['pnr']}/check-in"
        self._heard("check in", await client.post(path, {"flight_id": flight_id}))

    async def sweep(self, _: Random) -> None:
        """Everything that is due, and what the processor was asked about is due now."""
        await self.sql("UPDATE payments SET next_look_at = now() WHERE next_look_at > now()")
        await self.sql("UPDATE refunds SET next_try_at = now() WHERE next_try_at > now()")
        for task in (
            tasks.expire_due_holds,
            tasks.settle_payments,
            tasks.settle_refunds,
            tasks.apply_flight_changes,
            tasks.complete_flown,
        ):
            await unwrap(task)()


Step = Callable[[World, Random], Awaitable[None]]

STEPS: dict[str, Step] = {
    "hold": World.hold,
    "buy": World.buy,
    "pay": World.pay,
    "prove": World.prove,
    "cancel": World.cancel,
    "change": World.change,
    "remember": World.remember,
    "add": World.add,
    "run_out": World.run_out,
    "trouble": World.trouble,
    "airline": World.airline,
    "reply": World.reply,
    "lapse": World.lapse,
    "leave": World.leave,
    "check_in": World.check_in,
    "sweep": World.sweep,
}
OFTEN = (
    "buy",
    "hold",
    "buy",
    "pay",
    "pay",
    "prove",
    "cancel",
    "change",
    "change",
    "add",
    "add",
    "sweep",
    "reply",
)


def _people_of(party: dict[str, int]) -> list[dict[str, Any]]:
    children, infants = str(in_days(-8 * 365)), str(in_days(-100))
    return [
        *(adult(next(_people)) for _ in range(party["adults"])),
        *(adult(next(_people), type="child", born_on=children) for _ in range(party.get("children", 0))),
        *(
            adult(next(_people), type="infant", born_on=infants, infant_of=0)
            for _ in range(party.get("infants", 0))
        ),
    ]


def _key(random: Random) -> dict[str, str]:
    return {"Idempotency-Key": f"key-{next(_people)}"} if random.random() < 0.5 else {}
