"""Chance without dice: what is odd about a thing is odd about it every time."""

from __future__ import annotations

import zlib


def one_in(n: int, *parts: str) -> bool:
    """True for one in `n`, and always for the same ones."""
    return zlib.crc32("/".join(parts).encode()) % n == 0
