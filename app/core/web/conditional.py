"""Answers made of ready bytes, with an ETag and 304 for a client that still has them (RFC 9110, 13.1.2)."""

import hashlib
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response


def etag_of(body: bytes) -> str:
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the client's `If-None-Match` names this answer; weak tags compare equal, as the RFC asks."""
    if not if_none_match:
        return False
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return etag in named or "*" in named


def reference_data(request: Request, content: Any, max_age: int = 3600) -> Response:
    """Public data that seldom changes: serialised once, cacheable, revalidated by its ETag."""
    body = orjson.dumps(content)
    etag = etag_of(body)
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={max_age}"}
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
