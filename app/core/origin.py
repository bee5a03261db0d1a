"""Where a request comes from: for limits, and for whoever keeps a record and stands below the web."""

import ipaddress
import uuid
from contextvars import ContextVar
from typing import Literal

# The client's address as far as trusted proxies tell it; empty outside of requests.
address: ContextVar[str] = ContextVar("address", default="")
# What the client's program says it is, as it came.
user_agent: ContextVar[bytes] = ContextVar("user_agent", default=b"")
# Who is signed in: the kind and the id of a user, of an API key, or of a user who acts as an administrator.
caller: ContextVar[tuple[Literal["user", "api_key", "admin"], uuid.UUID] | None]
caller = ContextVar("caller", default=None)


def customer(client: str) -> str:
    """What counts as one caller: an IPv4 address, or the network of an IPv6 address, which is one customer's."""
    return _cut(client, 32)


def network(client: str) -> str:
    """The address without its last part (/24 or /64), which is what records keep and lockouts go by."""
    return _cut(client, 24)


def _cut(client: str, ipv4_bits: int) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client[:64]
    mapped = getattr(address, "ipv4_mapped", None)
    if isinstance(address, ipaddress.IPv4Address) or mapped is not None:
        cut = ipaddress.ip_network(f"{mapped or address}/{ipv4_bits}", strict=False)
        return str(cut.network_address) if ipv4_bits == 32 else str(cut)
    return address.packed[:8].hex(":", 2)
