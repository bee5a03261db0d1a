"""Who a request comes from, where trusted proxies stand in between."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.types import Scope

Address = IPv4Address | IPv6Address

# The one address that uvicorn believes of its own accord.
_LOOPBACK = "127.0.0.1"


class Proxies:
    """The proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.

    uvicorn believes 127.0.0.1 unless it is started with `--no-proxy-headers`, and whom FORWARDED_ALLOW_IPS names.
    What it has put in place of 127.0.0.1 is undone here and asked again, unless that variable says that it was meant.
    """

    def __init__(self, trusted: Iterable[str], *, uvicorn_was_told: bool) -> None:
        self._trusted = [ip_network(one) for one in trusted]
        self._uvicorn_was_told = uvicorn_was_told

    def see_through(self, scope: Scope) -> None:
        """Let `client` and `scheme` be those of the client: the last address that no trusted proxy has."""
        if self._uvicorn_was_told or not scope["client"]:
            return
        told = _told(scope, b"x-forwarded-for")
        peer = _LOOPBACK if _put_there_by_uvicorn(scope["client"], told) else scope["client"][0]
        scheme = _told(scope, b"x-forwarded-proto")
        if scheme and self._trusts(peer):
            scope["scheme"] = "https" if scheme[-1] == "https" else "http"
        elif scheme and peer == _LOOPBACK:
            scope["scheme"] = "http"
        scope["client"] = (self._last_untrusted(peer, told), 0)

    def _last_untrusted(self, peer: str, told: list[str]) -> str:
        """Behind what is no address stands whatever somebody made up; who told it is all that is known."""
        while told and self._trusts(peer):
            before = _read(told.pop())
            if before is None:
                break
            peer = before
        return peer

    def _trusts(self, address: str) -> bool:
        try:
            read: Address = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(read, "ipv4_mapped", None)
        return any((mapped or read) in network for network in self._trusted)


def _told(scope: Scope, wanted: bytes) -> list[str]:
    """What stands between commas, in all headers of that name."""
    values = [value for name, value in scope["headers"] if name == wanted]
    return [one.strip() for one in b",".join(values).decode("latin-1").split(",") if one.strip()]


def _put_there_by_uvicorn(client: tuple[str, int], told: list[str]) -> bool:
    """uvicorn takes the last address that is not its proxy's, with port 0 where none is told."""
    last = next((one for one in reversed(told) if one != _LOOPBACK), None)
    host, port = client
    with_port = (f"{host}:{port}", f"[{host}]:{port}")
    return last is not None and (last in with_port or (port == 0 and last in (host, f"[{host}]")))


def _read(written: str) -> str | None:
    """An address as proxies write it, with a port or without; None for everything else."""
    if written.startswith("["):
        written, closed, _ = written[1:].partition("]")
        written = written if closed else ""
    elif written.count(":") == 1:
        written = written.partition(":")[0]
    try:
        return None if "%" in written else str(ip_address(written))
    except ValueError:
        return None
