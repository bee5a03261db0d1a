"""Airports in arrays are where the directory has them."""

import numpy as np
import pytest

from app.airports.service import distance_km
from app.timetable import codes
from app.timetable.places import Places
from tests.timetable.worlds import directory


def test_distances_are_those_of_the_directory() -> None:
    """To the metre, at short and long range, and over the date line."""
    places, airports = Places.of(directory()), list(directory().by_iata.values())
    numbers = np.array([places.number[codes.pack(airport.iata)] for airport in airports])

    found = places.km(numbers[:, None], numbers[None, :])

    for row, one in zip(found, airports, strict=True):
        expected = [distance_km(one.latitude, one.longitude, two.latitude, two.longitude) for two in airports]
        assert row == pytest.approx(expected, abs=0.001)


def test_the_airports_of_a_city_share_it() -> None:
    places = Places.of(directory())
    heathrow, gatwick, madrid = (places.number[codes.pack(code)] for code in ("LHR", "LGW", "MAD"))

    assert places.city[heathrow] == places.city[gatwick] != places.city[madrid]
    assert places.numbers(("LGW", "LHR", "LHR", "QQQ")).tolist() == sorted([heathrow, gatwick])


def test_places_are_made_once_for_a_directory() -> None:
    assert Places.of(directory()) is Places.of(directory())
