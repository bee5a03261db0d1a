"""Money is integers inside and exact decimals outside."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import money

CURRENCIES = ("JPY", "USD", "KWD")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (51240, "USD", "512.40"),
        (51240, "JPY", "51240"),
        (51240, "KWD", "51.240"),
        (5, "EUR", "0.05"),
        (5, "BHD", "0.005"),
        (0, "USD", "0.00"),
        (0, "KWD", "0.000"),
        (0, "KRW", "0"),
        (-150, "GBP", "-1.50"),
        (99_999_999_999_99, "USD", "99999999999.99"),
    ],
)
def test_an_amount_has_its_currencys_number_of_decimals(minor: int, currency: str, text: str) -> None:
    """None in yen, two in dollars, three in dinars."""
    assert money.amount(minor, currency) == text
    assert money.wire(minor, currency) == {"amount": text, "currency": currency}


@given(st.integers(-(10**14), 10**14), st.sampled_from(CURRENCIES))
def test_an_amount_reads_back_as_the_same_minor_units(minor: int, currency: str) -> None:
    """Nothing is lost, and nothing is written with an exponent."""
    text = money.amount(minor, currency)

    assert Decimal(text).scaleb(money.exponent(currency)) == minor
    assert "E" not in text.upper()
    assert len(text.partition(".")[2]) == money.exponent(currency)


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_share_is_the_exact_fraction_with_halves_away_from_zero(minor: int, up: int, down: int) -> None:
    """Checked against fractions, which know no rounding."""
    exact = Fraction(minor * up, down)
    whole = int(abs(exact) + Fraction(1, 2))

    assert money.share(minor, up, down) == (whole if exact >= 0 else -whole)


@pytest.mark.parametrize(("minor", "share"), [(1, 1), (-1, -1), (3, 2), (-3, -2), (2, 1), (-2, -1), (0, 0)])
def test_halves_go_away_from_zero_on_both_sides(minor: int, share: int) -> None:
    """Not to the even neighbour, as Python's own rounding does."""
    assert money.share(minor, 1, 2) == share


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**4), st.integers(1, 10**4))
def test_a_refund_is_the_charge_with_the_other_sign(minor: int, up: int, down: int) -> None:
    """What was charged can be given back to the cent."""
    assert money.share(-minor, up, down) == -money.share(minor, up, down)
