"""New law is published and counts, without a release and without a restart."""

import asyncio
import csv
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest_asyncio

from app.core import db
from app.rights import service
from app.rights.service import RIGHTS
from app.rules import folders
from app.rules import service as rules
from tests.rights.support import NOON, asked, late, metres_apart, trip
from tests.support import stack


@pytest_asyncio.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    """The packaged tables as files; afterwards they are in force again."""
    folders.write(RIGHTS, RIGHTS.packaged().tables, tmp_path)
    yield tmp_path
    async with db.transaction() as session:
        await rules.publish(session, "rights", RIGHTS.packaged().tables, "console", "After a test.")
    await service.ready()


def edit(file: Path, rule: str, **cells: str) -> None:
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        if row["rule"] == rule:
            row.update(cells)
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)


async def publish(folder: Path) -> str:
    """As an operator does at a console."""
    command = ("-m", "app", "rules", "publish", "rights", str(folder), "--note", "A test.")
    done = await asyncio.to_thread(stack.run, *command)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_published_rows_change_the_answers(folder: Path) -> None:
    """Of a process that runs, as soon as it looks again; from the console of another."""
    flight = metres_apart(1_000_000)
    before = asked(flight, late(200))["compensation"]["amount"]
    edit(folder / "compensation.csv", "eu261-7-1-a", amount="275.50")
    edit(folder / "refund_deadlines.csv", "house-refund", days="3")
    edit(folder / "void.csv", "house-void", time_zone="Asia/Tokyo")
    told = await publish(folder)
    await service.ready()

    assert "is in force." in told
    assert (before["amount"], asked(flight, late(200))["compensation"]["amount"]["amount"]) == (
        "250.00",
        "275.50",
    )
    assert service.refund_due(trip("SYD", "AKL", carrier="QF"), "card", NOON).on.isoformat() == "2027-02-06"
    assert service.void_until(NOON) == datetime(2027, 2, 3, 15, tzinfo=UTC)


def test_every_packaged_row_says_where_it_is_written() -> None:
    """A law with its article, or that it is our own; and what passengers read of it is a sentence."""
    for name, rows in RIGHTS.packaged().tables.items():
        for row in rows:
            own = row["jurisdiction"] == "house"
            assert own == (row["source"] == "our own rule"), (name, row)
            assert own or any(character.isdigit() for character in row["source"]), (name, row)
            assert name == "jurisdictions" or row["text"].endswith("."), (name, row)
