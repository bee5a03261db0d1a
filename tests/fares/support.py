"""The packaged fares, with whatever a test puts in their place."""

import itertools
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from app.fares.pricing import CABINS, FareBook, Quote, SliceFacts, SlicePrice, Terms
from app.fares.service import FARES, build
from app.rules.kinds import Book

ISSUED = date(2026, 11, 22)
AIRPORTS = [
    "JFK",
    "LAX",
    "ORD",
    "LHR",
    "LGW",
    "CDG",
    "FRA",
    "MUC",
    "KEF",
    "DXB",
    "NRT",
    "HND",
    "SYD",
    "MEL",
    "AKL",
]


def tables(**changed: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The packaged tables; those that are named have these rows, a tuple of cells each."""
    found = {name: [dict(row) for row in rows] for name, rows in FARES.packaged().tables.items()}
    for name, rows in changed.items():
        found[name] = [dict(zip(FARES.columns[name], map(str, row), strict=True)) for row in rows]
    return found


def more(**added: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The packaged tables with rows after theirs."""
    found = tables()
    for name, rows in tables(**added).items():
        if name in added:
            found[name] += rows
    return found


def made(found: dict[str, Any], version: int = 1) -> FareBook:
    return build(Book(version, found))


@lru_cache
def packaged() -> FareBook:
    return made(tables())


def flat(**changed: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Tables in which every percentage is 100, no tax is due, and a slice costs 100.00, but for what is named."""
    simple: dict[str, list[tuple[Any, ...]]] = {
        "fares": [("*", "*", "*", cabin, "", "100.00", "0.00", "", "") for cabin in CABINS],
        "seasons": [],
        "weekdays": [(row["weekday"], 100) for row in tables()["weekdays"]],
        "hours": [(0, 100)],
        "advance": [(0, 100)],
        "stay": [],
        "connections": [(0, 100)],
        "journeys": [("one_way", 100), ("return", 100), ("multi_city", 100)],
        "classes": [(cabin, letter, 100, 100) for cabin, letter in zip(CABINS, "YWJF", strict=True)],
        "brands": [(cabin, "Plain", "PL", 100, "", "", 1, 0, "no") for cabin in CABINS],
        "taxes": [],
    }
    return tables(**(simple | changed))


def terms(**changed: Any) -> Terms:
    """One adult in economy, one way, in dollars, issued on a day in November."""
    usual: dict[str, Any] = {
        "cabin": "economy",
        "counts": (1, 0, 0),
        "currency": "USD",
        "issued_on": ISSUED,
        "journey": "one_way",
    }
    return Terms(**(usual | changed))


def facts(*stops: str, at: str = "2027-01-20T12:00", airline: str = "ZZ") -> SliceFacts:
    """By default a Wednesday at noon, 59 days ahead."""
    return SliceFacts(airline, stops or ("KEF", "AKL"), datetime.fromisoformat(at))


def price(book: FareBook, one: SliceFacts, agreed: Terms | None = None, brand: int = 0) -> SlicePrice:
    """In the lowest booking class and, by default, the lowest brand."""
    agreed = agreed or terms()
    lowest = book.classes(agreed.cabin)[-1]
    return book.price(agreed, one, lowest, book.brands(agreed.cabin)[brand])


def wire(one: SlicePrice, currency: str = "USD") -> Any:
    return Quote(currency, (one,)).wire()


counts = st.tuples(st.integers(1, 9), st.integers(0, 8), st.integers(0, 9))
cabins = st.sampled_from(CABINS)
instants = st.datetimes(datetime(2026, 11, 22), datetime(2027, 11, 18))  # noqa: DTZ001  A clock reading.
routes = st.lists(st.sampled_from(AIRPORTS), min_size=2, max_size=4, unique=True)
slices = st.builds(
    lambda route, at: SliceFacts(
        "ZZ", tuple(stop for pair in itertools.pairwise(route) for stop in pair), at
    ),
    routes,
    instants,
)
stays = st.one_of(
    st.just(("one_way", None, False)),
    st.just(("multi_city", None, False)),
    st.tuples(st.just("return"), st.integers(0, 90), st.booleans()),
)


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    journey, stay, saturday = draw(stays)
    return terms(
        cabin=draw(cabins),
        counts=draw(counts),
        currency=draw(st.sampled_from(sorted(packaged().currencies))),
        journey=journey,
        stay_days=stay,
        saturday_night=saturday,
    )
