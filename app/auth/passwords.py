"""Argon2id hashes, made in a bounded pool so that logins cannot take the whole machine.

Parameters: 19 MiB, 2 passes, 1 lane. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.auth.errors import WeakPassword
from app.core.errors import FieldProblem

_SHORTEST = 10
# Without the digits and marks around them; nothing is left of "1234567890".
_COMMON = ("", "abc", "password", "qwerty", "letmein", "iloveyou", "welcome", "jetway")

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_pool = ThreadPoolExecutor(max_workers=max(1, (os.cpu_count() or 2) - 1), thread_name_prefix="argon2")


def require_strong(password: str, *, about: tuple[str, ...]) -> None:
    """Length first (NIST SP 800-63B); then no password made of a common one or of the person's own data.

    Raises WeakPassword.
    """
    plain = password.casefold()
    personal = [part.casefold() for part in about if len(part) >= 4]
    reason = None
    if len(password) < _SHORTEST:
        reason = f"Use at least {_SHORTEST} characters"
    elif len(set(plain)) < 5 or plain.strip("0123456789!.?") in _COMMON:
        reason = "This password is among the first that are guessed"
    elif any(plain == part for part in personal):
        reason = "Do not use your own name or address"
    if reason:
        raise WeakPassword(reason + ".", errors=[FieldProblem("/password", "weak_password", reason)])


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_pool, _hasher.hash, password)


async def fits(password: str, stored: str | None) -> bool:
    """Whether the password is right; without a stored hash it takes as long and is never right."""
    right = await asyncio.get_running_loop().run_in_executor(
        _pool, lambda: _verify(stored or _decoy(), password)
    )
    return right and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache
def _decoy() -> str:
    return _hasher.hash("nobody has this password")
