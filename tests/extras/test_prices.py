"""What seats and bags cost: the most specific row decides, and each amount is rounded once."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import money
from app.extras import service
from app.extras.errors import BagNotAllowed, ExtrasNotSold
from app.fares import service as fares
from app.fares.products import CABINS, Brand
from tests.extras.support import flight, made, more, tables

LIGHT = Brand("Light", "LT", 10_000, None, None, 1, 0, seat_choice=False)
FLEX = Brand("Flex", "FX", 10_000, 0, 0, 1, 2, seat_choice=True)

pytestmark = pytest.mark.usefixtures("address")


@pytest.fixture
def in_force(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Put these tables in force for the test."""

    def put(found: dict[str, Any]) -> None:
        book = made(found)
        monkeypatch.setattr(service, "book", lambda: book)

    return put


def seat(origin: str, destination: str, kind: str = "standard", cabin: str = "economy", **more: Any) -> int:
    day = more.pop("day", date(2027, 1, 20))
    return service.seat_price(flight(origin, destination, day=day), cabin, kind, LIGHT, "USD", **more)


def test_a_seat_costs_by_its_kind_the_way_and_the_cabin() -> None:
    """The packaged prices: within a country, abroad but near, far away, in front."""
    assert [seat("TOS", "BGO", kind) for kind in ("standard", "front", "legroom")] == [600, 1000, 1800]
    assert (seat("OSL", "CPH"), seat("JFK", "LHR")) == (800, 1500)
    assert (seat("JFK", "LHR", "legroom"), seat("JFK", "LHR", "legroom", "business")) == (6000, 0)


def test_the_most_specific_row_decides(in_force: Any) -> None:
    """A cabin before a scope, that before a distance, that before a later beginning."""
    in_force(
        more(
            seats=[
                ("standard", "economy", "*", "", "50.00", "", ""),
                ("standard", "economy", "domestic", "", "40.00", "", ""),
                ("standard", "economy", "domestic", "2000", "30.00", "", ""),
                ("standard", "economy", "domestic", "2000", "20.00", "2027-02-01", "2027-02-28"),
            ]
        )
    )

    assert (seat("JFK", "LHR"), seat("JFK", "LAX"), seat("TOS", "BGO")) == (5000, 4000, 3000)
    february = [seat("TOS", "BGO", day=date(2027, *at)) for at in ((1, 31), (2, 1), (2, 28), (3, 1))]
    assert february == [3000, 2000, 2000, 3000]


def test_choice_of_the_brand_and_assistance_are_free() -> None:
    """A brand gives standard seats; who needs assistance pays for none."""
    one = flight("JFK", "LHR")

    assert service.seat_price(one, "economy", "standard", FLEX, "USD") == 0
    assert service.seat_price(one, "economy", "legroom", FLEX, "USD") == 6000
    assert set(service.seat_prices(one, "economy", LIGHT, "USD", assistance=True).values()) == {0}


@given(st.sampled_from(CABINS), st.sampled_from(["standard", "front", "legroom"]), st.data())
def test_every_currency_is_converted_by_the_stated_rate(cabin: str, kind: str, data: st.DataObject) -> None:
    """Rounded once to its smallest coin, halves up."""
    currency = data.draw(st.sampled_from(sorted(fares.book().currencies)))
    one = flight("JFK", "LHR")
    dollars = Fraction(service.seat_price(one, cabin, kind, LIGHT, "USD"), 100)

    minor = service.seat_price(one, cabin, kind, LIGHT, currency)

    exact = dollars * Fraction(fares.book().currencies[currency].rate) * 10 ** money.exponent(currency)
    assert minor == (exact + Fraction(1, 2)).__floor__()


def test_a_book_in_another_currency_than_the_fares(in_force: Any) -> None:
    """Goes through both rates at once: 9.20 EUR are 10 USD are 1500 JPY."""
    in_force(
        tables(
            book=[("currency", "EUR")],
            seats=[(kind, "*", "*", "", "9.20", "", "") for kind in ("standard", "front", "legroom")],
        )
    )

    prices = [
        service.seat_price(flight("JFK", "LHR"), "economy", "standard", LIGHT, currency)
        for currency in ("EUR", "USD", "JPY", "KWD")
    ]

    assert prices == [920, 1000, 1500, 3070]


def test_a_currency_that_the_fares_do_not_state_is_refused(in_force: Any) -> None:
    """Rather than guessed."""
    in_force(tables(book=[("currency", "SEK")]))

    with pytest.raises(ExtrasNotSold, match="between SEK and USD"):
        seat("JFK", "LHR")


def bag(piece: int, brand: Brand = LIGHT, kg: int | None = None, *flights: Any) -> int:
    return service.bag_price(flights or [flight("JFK", "LHR")], "economy", piece, brand, "USD", kg)


def test_bags_cost_by_their_number_and_weight() -> None:
    """Those of the fare nothing; the next ones what a piece of that number costs."""
    assert [bag(piece) for piece in (1, 2, 3)] == [4500, 6000, 12000]
    assert [bag(piece, FLEX) for piece in (1, 2, 3)] == [0, 0, 12000]
    assert [bag(1, LIGHT, kg) for kg in (5, 23, 24, 32)] == [4500, 4500, 9500, 9500]


@pytest.mark.parametrize(
    ("piece", "brand", "kg"), [(6, LIGHT, None), (0, LIGHT, None), (1, LIGHT, 33), (1, FLEX, 24)]
)
def test_more_or_heavier_pieces_are_not_carried(piece: int, brand: Brand, kg: int | None) -> None:
    """Five pieces of 32 kg, and 23 kg for those of the fare."""
    with pytest.raises(BagNotAllowed, match="at most 5 pieces of at most 32 kg"):
        bag(piece, brand, kg)


def test_one_airline_decides_for_the_whole_slice(in_force: Any) -> None:
    """The first, whose own row comes before everybody's; the slice is domestic if its ends are."""
    in_force(
        more(
            bags=[
                ("AA", "*", "*", "1", "23", "11.00", "", ""),
                ("AA", "domestic", "*", "1", "23", "7.00", "", ""),
            ]
        )
    )
    through_canada = [flight("JFK", "YYZ", "AA"), flight("YYZ", "LAX", "ZZ")]

    assert bag(1, LIGHT, None, flight("JFK", "LHR", "AA"), flight("LHR", "CDG", "ZZ")) == 1100
    assert bag(1, LIGHT, None, flight("JFK", "LHR", "ZZ"), flight("LHR", "CDG", "AA")) == 4500
    assert bag(1, LIGHT, None, *through_canada) == 700


def test_every_piece_is_listed_with_its_price() -> None:
    """Those of the fare first."""
    listed = [
        (one.piece, one.max_kg, one.amount, one.included)
        for one in service.bags([flight("TOS", "BGO")], "economy", FLEX, "USD")
    ]

    assert listed[:3] == [(1, 23, 0, True), (2, 23, 0, True), (3, 23, 12000, False)]
    assert [piece for piece, *_ in listed] == [1, 2, 3, 3, 4, 5]
