"""The packaged prices, with whatever a test puts in their place."""

from datetime import date
from typing import Any

from app.extras.book import ExtrasBook
from app.extras.service import EXTRAS, build
from app.rules.kinds import Book

DAY = date(2027, 1, 20)


def tables(**changed: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The packaged tables; those that are named have these rows, a tuple of cells each."""
    found = {name: [dict(row) for row in rows] for name, rows in EXTRAS.packaged().tables.items()}
    for name, rows in changed.items():
        found[name] = [dict(zip(EXTRAS.columns[name], map(str, row), strict=True)) for row in rows]
    return found


def more(**added: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The packaged tables with rows after theirs."""
    found = tables()
    for name, rows in tables(**added).items():
        if name in added:
            found[name] += rows
    return found


def made(found: dict[str, Any]) -> ExtrasBook:
    return build(Book(1, found))


def flight(origin: str, destination: str, carrier: str = "ZZ", day: date = DAY) -> dict[str, Any]:
    return {"carrier": carrier, "origin": origin, "destination": destination, "departure_date": day}
