"""Administrators, and a kind of rules that is no other test's."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.rules import service
from app.rules.kinds import KINDS, Book, Faults, Kind
from tests.support.client import Client

_numbers = itertools.count(1)


def built(book: Book) -> dict[str, Any]:
    """How much each thing weighs; a weight that is no number makes no sense."""
    faults = Faults()
    for number, row in enumerate(book.tables["weights"]):
        if not row["grams"].isdigit():
            faults.add("weights", number, "grams", "bad_number", "Write a number.")
    faults.refuse_any()
    weights = {row["thing"]: int(row["grams"]) for row in book.tables["weights"]}
    return {"version": book.version, "weights": weights}


def weights(**grams: Any) -> dict[str, Any]:
    rows = [{"thing": thing, "grams": str(value)} for thing, value in grams.items()]
    return {"weights": rows, "notes": []}


@pytest.fixture
def kind(address: str, tmp_path: Path) -> Iterator[Kind[dict[str, Any]]]:
    """A kind of its own: a feather of 1 gram comes with the product."""
    folder = tmp_path / "packaged"
    folder.mkdir()
    (folder / "weights.csv").write_text("thing,grams\nfeather,1\n")
    (folder / "notes.csv").write_text("text\n")
    name = f"weights{next(_numbers)}"
    made = Kind(name, {"weights": ("thing", "grams"), "notes": ("text",)}, folder, built)
    KINDS[name] = made
    yield made
    del KINDS[name]
    service._copies.pop(name, None)


@pytest_asyncio.fixture
async def admin(api: Client, sql: Any) -> Client:
    """Somebody who may publish rules."""
    client = await api.signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=client.user["id"])
    return client
