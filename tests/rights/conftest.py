"""Rights depend on places, so the airports have been read."""

import pytest

from tests.rules.conftest import admin

__all__ = ["admin"]


@pytest.fixture(autouse=True)
def places(address: str) -> None:
    """The API of the tests has read them at its start."""
