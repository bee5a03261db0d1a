"""A schedule loaded at a console: its progress on stderr, what was refused and what came of it on stdout."""

import argparse
import csv
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Never, TextIO

from tqdm import tqdm

from app.airports import service as airports
from app.core import audit, db
from app.core.db import Row, Session
from app.core.logging import logger
from app.schedules import service
from app.schedules.errors import UnreadableSchedule
from app.schedules.legs import Refusal
from app.schedules.upload import PIECE

SOME_REFUSED, NOTHING_READ, STOPPED = 1, 2, 3

log = logger("jetway.schedules")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--format", choices=sorted(service.FORMATS), help="else seen from how the file begins"
    )
    parser.add_argument(
        "--replace", action="store_true", help="withdraw what an earlier file listed and this one does not"
    )
    parser.add_argument("--dry-run", action="store_true", help="store nothing")
    parser.add_argument("--refused", type=Path, metavar="FILE", help="write the refused lines there, as CSV")


async def run(arguments: argparse.Namespace) -> int:
    """The exit code: 1 where lines were refused, 2 where nothing could be read, 3 where it broke off."""
    with ExitStack() as files:
        try:
            file = files.enter_context(arguments.file.open("rb"))
            refused = (
                files.enter_context(arguments.refused.open("w", newline="")) if arguments.refused else None
            )
        except OSError as error:
            sys.stderr.write(f"{error.filename}: {error.strerror}\n")
            return NOTHING_READ
        return await _load(
            file,
            arguments.file.stat().st_size,
            arguments.format,
            replace=arguments.replace,
            dry_run=arguments.dry_run,
            refused=refused,
        )


async def _load(
    file: BinaryIO, size: int, name: str | None, *, replace: bool, dry_run: bool, refused: TextIO | None
) -> int:
    """Refused lines go into `refused` as CSV, or are shown."""
    # None: quiet where stderr is no terminal.
    with tqdm(total=size, unit="B", unit_scale=True, disable=None, leave=False, file=sys.stderr) as bar:
        try:
            await airports.ready()
            kind = service.recognised(name, file.read(PIECE))
            if not dry_run:
                await _audit(kind, replace)
            steps = _Steps(dry_run, refused)
            report = await service.Loading(kind, lambda: _pieces(file, bar), steps, replace=replace).run()
        except UnreadableSchedule as error:
            sys.stderr.write(error.detail + "\n")
            return NOTHING_READ
        except Exception:
            log.exception("schedule not loaded")
            sys.stderr.write("It broke off. What was stored stays; run it again for the rest.\n")
            return STOPPED
    _show(report, dry_run)
    if not service.anything_read(report):
        return NOTHING_READ
    return SOME_REFUSED if report["refused"] else 0


async def _audit(kind: str, replace: bool) -> None:
    async with db.transaction() as session:
        await audit.record(
            session, "schedule.import_begun", by="operator", subject="schedules", format=kind, replace=replace
        )


class _Steps:
    """Each batch is a transaction, which a dry run takes back."""

    def __init__(self, dry_run: bool, refused: TextIO | None) -> None:
        self._dry_run = dry_run
        self._writer = csv.writer(refused) if refused else None
        if self._writer:
            self._writer.writerow(("line", "code", "message"))

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        return _taken_back() if self._dry_run else db.transaction()

    async def save(self, _at: Row, _offset: int, refusals: list[Refusal], _listed: dict[str, str]) -> None:
        for one in refusals:
            if self._writer:
                self._writer.writerow((one.line, one.code, one.message))
            else:
                tqdm.write(f"line {one.line}: {one.code}: {one.message}", file=sys.stdout)


class _TakenBack(Exception):
    """Ends a transaction without its work."""


@asynccontextmanager
async def _taken_back() -> AsyncIterator[Session]:
    try:
        async with db.transaction() as session:
            yield session
            raise _TakenBack
    except _TakenBack:
        pass


async def _pieces(file: BinaryIO, bar: "tqdm[Never]") -> AsyncIterator[bytes]:
    """The file from its beginning; it is read once more where it has codeshares."""
    file.seek(0)
    bar.reset()
    while piece := file.read(PIECE):
        yield piece
        bar.update(len(piece))


def _show(report: Row, dry_run: bool) -> None:
    counts = {name: report[name] for name in service.COUNTS} | report["passed_over"]
    for name, count in counts.items():
        sys.stdout.write(f"{name.replace('_', ' '):<20}{count:>12,}\n")
    if report["withheld"]:
        sys.stdout.write(f"Nothing was withdrawn: {service.WITHHELD[report['withheld']]}.\n")
    if dry_run:
        sys.stdout.write("Nothing was stored: this was a dry run.\n")
