"""Reads the tables that rule on connections, and finds every fault in them."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from app.rules.kinds import Book, Faults
from app.timetable import codes
from app.timetable.minimums import MinimumTime

_LONGEST_MINIMUM = 1440
_POLICY = {
    "longest_domestic_minutes": (1, 1440),
    "longest_international_minutes": (1, 1440),
    "terminal_change_minutes": (0, 240),
    "detour_percent": (100, 1000),
    "detour_slack_km": (0, 40_000),
    # Later flights are looked for on three more days.
    "longest_journey_hours": (1, 48),
    "most_itineraries": (1, 1000),
}


class _Reader:
    """One row of a table: what its fields say, and which of them make no sense."""

    def __init__(self, faults: Faults, table: str, number: int, row: Mapping[str, str]) -> None:
        self._faults, self._table, self._number = faults, table, number
        self._row = {name: (value or "").strip() for name, value in row.items()}

    def fault(self, column: str, code: str, message: str) -> None:
        self._faults.add(self._table, self._number, column, code, message)

    def text(self, column: str) -> str:
        return self._row.get(column, "")

    def code(self, column: str, shape: str, what: str) -> str:
        """A code in capitals, or nothing for any."""
        value = self.text(column).upper()
        if value == "*":
            return ""
        if value and not re.fullmatch(shape, value):
            self.fault(column, "not_a_code", f"{what}, or * for any.")
        return value

    def number(self, column: str, least: int, most: int) -> int:
        value = self.text(column)
        number = int(value) if re.fullmatch("[0-9]{1,9}", value) else -1
        if not least <= number <= most:
            self.fault(column, "not_in_range", f"A whole number from {least} to {most}.")
        return number

    def day(self, column: str) -> date | None:
        try:
            return date.fromisoformat(self.text(column)) if self.text(column) else None
        except ValueError:
            self.fault(column, "not_a_date", "A date such as 2026-12-31, or nothing.")
            return None

    def domestic(self, column: str) -> bool | None:
        value = self.text(column).upper()
        if value not in ("", "*", "D", "I"):
            self.fault(column, "unknown_status", "D for domestic, I for international, or * for any.")
        return {"D": True, "I": False}.get(value)


def _each(book: Book, table: str, faults: Faults) -> list[_Reader]:
    return [_Reader(faults, table, number, row) for number, row in enumerate(book.tables.get(table, ()))]


def minimum_times(book: Book, faults: Faults) -> list[MinimumTime]:
    found: dict[tuple[Any, ...], MinimumTime] = {}
    for reader in _each(book, "minimum_times", faults):
        row = _minimum_time(reader)
        conditions = tuple(getattr(row, name) for name in row.__slots__ if name != "minutes")
        if conditions in found:
            reader.fault("airport", "duplicate", "An earlier row is for the same connections.")
        found[conditions] = row
    for changes in (False, True):
        for key in np.ndindex(2, 2):
            if not any(
                row.is_plain and row.fits_statuses(changes, *map(bool, key)) for row in found.values()
            ):
                statuses, where = (
                    "-".join("ID"[way] for way in key),
                    "another airport" if changes else "one airport",
                )
                message = f"There is no row for {statuses} connections at {where} that asks for nothing else."
                faults.add_at(("minimum_times",), "missing", message)
    return list(found.values())


def _minimum_time(reader: _Reader) -> MinimumTime:
    def code(column: str, shape: str, what: str) -> int:
        return codes.pack(reader.code(column, shape, what))

    airport = code("airport", "[A-Z0-9]{3}", "An airport's code")
    to_airport = code("to_airport", "[A-Z0-9]{3}", "An airport's code") if reader.text("to_airport") else None
    valid_from, valid_to = reader.day("valid_from"), reader.day("valid_to")
    if to_airport and to_airport == airport:
        reader.fault(
            "to_airport", "contradiction", "This is the airport that the row is for; leave it empty."
        )
    if valid_from and valid_to and valid_to < valid_from:
        reader.fault("valid_to", "contradiction", "It ends before it begins.")
    return MinimumTime(
        airport=airport,
        to_airport=to_airport,
        from_domestic=reader.domestic("from_status"),
        to_domestic=reader.domestic("to_status"),
        from_terminal=code("from_terminal", "[A-Z0-9]{1,6}", "A terminal of up to six letters and digits"),
        to_terminal=code("to_terminal", "[A-Z0-9]{1,6}", "A terminal of up to six letters and digits"),
        inbound=code("inbound_carrier", "[A-Z0-9]{2,3}", "An airline's code"),
        outbound=code("outbound_carrier", "[A-Z0-9]{2,3}", "An airline's code"),
        minutes=reader.number("minutes", 0, _LONGEST_MINIMUM),
        valid_from=valid_from,
        valid_to=valid_to,
    )


def policy(book: Book, faults: Faults) -> dict[str, int]:
    found: dict[str, int] = {}
    for reader in _each(book, "policy", faults):
        name = reader.text("name")
        if name not in _POLICY:
            reader.fault("name", "unknown_name", f"One of: {', '.join(_POLICY)}.")
            continue
        if name in found:
            reader.fault("name", "duplicate", "An earlier row has the same name.")
        found[name] = reader.number("value", *_POLICY[name])
    for name in [name for name in _POLICY if name not in found]:
        faults.add_at(("policy",), "missing", f"There is no {name}.")
    return found


def alliances(book: Book, faults: Faults) -> dict[str, frozenset[str]]:
    members: dict[str, set[str]] = defaultdict(set)
    seen: set[str] = set()
    for reader in _each(book, "alliances", faults):
        carrier, alliance = (
            reader.code("carrier", "[A-Z0-9]{2,3}", "An airline's code"),
            reader.text("alliance"),
        )
        if not carrier:
            reader.fault("carrier", "missing", "An airline's code.")
        if not re.fullmatch("[a-z][a-z0-9_]{0,31}", alliance):
            reader.fault("alliance", "not_a_name", "Small letters, digits and underscores.")
        if carrier in seen:
            reader.fault("carrier", "duplicate", "An airline is in one alliance, and named once.")
        seen.add(carrier)
        members[alliance].add(carrier)
    return {name: frozenset(carriers) for name, carriers in members.items()}


def partners(book: Book, faults: Faults) -> frozenset[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for reader in _each(book, "interline", faults):
        one, two = (
            reader.code(name, "[A-Z0-9]{2,3}", "An airline's code") for name in ("carrier", "partner")
        )
        if one and one == two:
            reader.fault("partner", "contradiction", "An airline always connects with itself.")
        if not {(one, two), (two, one)}.isdisjoint(found):
            reader.fault("partner", "duplicate", "An earlier row has the same two.")
        found.add((one, two))
    return frozenset(found)
