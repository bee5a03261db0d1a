"""The same helpers as for bookings."""

from tests.bookings.conftest import fleet, no_redis

__all__ = ["fleet", "no_redis"]
