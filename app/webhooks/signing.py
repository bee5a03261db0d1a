"""Signatures as https://www.standardwebhooks.com specifies them, so that receivers find libraries that know them."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that sign: what follows `whsec_`, decoded. Raises ValueError for what is no secret."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("not a webhook secret") from None


def sign(keys: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: one signature for each key, the newest first. Time is in Unix seconds."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        f"v1,{binascii.b2a_base64(hmac.digest(key, signed, 'sha256'), newline=False).decode()}"
        for key in keys
    )
