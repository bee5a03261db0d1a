"""A second factor: codes of an authenticator (RFC 6238) that count once each, and recovery codes for its loss."""

import hashlib
import secrets
import uuid
from base64 import b32decode, b32encode
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken as Mismatch
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from app.auth import lookups, notices, proofs, repository
from app.auth.errors import InvalidToken, NotConfirmed, SecondFactorOff, SecondFactorOn
from app.auth.models import User
from app.core import attempts, clock, crypto, db
from app.core.db import Row, Session

_WRONG_CODES = attempts.Policy("second_factor", 5, 5 * 60)
_STEP_SECONDS, _DIGITS, _SECRET_BYTES = 30, 6, 20
# Clocks of phones are not exact: the code before and the one after count as well.
_STEPS_AROUND = (0, -1, 1)
# 120 bits each, so that their hashes need neither salt nor time.
_RECOVERY_CODES, _RECOVERY_BYTES = 10, 15


async def begin(user_id: uuid.UUID, password: str) -> Row:
    """A new secret, which counts once a code of it was sent back. Raises NotConfirmed, SecondFactorOn."""
    proven = await proofs.password(user_id, password)
    raw = secrets.token_bytes(_SECRET_BYTES)
    async with db.transaction() as session:
        user = await proofs.still(session, proven)
        if user.totp_confirmed_at is not None:
            raise SecondFactorOn
        secret = b32encode(raw).decode()
        await lookups.enrol(session, user.id, crypto.seal(secret, _context(user.id)))
        await notices.note(session, user.id, "second_factor.begun")
    uri = f"otpauth://totp/Jetway:{quote(user.email)}?secret={secret}&issuer=Jetway"
    return {"secret": secret, "otpauth_uri": uri}


async def confirm(user_id: uuid.UUID, session_id: uuid.UUID, code: str) -> list[str]:
    """Switch the second factor on; the recovery codes, which are shown this once.

    Raises NotConfirmed, SecondFactorOn, SecondFactorOff, TooManyRequests.
    """
    async with db.transaction() as session:
        user = await repository.locked_user(session, user_id)
        if user is None:
            raise InvalidToken
        if user.totp_confirmed_at is not None:
            raise SecondFactorOn
        if user.totp_secret is None:
            raise SecondFactorOff
        right = await accepts(session, user, code)
        if right:
            await lookups.confirm_totp(session, user.id)
            await lookups.mark_second_factor(session, session_id)
            codes = await _new_recovery_codes(session, user.id)
            await notices.note(session, user.id, "second_factor.on")
            await notices.tell(session, user.id, "totp_on")
    if not right:
        raise NotConfirmed
    return codes


async def disable(user_id: uuid.UUID, password: str, code: str) -> None:
    """Raises NotConfirmed, SecondFactorOff, TooManyRequests."""
    proven = await proofs.password(user_id, password)
    async with db.transaction() as session:
        user, right = await _proven(session, proven, code)
        if right:
            await drop(session, user)
    if not right:
        raise NotConfirmed


async def drop(session: Session, user: User) -> None:
    """Switch it off, and tell the owner."""
    await lookups.drop_totp(session, user.id)
    await notices.note(session, user.id, "second_factor.off")
    await notices.tell(session, user.id, "totp_off")


async def renew_recovery_codes(user_id: uuid.UUID, password: str, code: str) -> list[str]:
    """New recovery codes; the old ones are void. Raises NotConfirmed, SecondFactorOff, TooManyRequests."""
    proven = await proofs.password(user_id, password)
    codes: list[str] = []
    async with db.transaction() as session:
        user, right = await _proven(session, proven, code)
        if right:
            codes = await _new_recovery_codes(session, user.id)
            await notices.note(session, user.id, "second_factor.codes_renewed")
    if not right:
        raise NotConfirmed
    return codes


async def accepts(session: Session, user: User, code: str) -> bool:
    """Whether a code of the authenticator or a recovery code is right; it is spent. The account's row is locked.

    Five that are wrong in five minutes close this to the account, which only who knows its password can do. Raises
    TooManyRequests.
    """
    await attempts.check(session, _WRONG_CODES, str(user.id), in_turn=True)
    typed = "".join(code.split()).replace("-", "")
    if typed.isascii() and typed.isdecimal() and len(typed) == _DIGITS:
        right = await _accepts_totp(session, user, typed)
    else:
        right = await lookups.spend_recovery_code(session, user.id, _hash(typed.upper()))
    if not right:
        await attempts.note(session, _WRONG_CODES, str(user.id))
        await notices.note(session, user.id, "second_factor.failed")
    return right


async def reseal(session: Session, most: int) -> int:
    """Seal secrets anew that were sealed with an older key; returns how many were. Raises CannotOpen."""
    found = await lookups.secrets_not_sealed_by(session, crypto.newest(), most)
    ids = [row["id"] for row in found]
    sealed = [
        crypto.seal(crypto.open(row["secret"], _context(row["id"])), _context(row["id"])) for row in found
    ]
    await lookups.reseal_secrets(session, ids, sealed)
    return len(found)


async def _proven(session: Session, proven: User, code: str) -> tuple[User, bool]:
    user = await proofs.still(session, proven)
    if user.totp_confirmed_at is None:
        raise SecondFactorOff
    return user, await accepts(session, user, code)


async def _accepts_totp(session: Session, user: User, typed: str) -> bool:
    assert user.totp_secret is not None  # noqa: S101
    secret = crypto.open(user.totp_secret, _context(user.id))
    totp = TOTP(b32decode(secret), _DIGITS, SHA1(), _STEP_SECONDS)  # noqa: S303  # nosec B303: what authenticators speak.
    now = int(clock.now().timestamp()) // _STEP_SECONDS
    for step in (now + around for around in _STEPS_AROUND):
        try:
            totp.verify(typed.encode(), step * _STEP_SECONDS)
        except Mismatch:
            continue
        return await lookups.spend_step(session, user.id, step)
    return False


async def _new_recovery_codes(session: Session, user_id: uuid.UUID) -> list[str]:
    drawn = [b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode() for _ in range(_RECOVERY_CODES)]
    await lookups.replace_recovery_codes(session, user_id, [_hash(code) for code in drawn])
    return ["-".join(code[start : start + 6] for start in range(0, len(code), 6)) for code in drawn]


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).digest()


def _context(user_id: uuid.UUID) -> str:
    return f"user {user_id} totp"
