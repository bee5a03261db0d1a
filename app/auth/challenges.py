"""What is mailed to an address to be sent back once: proof that somebody reads what comes there, and no login.

The database holds a number and the token's hash. The token follows from the number and the secret key, so a mail that
is sent again carries the same link, and who reads the table has none. It is good for one purpose, and void once the
password has changed.
"""

import hashlib
import hmac
import secrets
import uuid
from base64 import urlsafe_b64encode
from typing import Literal

from app.auth import lookups
from app.auth.errors import LinkNotValid
from app.core import attempts, origin
from app.core.config import settings
from app.core.db import Row, Session

Purpose = Literal["verify_email", "reset_password", "change_email", "login_code"]

_MINUTES: dict[Purpose, int] = {
    "verify_email": 24 * 60,
    "reset_password": 30,
    "change_email": 60,
    "login_code": 10,
}
_TRIES = attempts.Policy("login_code", 5, _MINUTES["login_code"] * 60)
# How many codes are mailed to an account, by whomever the right password is said from one network, and from all.
_CODES = attempts.Policy("login_codes", 3, _MINUTES["login_code"] * 60)
_CODES_OF_ALL = attempts.Policy("login_codes_all", 20, _MINUTES["login_code"] * 60)
_DIGITS = 8


async def begin(
    session: Session, purpose: Purpose, user_id: uuid.UUID | None, email: str | None = None
) -> uuid.UUID:
    """Have a link or a code mailed to the account's address, or to another one that is to become it; gives its number.

    Without an account nothing is mailed, and the same is written.
    """
    nonce, challenge_id = secrets.token_bytes(32), uuid.uuid4()
    await lookups.add_challenge(
        session,
        challenge_id=challenge_id,
        user_id=user_id,
        purpose=purpose,
        email=email,
        nonce=nonce,
        token_hash=_hash(_token(purpose, nonce, settings().secret_keys[-1])),
        minutes=_MINUTES[purpose],
    )
    return challenge_id


async def mailed(session: Session, challenge_id: uuid.UUID) -> Row | None:
    """The `token`, the `code` and `expires_at` of a challenge; None when it can no longer be answered."""
    found = await lookups.challenge(session, challenge_id)
    token = _recovered(found["purpose"], found) if found else None
    if found is None or token is None:
        return None
    return {"token": token, "code": _code(token), "expires_at": found["expires_at"]}


async def whose(session: Session, purpose: Purpose, token: str) -> uuid.UUID:
    """The account that a token is about, which may still be sent back afterwards. Raises LinkNotValid."""
    user_id = await lookups.challenged(session, purpose, _hash(token))
    if user_id is None:
        raise LinkNotValid
    return user_id


async def answer(session: Session, purpose: Purpose, token: str) -> Row:
    """The `id`, `user_id` and `email` of the challenge; its token is spent. Raises LinkNotValid."""
    spent = await lookups.spend_challenge(session, purpose, _hash(token))
    if spent is None:
        raise LinkNotValid
    return spent


async def mail_code(session: Session, user_id: uuid.UUID) -> uuid.UUID:
    """Have a code mailed for the login in hand, and for no other; gives its number. Raises TooManyRequests."""
    here = origin.network(origin.address.get())
    await attempts.spend_in(session, _CODES, f"{user_id} {here}")
    await attempts.spend_in(session, _CODES_OF_ALL, str(user_id))
    return await begin(session, "login_code", user_id)


async def accepts_code(session: Session, user_id: uuid.UUID, attempt: uuid.UUID, code: str) -> bool:
    """Whether this code was mailed for that login; it is spent. Raises TooManyRequests after five that were not."""
    found = await lookups.live_code(session, user_id, attempt)
    if found is None:
        return False
    await attempts.check(session, _TRIES, str(found["id"]), in_turn=True)
    token = _recovered("login_code", found)
    if token is None or not hmac.compare_digest(_code(token).encode(), code.encode("utf-8", "surrogatepass")):
        await attempts.note(session, _TRIES, str(found["id"]))
        return False
    return await lookups.spend_challenge(session, "login_code", found["token_hash"]) is not None


def _recovered(purpose: str, row: Row) -> str | None:
    """The token of a stored challenge, made with whichever key it was."""
    tokens = (_token(purpose, row["nonce"], key) for key in settings().secret_keys)
    return next((one for one in tokens if _hash(one) == row["token_hash"]), None)


def _token(purpose: str, nonce: bytes, key: str) -> str:
    drawn = hmac.digest(key.encode(), f"challenge {purpose} ".encode() + nonce, "sha256")
    return urlsafe_b64encode(drawn).rstrip(b"=").decode()


def _code(token: str) -> str:
    """What people type: it follows from the token, and not the token from it."""
    drawn = int.from_bytes(hashlib.sha256(b"code " + token.encode()).digest())
    return f"{drawn % 10**_DIGITS:0{_DIGITS}}"


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
