"""The one outbound HTTP client: bounded in time and size, without redirects or proxies from the environment."""

from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiohttp

from app.core import work

_LONGEST_BODY = 4 * 1024 * 1024

_session: aiohttp.ClientSession | None = None


class UpstreamError(Exception):
    """The other side gave no usable answer. The message never holds a URL, because keys travel in URLs."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class _ConnectionBrokenError(aiohttp.ClientError):
    pass


async def _sent_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep the library from repeating a broken GET by itself: every call is paid for and must be counted."""
    started = monotonic()
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _ConnectionBrokenError(type(error).__name__) from None
    finally:
        work.called(monotonic() - started)


def connect() -> None:
    global _session
    # A kept connection that the other side has closed costs a paid call; calls are few, handshakes cheap.
    _session = aiohttp.ClientSession(
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=50, force_close=True),
        middlewares=(_sent_once,),
    )


async def disconnect() -> None:
    global _session
    if _session is not None:
        await _session.close()
        _session = None


def session() -> aiohttp.ClientSession:
    """For a vendor's own library, which then connects under the same rules."""
    if _session is None:
        raise RuntimeError("http.connect() was not called")
    return _session


async def get(
    url: str,
    *,
    params: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    timeout_seconds: float,
) -> Answer:
    """GET within `timeout_seconds`, counting the body; raises UpstreamError."""
    return await _send("GET", url, timeout_seconds, params=params, headers=headers)


async def post_form(url: str, fields: dict[str, str], *, timeout_seconds: float) -> Answer:
    """POST a form within `timeout_seconds`; raises UpstreamError."""
    return await _send("POST", url, timeout_seconds, data=fields)


async def post_json(
    url: str, body: bytes, *, headers: dict[str, str] | None = None, timeout_seconds: float
) -> Answer:
    """POST a JSON document within `timeout_seconds`; raises UpstreamError."""
    headers = {**(headers or {}), "Content-Type": "application/json"}
    return await _send("POST", url, timeout_seconds, data=body, headers=headers)


async def _send(method: str, url: str, timeout_seconds: float, **options: Any) -> Answer:
    timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(2.0, timeout_seconds))
    try:
        async with session().request(
            method, url, timeout=timeout, allow_redirects=False, **options
        ) as response:
            body = await _read_capped(response)
            return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, body)
    except TimeoutError:
        raise UpstreamError(f"no complete answer within {timeout_seconds:g} s") from None
    except (aiohttp.ClientError, OSError) as error:
        # The library's message may quote the URL, so only the kind of failure is kept.
        raise UpstreamError(type(error).__name__.lstrip("_")) from None


async def _read_capped(response: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > _LONGEST_BODY:
            raise UpstreamError("the answer is too large")
        chunks.append(chunk)
    return b"".join(chunks)
