"""The same helpers as for bookings."""

from tests.bookings.conftest import no_redis

__all__ = ["no_redis"]
