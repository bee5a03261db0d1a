"""API keys, with which a server speaks for an account within a few scopes.

A key is shown once and kept as a hash. Each process keeps the keys it has seen for a minute, so that a request with
one needs no query; that a key was revoked is learned like that of sessions.
"""

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from time import monotonic

from app.auth import notices, proofs, repository, revoked
from app.auth.errors import (
    ApiKeyNotFound,
    InvalidToken,
    TooManyApiKeys,
    WrongKeyMode,
)
from app.auth.models import User
from app.auth.shapes import ApiKeyIn
from app.auth.tokens import Caller
from app.core import audit, db
from app.core.clock import rfc3339
from app.core.config import settings
from app.core.db import Row, Session

PREFIX = "jtw_"
MOST_EACH = 20
# Events are kept for as long at least, so that nobody is told twice.
_TOLD_DAYS = 7
_FORM = re.compile(r"jtw_(test|live)_[A-Za-z0-9_-]{43}")
_KNOWN_SECONDS, _MOST_KNOWN = 60.0, 10_000
_SHOWN_CHARACTERS = len("jtw_test_") + 4


@dataclass(frozen=True, slots=True)
class _Known:
    """A key that was honoured a moment ago, and until when nobody needs to ask again."""

    caller: Caller
    until: float


_known: dict[bytes, _Known] = {}


async def read(key: str) -> Caller:
    """Whose key this is. Whether it was revoked since is asked elsewhere. Raises InvalidToken, WrongKeyMode."""
    form = _FORM.fullmatch(key)
    if form is None:
        raise InvalidToken
    if form[1] != _mode():
        raise WrongKeyMode(f"This is a {form[1]} key, and the deployment takes {_mode()} keys.")
    key_hash = _hash(key)
    known = _known.get(key_hash)
    if known is None or known.until <= monotonic():
        known = await _looked_up(key_hash)
    return known.caller


def known(key: str) -> Caller | None:
    """Whose key this is, if this process has met it within the last minute."""
    met = _known.get(_hash(key))
    return met.caller if met and met.until > monotonic() else None


async def create(session: Session, proven: User, data: ApiKeyIn) -> Row:
    """A new key, which is shown now and never again. Raises NotConfirmed, TooManyApiKeys."""
    user_id = (await proofs.still(session, proven)).id
    key = f"{PREFIX}{_mode()}_{secrets.token_urlsafe(32)}"
    added = await repository.add_key(
        session,
        MOST_EACH,
        data.expires_in_days,
        user_id=user_id,
        name=data.name,
        mode=_mode(),
        shown=key[:_SHOWN_CHARACTERS] + "…",
        key_hash=_hash(key),
        scopes=sorted(set(data.scopes)),
    )
    if added is None:
        raise TooManyApiKeys(f"An account has {MOST_EACH} at most.")
    await _noted(session, "api_key.created", user_id, added["id"])
    return _view(added) | {"key": key}


async def listed(session: Session, user_id: uuid.UUID) -> Row:
    """All of the user's keys that are honoured, newest first."""
    return {
        "data": [_view(one) for one in await repository.keys_of(session, user_id)],
        "next_cursor": None,
    }


async def revoke(session: Session, user_id: uuid.UUID, key_id: uuid.UUID) -> None:
    """Raises ApiKeyNotFound, also for somebody else's."""
    if not await end(session, user_id, only=key_id):
        raise ApiKeyNotFound
    await _noted(session, "api_key.revoked", user_id, key_id)


async def end(session: Session, user_id: uuid.UUID, *, only: uuid.UUID | None = None) -> int:
    """End one of a user's keys, or all of them; how many there were."""
    ended = await repository.revoke_keys(session, user_id, only)
    revoked.after_commit(session, ended)
    return len(ended)


async def end_all(session: Session, user_id: uuid.UUID) -> None:
    """With the password that they were made with, each noted."""
    for one in await repository.keys_of(session, user_id):
        await _noted(session, "api_key.revoked", user_id, one["id"])
    await end(session, user_id)


async def tell_of_ends(session: Session) -> None:
    """Have owners told a week before a key ends, once for each key."""
    for one in await repository.keys_about_to_end(session, _TOLD_DAYS):
        await notices.tell(session, one["user_id"], "api_key_ending", once=one["once"], key_id=str(one["id"]))


async def _looked_up(key_hash: bytes) -> _Known:
    """A key that nobody has is not remembered: whoever tries many would fill the memory."""
    async with db.transaction() as session:
        found = await repository.use_key(session, key_hash)
    if found is None:
        _known.pop(key_hash, None)
        raise InvalidToken("The API key is unknown, revoked or has expired.")
    left = _KNOWN_SECONDS if found["seconds_left"] is None else float(found["seconds_left"])
    caller = Caller(found["user_id"], found["id"], frozenset(found["scopes"]))
    if len(_known) >= _MOST_KNOWN:
        _known.pop(next(iter(_known)))
    known = _known[key_hash] = _Known(caller, monotonic() + min(left, _KNOWN_SECONDS))
    return known


async def _noted(session: Session, action: str, user_id: uuid.UUID, key_id: uuid.UUID) -> None:
    subject = f"user:{user_id}"
    await audit.record(session, action, by="user", actor=user_id, subject=subject, key_id=str(key_id))


def _mode() -> str:
    return "live" if settings().app_env == "production" else "test"


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _view(found: Row) -> Row:
    at = ("created_at", "last_used_at", "expires_at")
    return {
        "id": str(found["id"]),
        "name": found["name"],
        "mode": found["mode"],
        "shown": found["shown"],
        "scopes": found["scopes"],
        **{name: rfc3339(found[name]) if found[name] else None for name in at},
    }
