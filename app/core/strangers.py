"""HTTP to servers that users name: only to addresses that were checked, and bounded in time and size.

A name is resolved here, every answer is checked, and the checked address is what the connection goes to, so that
a name cannot be one address when it is looked at and another when it is used. The socket checks once more, because
a URL with an address in place of a name is never resolved. Redirects are answers; proxies, cookies and compression
are not known here.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from app.core.addresses import ForbiddenURL, check_addresses, check_url, name_in, permitted
from app.core.exchanges import Answer, Broken, Exchange

_TOTAL_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
_RESOLVE_SECONDS = 2.0
# Many servers hang up after five idle seconds: a connection that is let go before is never found broken.
_IDLE_SECONDS = 4.0
# A busy name is asked for once in so long, however many connections are opened.
_NAME_SECONDS = 5.0
_KEPT_HEADERS = ("content-type", "retry-after")

# Scheme, name and port.
_Server = tuple[str, str, int]
# As `getaddrinfo` gives them: family, kind, protocol, canonical name, address.
_Target = tuple[int, int, int, str, tuple[Any, ...]]

# Threads of its own, as many as there may be slow names at once: they keep nobody else's work waiting.
_resolving = ThreadPoolExecutor(128, thread_name_prefix="dns")
_client: "_Client | None" = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one request; without a `status` there is an `error`, a word of ours."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    excerpt: bytes = b""
    error: str | None = None
    milliseconds: int = 0


@dataclass(slots=True)
class _Client:
    """How long things may take, and the connections that are open and idle."""

    total_seconds: float
    connect_seconds: float
    resolve_seconds: float
    encrypted: ssl.SSLContext
    idle: dict[_Server, list[tuple[float, Exchange]]] = field(default_factory=dict)
    names: dict[tuple[str, int], tuple[float, asyncio.Task[Sequence[_Target]]]] = field(default_factory=dict)
    sweeping: asyncio.TimerHandle | None = None

    def kept(self, server: _Server) -> Exchange | None:
        """A connection that was used a moment ago and is still open."""
        waiting = self.idle.get(server)
        while waiting:
            since, exchange = waiting.pop()
            if exchange.is_reusable and monotonic() - since < _IDLE_SECONDS:
                return exchange
            exchange.close()
        return None

    def keep(self, server: _Server, exchange: Exchange) -> None:
        self.idle.setdefault(server, []).append((monotonic(), exchange))
        if self.sweeping is None:
            self.sweeping = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        self.sweeping = None
        self.names = {name: one for name, one in self.names.items() if monotonic() - one[0] < _NAME_SECONDS}
        before, self.idle = self.idle, {}
        for server, waiting in before.items():
            for since, exchange in waiting:
                if exchange.is_reusable and monotonic() - since < _IDLE_SECONDS:
                    self.idle.setdefault(server, []).append((since, exchange))
                else:
                    exchange.close()
        if self.idle:
            self.sweeping = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._sweep)

    def close(self) -> None:
        if self.sweeping is not None:
            self.sweeping.cancel()
        for waiting in self.idle.values():
            for _, exchange in waiting:
                exchange.close()


def connect(
    *,
    total_seconds: float = _TOTAL_SECONDS,
    connect_seconds: float = _CONNECT_SECONDS,
    resolve_seconds: float = _RESOLVE_SECONDS,
) -> None:
    """Be ready to post. Resolving is part of connecting, as the TLS handshake is, and all of that of the total."""
    global _client
    encrypted = ssl.create_default_context()
    encrypted.set_alpn_protocols(["http/1.1"])
    _client = _Client(total_seconds, connect_seconds, resolve_seconds, encrypted)


async def disconnect() -> None:
    global _client
    if _client is not None:
        _client.close()
        _client = None


async def resolves_to_public(url: str, *, seconds: float = _RESOLVE_SECONDS) -> None:
    """Refuse a URL that `check_url` refuses, or whose name leads by any of its answers to where we do not connect."""
    name = name_in(check_url(url))
    if name is None:
        return
    try:
        found = await _resolved(name, 0, seconds)
    except OSError:
        raise ForbiddenURL("unresolvable", "The URL's host has no address at the moment.") from None
    check_addresses((target[4][0] for target in found), scheme=url.partition(":")[0].lower())


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
    """POST once, in the time that `connect` gave; every failure but a cancellation is a Reply."""
    if _client is None:
        raise RuntimeError("strangers.connect() was not called")
    started = monotonic()
    try:
        status, kept, excerpt = await _exchanged(_client, url, body, headers, started)
        return Reply(status, kept, excerpt, None, _since(started))
    except (ForbiddenURL, OSError, ValueError) as error:
        return Reply(error=_word(error), milliseconds=_since(started))


async def _exchanged(
    client: _Client, url: str, body: bytes, headers: Mapping[str, str], started: float
) -> Answer:
    # Checked again, for the settings may have changed.
    server, head = _read(check_url(url))
    exchange = client.kept(server)
    if exchange is None:
        async with asyncio.timeout(min(client.connect_seconds, client.total_seconds)):
            exchange = await _connected(client, server)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"{head}{lines}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body
    try:
        return await exchange.answer(request, started + client.total_seconds - monotonic())
    finally:
        if exchange.is_reusable:
            client.keep(server, exchange)


@lru_cache(maxsize=4096)
def _read(url: str) -> tuple[_Server, str]:
    """Which server a URL names, and how a request to it begins; the path is sent as it is written."""
    parts = urlsplit(url)
    scheme, name = parts.scheme.lower(), parts.hostname or ""
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    server = (scheme, name, parts.port or (443 if scheme == "https" else 80))
    return server, f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Encoding: identity\r\n"


async def _connected(client: _Client, server: _Server) -> Exchange:
    """A new connection to an address that was checked; the certificate is that of the name."""
    scheme, name, port = server
    loop = asyncio.get_running_loop()
    sock = await _opened(await _checked_targets(client, name, port))
    _, exchange = await loop.create_connection(
        lambda: Exchange(_KEPT_HEADERS),
        sock=sock,
        ssl=client.encrypted if scheme == "https" else None,
        server_hostname=name if scheme == "https" else None,
    )
    return exchange


async def _opened(targets: Sequence[_Target]) -> socket.socket:
    """A socket connected to the first of these addresses at which somebody answers."""
    failure: OSError = ConnectionError("no address")
    for target in targets:
        sock = _checked_socket(target)
        try:
            await asyncio.get_running_loop().sock_connect(sock, target[4])
        except OSError as error:
            sock.close()
            failure = error
        except asyncio.CancelledError:
            sock.close()
            raise
        else:
            return sock
    raise failure


async def _checked_targets(client: _Client, name: str, port: int) -> Sequence[_Target]:
    """Where a name, or an address in its place, leads to; refused as a whole if one of its addresses is."""
    since, looking = client.names.get((name, port), (0.0, None))
    if looking is None or monotonic() - since > _NAME_SECONDS or (looking.done() and looking.exception()):
        looking = asyncio.create_task(_resolved(name, port, client.resolve_seconds))
        # Whoever waits may be gone when the answer comes.
        looking.add_done_callback(lambda done: done.cancelled() or done.exception())
        client.names[name, port] = (monotonic(), looking)
    targets = await asyncio.shield(looking)
    check_addresses(target[4][0] for target in targets)
    return targets


async def _resolved(host: str, port: int, seconds: float) -> Sequence[_Target]:
    # With a dot at its end a name is absolute: this machine's search domains make no inside name of it. Only
    # `localhost` is known to some systems without the dot alone.
    is_name = host != "localhost" and name_in(f"https://[{host}]" if ":" in host else f"https://{host}")
    absolute = f"{host}." if is_name else host
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.get_running_loop().run_in_executor(
                _resolving, lambda: socket.getaddrinfo(absolute, port, type=socket.SOCK_STREAM)
            )
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, "the name's servers are too slow") from None


def _checked_socket(target: _Target) -> socket.socket:
    """A socket for an address that may be connected to; the last look, whatever led here."""
    family, kind, protocol, _, address = target
    if not permitted(address[0]):
        raise PermissionError("not a public address")
    sock = socket.socket(family, kind, protocol)
    sock.setblocking(False)
    return sock


def _word(error: Exception) -> str:
    return next(word(error) for kind, word in _WORDS if isinstance(error, kind))


# The first that fits.
_WORDS: tuple[tuple[type[Exception], Callable[[Exception], str]], ...] = (
    (ForbiddenURL, lambda _: "blocked"),
    (PermissionError, lambda _: "blocked"),
    (TimeoutError, lambda _: "timeout"),
    (socket.gaierror, lambda _: "dns"),
    (ssl.SSLError, lambda _: "tls"),
    (Broken, str),
    (Exception, lambda _: "connection"),
)


def _since(started: float) -> int:
    return round((monotonic() - started) * 1000)
