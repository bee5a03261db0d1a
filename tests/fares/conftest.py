"""Fares are priced between airports, so those have been read."""

import pytest


@pytest.fixture(autouse=True)
def places(address: str) -> None:
    """The API of the tests has read them at its start."""
