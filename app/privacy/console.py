"""`python -m app erasures`: who was erased, and the same once more after an old copy of the database was restored."""

import argparse
import sys
import uuid
from pathlib import Path

from app.core.clock import rfc3339
from app.privacy import service


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--again",
        type=Path,
        metavar="FILE",
        help="erase everybody whom this command printed into FILE, as after a restore",
    )


async def run(arguments: argparse.Namespace) -> int:
    """What the shell is given."""
    return await _again(arguments.again) if arguments.again else await _list()


async def _list() -> int:
    found = await service.erased()
    while found:
        for one in found:
            _tell(f"{one['user_id']} {rfc3339(one['at'])}")
        found = await service.erased((found[-1]["at"], found[-1]["user_id"]))
    return 0


async def _again(file: Path) -> int:
    """Nobody is erased unless every line can be read."""
    try:
        wanted = _read(file)
    except (OSError, UnicodeDecodeError) as error:
        return _refuse(f"{file} cannot be read: {type(error).__name__}.")
    except (ValueError, IndexError):
        return _refuse(f"{file} is not what this command printed: each line begins with an account's id.")
    done = [await service.forget_again(user_id) for user_id in wanted]
    _tell(f"{sum(done)} of {len(done)} accounts are erased; the others are not in this database.")
    return 0


def _read(file: Path) -> list[uuid.UUID]:
    return [uuid.UUID(line.split()[0]) for line in file.read_text(encoding="utf-8").splitlines()]


def _refuse(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
