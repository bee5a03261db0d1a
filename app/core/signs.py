"""Signs of life for `python -m app alive`: files that a worker and Beat touch as long as they get on.

A container's probe runs every few seconds, so this needs nothing but the standard library, no database and no Redis.
"""

import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

# Who lives touches its file every few seconds; this many may pass without it.
_PATIENCE_SECONDS = 60.0


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / f"jetway-alive-{os.getuid()}"


def show(process: str, part: str = "0") -> None:
    """One part of a worker, or Beat, gets on. Where nothing can be written nobody can tell."""
    with suppress(OSError):
        _folder().mkdir(mode=0o700, exist_ok=True)
        (_folder() / f"{process}-{part}").touch()


def hide(process: str, part: str = "*") -> None:
    """It has ended well, or those of before are no part of what begins now."""
    for file in _folder().glob(f"{process}-{part}"):
        file.unlink(missing_ok=True)


def age(process: str, part: str) -> float:
    """How many seconds ago it was shown; infinitely many where it never was."""
    try:
        return time.time() - (_folder() / f"{process}-{part}").stat().st_mtime
    except OSError:
        return float("inf")


def main(process: str) -> int:
    """Print how it is with every part of a process of this host; 0 when all of them get on."""
    ages = {file.name: age(*file.name.split("-", 1)) for file in sorted(_folder().glob(f"{process}-*"))}
    for name, seconds in ages.items():
        sys.stdout.write(f"{name} got on {seconds:.0f} s ago\n")
    if not ages:
        sys.stdout.write(f"no {process} has begun here\n")
    return 0 if ages and max(ages.values()) < _PATIENCE_SECONDS else 1
