"""Which flights connect, as operators rule it: how long between them, with whom, and how far round."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.rules.kinds import Book, Faults, Kind, register
from app.timetable import codes, published
from app.timetable.minimums import MinimumTimes

Array = NDArray[Any]

_BITS = 63


@dataclass(frozen=True, slots=True)
class Policy:
    longest_domestic_minutes: int
    longest_international_minutes: int
    terminal_change_minutes: int
    detour_percent: int
    detour_slack_km: int
    longest_journey_hours: int
    most_itineraries: int


class ConnectionRules:
    """The rules in force; carriers and airports in arrays are numbers of `codes.pack`."""

    def __init__(
        self,
        policy: Policy,
        minimums: MinimumTimes,
        alliances: Mapping[str, frozenset[str]],
        partners: frozenset[tuple[str, str]],
        version: int,
    ) -> None:
        self.version = version
        self.policy = policy
        self.minimums = minimums
        self.alliances = alliances
        self._alliance = np.zeros(codes.AIRPORTS, np.intp)
        for number, name in enumerate(sorted(alliances), start=1):
            self._alliance[[codes.pack(carrier) for carrier in alliances[name]]] = number
        packed = [
            (codes.pack(a), codes.pack(b)) for one, two in partners for a, b in ((one, two), (two, one))
        ]
        self._open = np.zeros(codes.AIRPORTS, bool)
        self._open[[a for a, b in packed if not b]] = True
        self._open |= ("", "") in partners
        self._pairs = np.array(sorted({a * codes.AIRPORTS + b for a, b in packed if a and b}), np.int64)
        self.circle, self.reach = self._circles([(a, b) for a, b in packed if a and b])

    def alliance_of(self, name: str) -> frozenset[str]:
        """The members of an alliance; nobody, if there is none of this name."""
        return self.alliances.get(name, frozenset())

    def minimum(
        self,
        airports: tuple[str, str],
        domestic: tuple[bool, bool],
        terminals: tuple[str | None, str | None],
        carriers: tuple[str, str],
        day: date,
    ) -> int:
        """The least minutes between two flights; each pair is of the arriving and the leaving one.

        `day` is the local date on which the second one leaves.
        """
        return self.minimums.of_one(
            (codes.pack(airports[0]), codes.pack(airports[1])),
            domestic,
            (codes.pack(terminals[0]), codes.pack(terminals[1])),
            (codes.pack(carriers[0]), codes.pack(carriers[1])),
            self.minimums.period(day),
        )

    def allowed(self, a: Array, b: Array) -> Array:
        """Whether a flight of one carrier may connect with a flight of the other; it is so in both directions."""
        together = self._alliance[a]
        found: Array = (
            (a == b) | ((together == self._alliance[b]) & (together > 0)) | self._open[a] | self._open[b]
        )
        if self._pairs.size:
            key = a.astype(np.int64) * codes.AIRPORTS + b
            place = np.minimum(np.searchsorted(self._pairs, key), self._pairs.size - 1)
            found |= self._pairs[place] == key
        return found

    def longest(self, domestic: Array) -> Array:
        """The most minutes between two flights, by whether both are domestic."""
        return np.where(
            domestic, self.policy.longest_domestic_minutes, self.policy.longest_international_minutes
        )

    def furthest(self, direct_km: Array) -> Array:
        """How far a journey may fly, by the distance between its ends."""
        percent, slack = self.policy.detour_percent, self.policy.detour_slack_km
        km: Array = np.maximum(direct_km * percent / 100, direct_km + slack)
        return km

    def _circles(self, pairs: Sequence[tuple[int, int]]) -> tuple[Array, Array]:
        """Bits by carrier: b may connect with a only if `circle[b] & reach[a]`; some that may not share a bit too."""
        number = np.where(self._alliance > 0, self._alliance, np.arange(codes.AIRPORTS)) % _BITS
        circle = np.left_shift(np.int64(1), number.astype(np.int64))
        reach = circle.copy()
        for a, b in pairs:
            reach[a] |= circle[b]
        reach |= np.bitwise_or.reduce(circle[self._open])
        reach[self._open] = -1
        return circle, reach


def build(book: Book) -> ConnectionRules:
    """Raises RulesRefused."""
    faults = Faults()
    values, rows = published.policy(book, faults), published.minimum_times(book, faults)
    alliances, partners = published.alliances(book, faults), published.partners(book, faults)
    faults.refuse_any()
    policy = Policy(**values)
    minimums = MinimumTimes(rows, policy.terminal_change_minutes)
    return ConnectionRules(policy, minimums, alliances, partners, book.version)


CONNECTIONS = register(
    Kind(
        name="connections",
        columns={
            "minimum_times": (
                "airport",
                "from_status",
                "to_status",
                "from_terminal",
                "to_terminal",
                "inbound_carrier",
                "outbound_carrier",
                "to_airport",
                "minutes",
                "valid_from",
                "valid_to",
            ),
            "policy": ("name", "value"),
            "alliances": ("carrier", "alliance"),
            "interline": ("carrier", "partner"),
        },
        folder=Path(__file__).with_name("data"),
        build=build,
    )
)
