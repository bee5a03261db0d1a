"""What flights between may look like at a place, given those that bring travellers there or take them on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.timetable.connections import ConnectionRules
from app.timetable.legs import Chains
from app.timetable.places import Places

Array = NDArray[Any]

_NEVER = 2**30


@dataclass(frozen=True, slots=True)
class Reach:
    """By the number of a place: whether a first flight reaches its city, or a last one leaves it.

    `begins` and `ends` are when a flight leaves that may connect with a first one, or arrives that may connect with
    a last one; `km` is how far those fly at least, and `circles` has the carriers that may connect with one of them.
    """

    some: Array
    begins: Array
    ends: Array
    km: Array
    circles: Array

    @classmethod
    def of(cls, chains: Chains, rules: ConnectionRules, places: Places, *, arriving: bool) -> "Reach":
        legs = chains.legs
        longest = max(rules.policy.longest_domestic_minutes, rules.policy.longest_international_minutes)
        times = legs.arrives if arriving else legs.departs
        city, start = np.unique(places.city[legs.destination if arriving else legs.origin], return_index=True)
        least, most = np.minimum.reduceat(times, start), np.maximum.reduceat(times, start)

        def by_place(values: Array, nothing: Any) -> Array:
            by_city = np.full(places.cities, nothing, values.dtype)
            by_city[city] = values
            found: Array = by_city[places.city]
            return found

        return cls(
            some=by_place(np.ones(city.size, bool), False),
            begins=by_place((least if arriving else least - longest).astype(np.int32), _NEVER),
            ends=by_place((most + longest if arriving else most).astype(np.int32), -_NEVER),
            km=by_place(np.minimum.reduceat(legs.km, start), np.inf),
            circles=by_place(np.bitwise_or.reduceat(rules.reach[legs.carrier], start), 0),
        )
