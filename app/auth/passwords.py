"""Which passwords are good enough, and their Argon2id hashes.

Hashes are made in a bounded pool of threads that stand back behind everything else, so that a flood of logins takes
neither the machine nor the patience of who searches. Parameters: 19 MiB, 2 passes, 1 lane.
https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
"""

import asyncio
import hashlib
import importlib.util
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from numpy.typing import NDArray

from app.auth.errors import Overloaded, WeakPassword
from app.core.config import settings
from app.core.errors import FieldProblem

SHORTEST, LONGEST = 8, 128
_FEWEST_DIFFERENT = 5
# A part of a name or an address counts from here on, and what is left beside such parts is enough from here on.
_SHORTEST_PART, _ENOUGH_BESIDE = 3, 4
_OURS = ("jetway",)
_MARKS_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_AROUND = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_BETWEEN = re.compile(r"[\W_]+")
# What a thread of the pool yields to everything that is not hashing.
_NICENESS = 10

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_WORKERS = max(1, (os.cpu_count() or 2) - 1)
_in_hand = 0


def require_strong(password: str, *, about: tuple[str, ...], pointer: str = "/password") -> None:
    """Length first (NIST SP 800-63B); then nothing that is guessed first, whoever it is or by who knows the person.

    `about` are the person's address and name. Raises WeakPassword.
    """
    reason = _weakness(unicodedata.normalize("NFC", password).casefold(), about, len(password))
    if reason:
        raise WeakPassword(reason + ".", errors=[FieldProblem(pointer, WeakPassword.code, reason)])


def _weakness(plain: str, about: tuple[str, ...], length: int) -> str | None:
    if length < SHORTEST:
        return f"Use at least {SHORTEST} characters"
    if length > LONGEST:
        return f"Use at most {LONGEST} characters"
    said_once = plain[: _period(plain)]
    if len(set(plain)) < _FEWEST_DIFFERENT or _goes_in_steps(plain):
        return "This password repeats itself"
    bare = (around.sub("", said_once) for around in (_MARKS_AROUND, _AROUND))
    if any(_is_common(one) for one in (plain, said_once, *bare)):
        return "This password is among the first that are guessed"
    if _is_personal(plain, about):
        return "Do not use your own name or address"
    return None


def _period(text: str) -> int:
    """The length of what a text repeats from its beginning to its end; all of it where it repeats nothing."""
    return (text + text).find(text, 1)


def _goes_in_steps(text: str) -> bool:
    """`abcdefgh`, `98765432`."""
    return len({ord(after) - ord(before) for before, after in pairwise(text)}) == 1


def _is_personal(plain: str, about: tuple[str, ...]) -> bool:
    """Whether little is left of it without the parts of the person's data and without digits and marks around."""
    whole = [unicodedata.normalize("NFC", one).casefold() for one in about]
    parts = {part for one in whole for part in (one, *_BETWEEN.split(one)) if len(part) >= _SHORTEST_PART}
    left = plain
    for part in sorted(parts.union(_OURS), key=len, reverse=True):
        left = left.replace(part, "")
    return left != plain and len(_AROUND.sub("", left)) < _ENOUGH_BESIDE


def _is_common(word: str) -> bool:
    known, digest = _common(), _digest(word)
    position = int(np.searchsorted(known, digest))
    return position < len(known) and bool(known[position] == digest)


def _digest(word: str) -> np.uint64:
    made = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.uint64(int.from_bytes(made))


@lru_cache
def _common() -> NDArray[np.uint64]:
    """The 30,000 passwords that leak most, as sorted hashes of 8 bytes: a quarter of a megabyte.

    The list's file is read by itself, because its package keeps eight times as much for purposes of its own.
    """
    package = importlib.util.find_spec("zxcvbn")
    assert package is not None  # noqa: S101
    assert package.origin is not None  # noqa: S101
    file = importlib.util.spec_from_file_location(
        "lists", Path(package.origin).with_name("frequency_lists.py")
    )
    assert file is not None  # noqa: S101
    assert file.loader is not None  # noqa: S101
    lists = importlib.util.module_from_spec(file)
    file.loader.exec_module(lists)
    return np.sort(np.array([_digest(word) for word in lists.FREQUENCY_LISTS["passwords"]], np.uint64))


@contextmanager
def place() -> Iterator[None]:
    """Room for one password to be hashed, to be taken before anything else is done for whoever sent it.

    So a flood of logins is refused before it reaches the database, which searches need as well. Raises Overloaded.
    """
    global _in_hand
    if _in_hand >= _WORKERS + settings().passwords_waiting:
        raise Overloaded("Too many people sign in at this moment.", retry_after=5)
    _in_hand += 1
    try:
        yield
    finally:
        _in_hand -= 1


async def hashed(password: str) -> str:
    """In a `place`, as `fits`."""
    return await asyncio.get_running_loop().run_in_executor(_pool(), _hasher.hash, password)


async def fits(password: str, stored: str | None) -> bool:
    """Whether the password is right; without a stored hash it takes as long and is never right."""
    right = await asyncio.get_running_loop().run_in_executor(
        _pool(), lambda: _verify(stored or _decoy(), password)
    )
    return right and bool(stored)


def is_outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache
def _decoy() -> str:
    return _hasher.hash("nobody has this password")


@lru_cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_WORKERS, thread_name_prefix="argon2", initializer=_stand_back)


def _stand_back() -> None:
    """Linux gives each thread a priority of its own; elsewhere it would be the whole process's."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
