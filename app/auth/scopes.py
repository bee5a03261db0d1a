"""What an API key may do: one table of paths, and reading or writing.

Paths that are not in it, all of `/auth` and `/admin` among them, are closed to keys.
"""

from typing import Literal, get_args

from app.auth.errors import InsufficientScope

Scope = Literal[
    "bookings:read",
    "bookings:write",
    "webhooks:read",
    "webhooks:write",
    "notifications:read",
    "notifications:write",
]
SCOPES: tuple[str, ...] = get_args(Scope)

# The paths that begin so, and what reading and writing there is called.
_AREAS = {
    "/bookings": "bookings",
    "/webhooks": "webhooks",
    "/notifications": "notifications",
    "/devices": "notifications",
    "/flights/followed": "notifications",
    "/flights/{flight_id}/follow": "notifications",
}
_READING = frozenset(("GET", "HEAD"))


def wanted(method: str, route: str) -> str | None:
    """The scope that a route asks of a key; None where it takes no key at all."""
    area = next(
        (name for path, name in _AREAS.items() if route == path or route.startswith(path + "/")), None
    )
    return area and f"{area}:{'read' if method in _READING else 'write'}"


def require(held: frozenset[str], method: str, route: str) -> None:
    """Raises InsufficientScope. Who may write may read."""
    scope = wanted(method, route)
    if scope is None:
        raise InsufficientScope("API keys are not taken here: sign in.", scope=None)
    if scope not in held and scope.replace(":read", ":write") not in held:
        raise InsufficientScope(f"The API key lacks the scope {scope}.", scope=scope)
