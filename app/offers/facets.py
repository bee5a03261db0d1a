"""What the offers of an answer have in common, counted: the boxes that a person may tick next."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from app.airlines.service import directory as airlines
from app.core import money
from app.core.db import Row
from app.fares.products import Brand
from app.offers.ranking import Ranked
from app.timetable.connections import ConnectionRules

_HOURS = 6


def of(offers: Sequence[Ranked], brands: Sequence[Brand], rules: ConnectionRules, currency: str) -> Row:
    """Counts over all pages of the answer. An offer with two airlines counts for each of them."""
    counts: dict[str, Counter[str]] = {
        name: Counter()
        for name in ("airlines", "alliances", "connections", "connecting_airports", "departure_times")
    }
    lowest: dict[tuple[str, str], int] = {}
    alliance_of = {carrier: name for name, members in rules.alliances.items() for carrier in members}
    for same in _by_itinerary(offers):
        cheapest = min(offer.total for offer in same)
        for name, value in set(_values(same[0], alliance_of)):
            counts[name][value] += len(same)
            lowest[name, value] = min(cheapest, lowest.get((name, value), cheapest))
    facets: Row = {
        name: [
            {"value": value, "count": count, "lowest_price": money.wire(lowest[name, value], currency)}
            for value, count in sorted(counted.items(), key=lambda one: (-one[1], one[0]))
        ]
        for name, counted in counts.items()
    }
    for airline in facets["airlines"]:
        known = airlines().by_iata.get(airline["value"])
        airline["name"] = known.name if known else airline["value"]
    by_brand = Counter(offer.brand for offer in offers)
    return facets | {
        "fare_brands": [{"value": b.name, "count": by_brand[i]} for i, b in enumerate(brands) if by_brand[i]],
        "refundable": sum(by_brand[i] for i, brand in enumerate(brands) if brand.refund_fee is not None),
        "with_bag": sum(by_brand[i] for i, brand in enumerate(brands) if brand.checked),
        "price": _range([offer.total for offer in offers], currency),
        "duration_minutes": _duration(offers),
    }


def _by_itinerary(offers: Sequence[Ranked]) -> Iterable[list[Ranked]]:
    """The offers of each journey in its brands, which have all but price in common."""
    found: dict[tuple[int, ...], list[Ranked]] = {}
    for offer in offers:
        found.setdefault(tuple(map(id, offer.options)), []).append(offer)
    return found.values()


def _values(offer: Ranked, alliance_of: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    most = 0
    for option in offer.options:
        segments = option.segments
        most = max(most, len(segments) - 1)
        for segment in segments:
            yield "airlines", segment.carrier
            if segment.carrier in alliance_of:
                yield "alliances", alliance_of[segment.carrier]
        for arriving, leaving in itertools.pairwise(segments):
            yield "connecting_airports", arriving.destination
            yield "connecting_airports", leaving.origin
    first = offer.options[0].segments[0]
    hour = (first.departs + first.departs_offset) % (24 * 60) // 60 // _HOURS * _HOURS
    yield "connections", str(most)
    yield "departure_times", f"{hour:02}:00-{hour + _HOURS - 1:02}:59"


def _range(totals: list[int], currency: str) -> Row | None:
    if not totals:
        return None
    return {"lowest": money.wire(min(totals), currency), "highest": money.wire(max(totals), currency)}


def _duration(offers: Sequence[Ranked]) -> Row | None:
    """Of all slices together."""
    minutes = {
        sum(option.segments[-1].arrives - option.segments[0].departs for option in offer.options)
        for offer in offers
    }
    return {"shortest": min(minutes), "longest": max(minutes)} if minutes else None
