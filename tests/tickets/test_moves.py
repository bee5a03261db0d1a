"""Whatever is asked in whatever order, a coupon does what the industry's codes allow, and its history says so."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from app.core import db
from app.tickets import service
from app.tickets.errors import CouponNotAllowed
from tests.support.client import Client
from tests.support.fleet import Fleet
from tests.tickets.support import Trip, booked, do

# Between them these walks make every move.
SEEDS, STEPS = range(30, 42), 20
CHANGES = {
    "check_in": {"O": "C", "C": "C"},
    "offload": {"C": "O"},
    "board": {"C": "L"},
    "fly": {"C": "F", "L": "F"},
    "disrupt": {"O": "I", "C": "I", "L": "I"},
    "reinstate": {"I": "O"},
    "suspend": {"O": "S"},
    "reopen": {"S": "O", "I": "O"},
    "exchange": {"O": "E", "I": "E"},
    "refund": {"O": "R", "I": "R"},
    "void": {"O": "V"},
}
FOR_A_FLIGHT = ("check_in", "offload", "board")
OF_WHOLE_FLIGHTS = ("fly", "disrupt", "reinstate")
USED_UP = set("FRV")

BROKEN_HISTORY = """
    SELECT c.ticket_number FROM coupons c JOIN (
        SELECT *, lag(after) OVER one AS came_from, lead(id) OVER one IS NULL AS is_last FROM coupon_events
        WINDOW one AS (PARTITION BY ticket_number, coupon_number ORDER BY id)) e
      ON e.ticket_number = c.ticket_number AND e.coupon_number = c.number
    WHERE c.booking_id = :id
      AND (e.before IS DISTINCT FROM e.came_from OR e.before = e.after OR (e.is_last AND e.after <> c.status))
"""


class Walk:
    """Two people there and back: a model of their coupons beside the real ones."""

    def __init__(self, seed: int, trip: Trip) -> None:
        self.random, self.trip = Random(seed), trip
        self.now = {(position, one): "O" for position in (0, 1) for one in (0, 1)}
        self.replaced = False
        self.seen: set[str] = set()
        self.steps = self.refused = 0

    async def step(self) -> None:
        verb, people, slices = self._choice()
        asked = {(position, one) for position in people for one in slices}
        if verb in OF_WHOLE_FLIGHTS:
            asked = {place for place in self.now if place[1] in slices and self.now[place] in CHANGES[verb]}
        allowed = all(self.now[place] in CHANGES[verb] for place in asked)
        allowed = allowed and not (verb == "void" and self.replaced)
        refusal = CouponNotAllowed
        try:
            await do(self._act, verb, people, slices)
        except refusal:
            done = False
        else:
            done = True
        assert done == allowed, f"{verb} of {[self.now[place] for place in sorted(asked)]}"
        self.steps += 1
        self.refused += not done
        for place in asked if done else ():
            self.seen.add(f"{verb} {self.now[place]}")
            self.now[place] = "O" if verb == "exchange" else CHANGES[verb][self.now[place]]

    def _choice(self) -> tuple[str, set[int], set[int]]:
        """What to ask for whom; mostly something that is allowed for one of them at least."""
        position, one = self.random.choice(sorted(self.now))
        allowed = [verb for verb in CHANGES if self.now[position, one] in CHANGES[verb]]
        verb = self.random.choice(allowed if allowed and self.random.random() < 0.7 else [*CHANGES])
        people, slices = self.random.choice([{position}, {0, 1}]), self.random.choice([{one}, {0, 1}])
        if verb in FOR_A_FLIGHT:
            slices = {one}
        return (verb, {0, 1}, {0, 1}) if verb == "void" else (verb, people, slices)

    async def _act(self, session: db.Session, verb: str, people: set[int], slices: set[int]) -> None:
        function: Callable[..., Awaitable[Any]] = getattr(service, verb)
        flights = [self.trip.flights[one] for one in sorted(slices)]
        if verb in FOR_A_FLIGHT:
            await function(session, self.trip.id, people, flights[0])
        elif verb in OF_WHOLE_FLIGHTS:
            await function(session, flights)
        elif verb == "void":
            await function(session, self.trip.id)
        else:
            found = await function(session, self.trip.id, people, slices)
            if verb == "exchange":
                self.replaced = True
                segments = [segment for segment in self.trip.segments if segment["slice_index"] in slices]
                await service.issue(session, self.trip.id, self.trip.names(*people), segments, found)

    async def compare(self) -> None:
        """The coupons that nothing has replaced are as the model has them; sequence numbers stay."""
        current = {
            (ticket["position"], coupon["slice_index"]): coupon
            for ticket in await self.trip.tickets()
            for coupon in ticket["coupons"]
            if coupon["status"] != "E"
        }
        assert {place: coupon["status"] for place, coupon in current.items()} == self.now
        for coupon in current.values():
            assert (coupon["check_in_sequence"] is not None) or coupon["status"] not in "CLF"
        taken = [
            (place[1], one["check_in_sequence"]) for place, one in current.items() if one["check_in_sequence"]
        ]
        assert len(taken) == len(set(taken))


async def test_coupons_agree_with_a_model_after_every_step(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """A refused move changes nothing; every move was made and many were refused."""
    seen, refused, flights = set(), 0, await fleet.round_trip(2 * len(SEEDS))
    for seed in SEEDS:
        trip = await booked(traveller, fleet, sql, *flights, adults=2)
        await trip.issued()
        walk = Walk(seed, trip)
        while walk.steps < STEPS and set(walk.now.values()) - USED_UP:
            await walk.step()
            await walk.compare()
        assert await sql(BROKEN_HISTORY, id=trip.id) == []
        seen |= walk.seen
        refused += walk.refused

    assert seen == {f"{verb} {before}" for verb, changes in CHANGES.items() for before in changes}
    assert refused > 50


async def test_a_gap_in_the_history_is_noticed(traveller: Client, fleet: Fleet, sql: Any) -> None:
    """The negative control: a move that nobody wrote down."""
    trip = await booked(traveller, fleet, sql)
    await trip.issued()
    async with db.transaction() as session:
        await db.rows(session, "ALTER TABLE coupons DISABLE TRIGGER note")
        await service.suspend(session, trip.id, {0}, {0})
        await db.rows(session, "ALTER TABLE coupons ENABLE TRIGGER note")

    assert len(await sql(BROKEN_HISTORY, id=trip.id)) == 1
