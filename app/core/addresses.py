"""Which URLs and addresses the product speaks to when a user names them: rules only, no network.

A user who may name a URL may try to reach what only we can reach: a database, a neighbour, a cloud's metadata.
So a URL has one plain form that nobody can read in two ways, and an address is public or refused.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import idna

from app.core.config import settings

Network = IPv4Network | IPv6Network

_LONGEST_URL = 2048
_HTTPS_ONLY = "The URL must begin with https://."
# What RFC 3986 lets a URL consist of, but for `#`, since a fragment is never sent.
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
_URL = re.compile(r"([a-z]+)://([^/?]*)(.*)", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[.*\]|[^:\[\]]*)(?::(.*))?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LONGEST_NAME = 253
# Readers of URLs disagree on such a name: many take `127.1` and `0x7f.1` for the address 127.0.0.1.
_ENDS_IN_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")

# Databases, caches, queues and the controls of machines: nobody receives messages there.
_OTHERS_PORTS = frozenset(
    {
        1433,
        1521,
        2049,
        2181,
        2375,
        2376,
        2379,
        2380,
        3306,
        3389,
        4369,
        5432,
        5433,
        5671,
        5672,
        5900,
        5984,
        5985,
    }
    | {
        5986,
        6379,
        6380,
        6443,
        7199,
        7474,
        7687,
        8086,
        9042,
        9092,
        9160,
        9200,
        9300,
        10250,
        10255,
        11211,
        15672,
    }
    | {26257, 26379, 27017, 27018, 27019, 28015}
)


@lru_cache(maxsize=8)
def _networks(*written: str) -> tuple[Network, ...]:
    return tuple(ip_network(one) for one in written)


# Written out from the registries of special addresses, because what `ipaddress` calls global differs by its version.
_PUBLIC_IPV6 = _networks("2000::/3")
_SPECIAL = _networks(
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
    *(
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
    ),
    *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
)


class ForbiddenURL(Exception):
    """The product does not speak to this URL; `code` is a stable word, the message is safe to show."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_url(url: str) -> str:
    """`url` with its scheme and host in lower case; raises ForbiddenURL for what is refused without asking DNS."""
    return _checked(url, settings().app_env, settings().webhook_allowed_cidrs)


@lru_cache(maxsize=4096)
def _checked(url: str, *_: str) -> str:
    """Remembered for the settings it was found under, since each delivery checks its URL again."""
    if len(url) > _LONGEST_URL:
        raise ForbiddenURL("too_long", f"The URL is longer than {_LONGEST_URL} characters.")
    if not _CHARACTERS.fullmatch(url):
        raise ForbiddenURL(
            "characters",
            "The URL has characters that a URL cannot have: write them percent-encoded, names as xn--…",
        )
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ForbiddenURL("not_https", _HTTPS_ONLY)
    scheme, authority, rest = parts[1].lower(), parts[2].lower(), parts[3]
    if "@" in authority:
        raise ForbiddenURL("userinfo", "The URL must not hold a user or a password.")
    _check_scheme(scheme)
    host, port = _host_and_port(authority)
    _check_host(host, scheme)
    _check_port(port, scheme)
    return f"{scheme}://{authority}{rest}"


def _check_scheme(scheme: str) -> None:
    if scheme != "https" and (scheme != "http" or settings().app_env == "production"):
        raise ForbiddenURL("not_https", _HTTPS_ONLY)


def _host_and_port(authority: str) -> tuple[str, str | None]:
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise ForbiddenURL("host", "The URL's host cannot be read.")
    return parts[1], parts[2]


def _check_host(host: str, scheme: str) -> None:
    address = _literal(host)
    if address is None:
        _check_name(host)
        if host == "localhost" or host.endswith(".localhost"):
            address = "127.0.0.1"
    if address is not None:
        check_addresses([address], scheme)


def _literal(host: str) -> str | None:
    """The address that stands in place of a name; only its usual form is taken for one."""
    if not host.startswith("[") and not _ENDS_IN_A_NUMBER.fullmatch(host):
        return None
    address = _read(host.removeprefix("[").removesuffix("]"))
    if address is None or host != (str(address) if address.version == 4 else f"[{address}]"):
        raise ForbiddenURL("host", "The URL's host is no address in its usual form.")
    return str(address)


def _check_name(host: str) -> None:
    labels = host.split(".")
    if len(host) > _LONGEST_NAME or not all(map(_is_label, labels)):
        raise ForbiddenURL("host", "The URL's host is not a valid name; names end without a dot.")


def _is_label(label: str) -> bool:
    if not label.startswith("xn--"):
        return _LABEL.fullmatch(label) is not None
    try:
        idna.ulabel(label)
    except idna.IDNAError:
        return False
    return True


def _check_port(port: str | None, scheme: str) -> None:
    if port is None:
        return
    usual = 443 if scheme == "https" else 80
    number = int(port) if _PORT.fullmatch(port) else 0
    if number != usual and not (1024 <= number <= 65535 and number not in _OTHERS_PORTS):
        raise ForbiddenURL(
            "port", f"The URL's port must be {usual}, or one from 1024 up that no database uses."
        )


def name_in(url: str) -> str | None:
    """The name that a checked URL's host is known by; none where an address stands in its place."""
    host = urlsplit(url).hostname or ""
    return None if _read(host) else host


def check_addresses(found: Iterable[str], scheme: str = "https") -> None:
    """Refuse all of a host's addresses if one is refused; in the clear only our own networks are spoken to."""
    for address in found:
        if not permitted(address):
            raise ForbiddenURL("address", "The URL leads to an address that is not public.")
        if scheme == "http" and not _is_ours(address):
            raise ForbiddenURL("not_https", _HTTPS_ONLY)


def permitted(address: str) -> bool:
    """Whether the product may connect to this address: a public one, or one that the settings allow."""
    return is_public(address) or _is_ours(address)


def is_public(address: str) -> bool:
    """Whether everybody can reach this address; IPv4 inside IPv6 is judged as IPv4, scopes are refused."""
    read = _read(address)
    if read is None or _is_in(_SPECIAL, read):
        return False
    return read.version == 4 or _is_in(_PUBLIC_IPV6, read)


def _is_ours(address: str) -> bool:
    """Whether the address is on this machine, or where the settings say; in production none is."""
    read = _read(address)
    return read is not None and _is_in(_networks(*settings().webhook_allowed_networks), read)


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        read = ip_address(address)
    except ValueError:
        return None
    if isinstance(read, IPv6Address):
        return None if read.scope_id is not None else read.ipv4_mapped or read
    return read


def _is_in(networks: tuple[Network, ...], address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in networks)
