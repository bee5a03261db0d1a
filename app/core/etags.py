"""Entity tags: what a client compares to know that an answer has not changed (RFC 9110, 8.8.3 and 13.1.2)."""

import hashlib


def etag_of(body: bytes) -> str:
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the client's `If-None-Match` names this answer; weak tags compare equal, as the RFC asks."""
    if not if_none_match:
        return False
    named = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    return etag in named or "*" in named
