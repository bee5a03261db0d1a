"""What a request may be made of, looked at before anything of the product reads it.

Whoever is behind the door gets a request whose address is UTF-8, whose headers say one thing, and whose body has
come in whole, is as large as it may be and, where it is JSON, has been read strictly.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.errors import AppError, BadRequest
from app.core.web import problems, strict_json
from app.core.web.problems import (
    AddressTooLong,
    BodyTooLarge,
    HeadersTooLarge,
    MalformedRequest,
    RequestTimeout,
    UnsupportedMediaType,
)

MOST_BYTES = 1024 * 1024
_LONGEST_ADDRESS = 8 * 1024
_LONGEST_HEADERS = 16 * 1024
# For each MiB that a path takes.
BODY_SECONDS = 10.0
_HOST = re.compile(rb"[A-Za-z0-9._:\[\]-]{1,255}")
# Of these a second one could be believed by somebody who reads the request after us.
_ONCE_ONLY = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"content-type",
        b"content-encoding",
        b"authorization",
        b"idempotency-key",
    )
)


class Door:
    """Pure ASGI, around everything that reads.

    `larger` names the paths that take larger bodies, and how large. `others` names those that take something else
    than JSON, and how its media types begin; where that is with nothing, the route reads the bytes as they come.
    """

    def __init__(
        self, app: ASGIApp, larger: Mapping[str, int], others: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.app = app
        self.larger = larger
        self.others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                receive = await self._admitted(scope, receive)
            except AppError as refusal:
                answer = problems.answer(Request(scope), refusal)
                if isinstance(refusal, MalformedRequest | RequestTimeout):
                    # Nobody knows where this request ends and the next one begins.
                    answer.headers["connection"] = "close"
                await answer(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _admitted(self, scope: Scope, receive: Receive) -> Receive:
        _check_address(scope)
        headers = _headers(scope)
        declared = _declared(headers)
        if declared == 0 or scope["method"] in ("GET", "HEAD"):
            return receive
        most = self.larger.get(scope["path"], MOST_BYTES)
        if declared is not None and declared > most:
            raise _too_large(most)
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise UnsupportedMediaType("Send the body as it is, without a Content-Encoding.")
        others = self.others.get(scope["path"], ())
        if "" in others:
            return _counted(receive, most)
        body = await _whole(receive, most)
        kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
            scope.setdefault("state", {})["json"] = strict_json.read(body) if body else None
        elif body and not kind.startswith(others):
            raise UnsupportedMediaType
        return _replayed(body, receive)


def read_at_the_door(scope: Scope) -> Any:
    """The request's JSON; None where there is none."""
    return scope.get("state", {}).get("json")


def _check_address(scope: Scope) -> None:
    path, query = scope.get("raw_path") or b"", scope.get("query_string", b"")
    if len(path) + len(query) > _LONGEST_ADDRESS:
        raise AddressTooLong(f"The most is {_LONGEST_ADDRESS} bytes.")
    for part in (path, query):
        if b"%" in part or not part.isascii():
            try:
                text = unquote_to_bytes(part).decode()
            except UnicodeDecodeError:
                raise MalformedRequest("The address is not UTF-8.") from None
            if "\0" in text:
                raise MalformedRequest("U+0000 is not allowed in the address.")


def _headers(scope: Scope) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    size = 0
    for name, value in scope["headers"]:
        size += len(name) + len(value) + 4
        if name in _ONCE_ONLY and name in headers:
            raise MalformedRequest("A header that may come once came twice.")
        headers[name] = value
    if size > _LONGEST_HEADERS:
        raise HeadersTooLarge(f"The most is {_LONGEST_HEADERS} bytes.")
    host = headers.get(b"host")
    if not _HOST.fullmatch(host or b"") and (host is not None or scope.get("http_version") == "1.1"):
        raise MalformedRequest("Host is not the name of a server.")
    return headers


def _declared(headers: Mapping[bytes, bytes]) -> int | None:
    """How long the body says it is; None where it comes in chunks."""
    length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding")
    if coding is not None:
        if length is not None or coding.lower() != b"chunked":
            raise MalformedRequest("The length of the body can be understood in more than one way.")
        return None
    if length is None:
        return 0
    if not length.isdigit() or len(length) > 18:
        raise MalformedRequest("Content-Length is not a number that a body could have.")
    return int(length)


def _too_large(most: int) -> BodyTooLarge:
    return BodyTooLarge(f"The most is {most} bytes.")


def _seconds(most: int) -> float:
    return BODY_SECONDS * most / MOST_BYTES


async def _whole(receive: Receive, most: int) -> bytes:
    """Raises BodyTooLarge, RequestTimeout, and BadRequest where the client goes away."""
    pieces, counted = [], _counted(receive, most)
    while True:
        message = await counted()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _counted(receive: Receive, most: int) -> Receive:
    """The body as it comes in, as long as it is not too large and not too late."""
    left, ends, over = most, asyncio.get_running_loop().time() + _seconds(most), False

    async def received() -> Message:
        nonlocal left, over
        if over:
            return await receive()  # It waits for the client to go away, which may take as long as it likes.
        try:
            async with asyncio.timeout_at(ends):
                message = await receive()
        except TimeoutError:
            raise RequestTimeout(f"All of it must be here within {_seconds(most):.0f} seconds.") from None
        if message["type"] == "http.disconnect":
            raise BadRequest("The body broke off.")
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(most)
        over = not message.get("more_body")
        return message

    return received


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received
