"""Who is to fly what: a booking as units of one passenger on one slice, with what each is worth."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.bookings import agreed, quotes, repository
from app.core.db import Row, Session
from app.fares.quotes import PassengerPrice, Quote, SlicePrice, TaxLine
from app.payments import ledger
from app.tickets import service as tickets

_KINDS = ("adult", "child", "infant")


@dataclass(frozen=True, slots=True)
class Unit:
    """One passenger on one slice. `base` and the amounts of `taxes` are minor units of the booking's currency.

    A tax is its code, name, amount, and whether it is given back on an unused ticket. `slice_index` never changes: a
    change gives its new slices new indexes. `unused` is no more when a flight of the slice was flown.
    """

    position: int
    type: str
    carrier: int | None
    slice_index: int
    departs_at: datetime
    base: int
    taxes: tuple[tuple[str, str, int, bool], ...]
    unused: bool

    @property
    def worth(self) -> int:
        return self.base + sum(amount for _, _, amount, _ in self.taxes)


async def units(session: Session, booking: Row) -> list[Unit]:
    """What was bought and not given back: in a hold everything, in a paid booking what has coupons."""
    people = [
        p for p in await repository.passengers_of(session, [booking["id"]]) if p["cancelled_at"] is None
    ]
    segments = await repository.active_segments(session, booking["id"])
    kept = None if booking["status"] == "held" else await tickets.kept(session, booking["id"])
    worth = {part["slice"]: {one["type"]: one for one in part["each"]} for part in booking["terms"]["parts"]}
    found = []
    for flights in agreed.in_slices(segments):
        index = flights[0]["slice_index"]
        for person in people:
            if kept is not None and (person["position"], index) not in kept:
                continue
            each = worth[index][person["type"]]
            found.append(
                Unit(
                    position=person["position"],
                    type=person["type"],
                    carrier=person["infant_of"],
                    slice_index=index,
                    departs_at=flights[0]["departs_at"],
                    base=each["base"],
                    taxes=tuple((code, name, amount, back) for code, name, amount, back in each["taxes"]),
                    unused=kept is None or kept[person["position"], index],
                )
            )
    return found


async def unused_units(session: Session, booking: Row) -> list[Unit]:
    """What can still be given back or changed."""
    return [unit for unit in await units(session, booking) if unit.unused]


async def price_what_is_left(session: Session, booking: Row) -> None:
    """Let the booking's price be that of what was bought and not given back; the ledger has the rest."""
    total, price = priced(await units(session, booking), booking["currency"])
    await quotes.set_price(session, booking["id"], total, price)


def accounts(of: Iterable[Unit]) -> Counter[str]:
    """What units are worth, by the ledger's accounts."""
    found: Counter[str] = Counter()
    for unit in of:
        found[ledger.FARES] += unit.base
        for code, _, amount, _ in unit.taxes:
            found[ledger.taxes(code)] += amount
    return found


def priced(of: Sequence[Unit], currency: str) -> tuple[int, Row]:
    """The price of units as answers show it: what it comes to, and its lines."""
    lines = []
    for kind in _KINDS:
        mine = [unit for unit in of if unit.type == kind]
        if not mine:
            continue
        taxes = [
            TaxLine(code, name, amount, back) for unit in mine for code, name, amount, back in unit.taxes
        ]
        count = len({unit.position for unit in mine})
        lines.append(PassengerPrice(kind, count, sum(unit.base for unit in mine), tuple(taxes)))
    quote = Quote(currency, (SlicePrice(tuple(lines)),))
    return quote.total, quote.wire()


def counts(of: Iterable[Unit]) -> tuple[int, ...]:
    """Adults, children and infants."""
    kinds = Counter(kind for _, kind in {(unit.position, unit.type) for unit in of})
    return tuple(kinds[kind] for kind in _KINDS)


def coupons_of(segments: list[Row]) -> list[Row]:
    """What tickets are issued for."""
    return [
        {"slice_index": s["slice_index"], "segment_index": s["segment_index"], "flight_id": s["id"]}
        for s in segments
    ]
