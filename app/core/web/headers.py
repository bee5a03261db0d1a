"""What every answer says to browsers: what it may do, who may read it, and that it is kept nowhere."""

from collections.abc import Collection

from starlette.types import Scope

Header = tuple[bytes, bytes]

_CSP = b"content-security-policy"
_ALWAYS: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_NOTHING: Header = (_CSP, b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
_ONE_YEAR: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_UNKEPT: Header = (b"cache-control", b"no-store")
# Whoever opens a page of ours in a window has no hold on it.
_ALONE: Header = (b"cross-origin-opener-policy", b"same-origin")
# Our pages bring their own style and send their forms to themselves.
_PAGE: Header = (
    _CSP,
    b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
)
# The documentation is a program, with scripts in its page and in files of ours.
_PROGRAM: Header = (
    _CSP,
    (
        b"default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data:; worker-src blob:; object-src 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
)
_PROGRAMS = frozenset(("/docs", "/docs/oauth2-redirect", "/redoc"))

_EXPOSED = (
    b"X-Request-ID, ETag, Location, Retry-After, RateLimit, RateLimit-Policy, Idempotency-Replayed, "
    b"Content-Disposition"
)
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE"
_ASKED_FOR = b"Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, X-Request-ID"
_A_DAY = b"86400"


def on_every_answer(*, encrypted: bool) -> list[Header]:
    """`encrypted`: browsers shall come by https only, for a year from each answer on."""
    return [*_ALWAYS, _NOTHING, _ONE_YEAR] if encrypted else [*_ALWAYS, _NOTHING]


def complete(scope: Scope, headers: list[Header], added: list[Header]) -> list[Header]:
    """An answer's headers with those of every answer, of which its own ones take the place.

    What does not say how long it may be kept, or how it is asked for again, is for nobody else and kept nowhere.
    """
    own = {name.lower(): value for name, value in headers}
    if own.get(b"content-type", b"").startswith(b"text/html"):
        headers = [*headers, _ALONE]
        if _CSP not in own:
            own[_CSP] = b""
            headers = [*headers, _PROGRAM if scope["path"] in _PROGRAMS else _PAGE]
    if b"cache-control" not in own and b"etag" not in own:
        headers = [*headers, _UNKEPT]
    return [*headers, *(one for one in added if one[0] not in own or one[0] == b"vary")]


class Cors:
    """Which web pages may read our answers. Which methods and headers there are is the same for all paths."""

    def __init__(self, origins: Collection[str], *, credentials: bool) -> None:
        self._everybody = "*" in origins
        self._origins = frozenset(one.encode() for one in origins)
        self._allowed: list[Header] = [(b"access-control-expose-headers", _EXPOSED)]
        if credentials:
            self._allowed.append((b"access-control-allow-credentials", b"true"))

    def headers(self, origin: bytes | None) -> list[Header]:
        """For an answer to this page; `Vary` for every answer, because caches may keep it for another page."""
        if self._everybody:
            return [(b"access-control-allow-origin", b"*"), *self._allowed]
        if origin not in self._origins:
            return [(b"vary", b"Origin")]
        return [(b"vary", b"Origin"), (b"access-control-allow-origin", origin or b""), *self._allowed]

    def preflight(self, origin: bytes | None) -> list[Header]:
        """For a browser that asks before it sends; without permission it does not."""
        return [
            *self.headers(origin),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _ASKED_FOR),
            (b"access-control-max-age", _A_DAY),
        ]
