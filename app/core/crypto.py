"""Field encryption: what the database may keep but whoever reads a copy of it may not.

AES-256-GCM. A sealed text begins with the id of its key, so that keys can be rotated; the context, such as
`booking K7QX2M passenger 0 document`, is authenticated with it, so that a sealed text is worth nothing
anywhere but in the field it was sealed for.
"""

import base64
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.config import settings

_NONCE_BYTES = 12
_ID_BYTES = 4
_KEY_BYTES = 32


class CannotOpen(Exception):
    """A sealed text was altered, moved, or sealed with a key that is not configured any more."""


def seal(plain: str, context: str) -> str:
    """Encrypt with the newest key; the same text never looks the same twice."""
    keys = _keys(tuple(settings().encryption_keys))
    key_id = next(reversed(keys))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = keys[key_id].encrypt(nonce, plain.encode(), context.encode())
    return f"{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def open(sealed: str, context: str) -> str:  # noqa: A001  The word for what is done to a seal.
    """Raises CannotOpen."""
    key_id, _, encoded = sealed.partition(".")
    key = _keys(tuple(settings().encryption_keys)).get(key_id)
    if key is None:
        raise CannotOpen("the key of this text is not configured")
    try:
        raw = base64.b64decode(encoded, altchars=b"-_", validate=True)
        return key.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode()).decode()
    except (InvalidTag, ValueError):
        raise CannotOpen("the text was altered or belongs elsewhere") from None


def seal_with(secret: str, plain: str) -> bytes:
    """Encrypt so that only who has the same secret, which must be long and random, can read it."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + _only_with(secret).encrypt(nonce, plain.encode(), None)


def open_with(secret: str, sealed: bytes) -> str:
    """Raises CannotOpen."""
    try:
        return _only_with(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
    except InvalidTag:
        raise CannotOpen("the text was sealed with another secret") from None


def _only_with(secret: str) -> AESGCM:
    return AESGCM(_derived(secret, b"jetway sealed with a secret", _KEY_BYTES))


def newest() -> str:
    """What every text begins with that is sealed from now on; other texts are due for rotation."""
    return next(reversed(_keys(tuple(settings().encryption_keys)))) + "."


@lru_cache(maxsize=4)
def _keys(secret_texts: tuple[str, ...]) -> dict[str, AESGCM]:
    """Each key under its id, oldest first; both are derived, so the id tells nothing of the key."""
    keys: dict[str, AESGCM] = {}
    for text in secret_texts:
        key_id = _derived(text, b"jetway field key id", _ID_BYTES).hex()
        keys.pop(key_id, None)  # Named twice, it stands where it was named last.
        keys[key_id] = AESGCM(_derived(text, b"jetway field key", _KEY_BYTES))
    return keys


def _derived(text: str, purpose: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(text.encode())
