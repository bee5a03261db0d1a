"""Booking classes: which is the lowest that is still open."""

from hypothesis import given
from hypothesis import strategies as st

from app.fares.pricing import CABINS
from tests.fares.support import cabins, packaged

flights = st.lists(st.tuples(st.integers(1, 400), st.integers(0, 410)), min_size=1, max_size=3)


def rank(cabin: str, letter: str | None) -> int:
    """0 is the lowest class; what is not sold is above all."""
    letters = packaged().classes(cabin)
    return len(letters) if letter is None else len(letters) - 1 - letters.index(letter)


def test_classes_close_one_after_the_other_as_seats_are_taken() -> None:
    """Of 100 seats of economy: 18 in V, 34 up to Q, 50 up to H, 68 up to M, 85 up to B, all in Y."""
    open_at = [packaged().lowest_class("economy", 1, [(100, taken)]) for taken in range(101)]
    expected = ["V"] * 18 + ["Q"] * 16 + ["H"] * 16 + ["M"] * 18 + ["B"] * 17 + ["Y"] * 15 + [None]

    assert open_at == expected


def test_several_seats_are_sold_in_one_class() -> None:
    """The lowest that has room for all of them together."""
    assert packaged().lowest_class("economy", 4, [(100, 14)]) == "V"
    assert packaged().lowest_class("economy", 5, [(100, 14)]) == "Q"
    assert packaged().lowest_class("economy", 9, [(100, 92)]) is None


def test_half_a_seat_is_none() -> None:
    """18 % of 99 seats are 17."""
    assert packaged().lowest_class("economy", 1, [(99, 16)]) == "V"
    assert packaged().lowest_class("economy", 1, [(99, 17)]) == "Q"


def test_a_class_is_open_where_it_is_open_on_every_flight() -> None:
    """So a slice is sold in the class of its fullest flight."""
    assert packaged().lowest_class("economy", 1, [(100, 0), (100, 60), (100, 20)]) == "M"
    assert packaged().lowest_class("economy", 1, [(100, 0), (100, 100)]) is None


@given(cabins, st.integers(1, 9), flights)
def test_the_class_of_several_flights_is_the_highest_of_each(
    cabin: str, seats: int, several: list[tuple[int, int]]
) -> None:
    """Because classes are nested."""
    together = packaged().lowest_class(cabin, seats, several)
    each = [packaged().lowest_class(cabin, seats, [one]) for one in several]

    assert rank(cabin, together) == max(rank(cabin, one) for one in each)


@given(cabins, st.integers(1, 9), st.integers(1, 400), st.integers(0, 400))
def test_no_class_opens_again_when_a_seat_is_sold(cabin: str, seats: int, capacity: int, taken: int) -> None:
    """And everything that is left can be bought in the highest."""
    book = packaged()
    now = book.lowest_class(cabin, seats, [(capacity, taken)])
    later = book.lowest_class(cabin, seats, [(capacity, taken + 1)])

    assert rank(cabin, later) >= rank(cabin, now)
    assert (now is None) == (capacity - taken < seats)


def test_every_letter_is_of_one_cabin() -> None:
    """So that it tells the cabin."""
    letters = [letter for cabin in CABINS for letter in packaged().classes(cabin)]

    assert len(letters) == len(set(letters))
