"""What operators may rule on: each kind is a book of tables, and a way to make them useful.

A table is rows of text, as in the CSV file of the same name. A kind's `build` turns the tables of one version
into whatever its feature works with, and refuses what makes no sense; nothing is in force that was not built.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from app.core import tables
from app.core.errors import FieldProblem
from app.rules.errors import RulesRefused

T = TypeVar("T")

Tables = Mapping[str, Sequence[Mapping[str, str]]]

_MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class Book:
    """One version of one kind of rules."""

    version: int
    tables: Tables


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """`columns` names the tables and the columns of each; `folder` holds the packaged ones as CSV files.

    `build` raises RulesRefused with every fault it finds. `optional` names columns of tables that may be absent,
    so that what operators wrote before there was such a column is still theirs to publish.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    folder: Path
    build: Callable[[Book], T]
    optional: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def required(self, table: str) -> set[str]:
        """The columns that the table cannot do without."""
        return set(self.columns[table]) - self.optional.get(table, frozenset())

    def packaged(self) -> Book:
        """What comes with the product; it is in force until an operator publishes something else."""
        return Book(0, {name: tables.read(self.folder / f"{name}.csv") for name in self.columns})


KINDS: dict[str, Kind[Any]] = {}
"""Every kind by its name; a feature registers its own."""


def register(kind: Kind[T]) -> Kind[T]:
    KINDS[kind.name] = kind
    return kind


@lru_cache
def built_from_package(name: str) -> Any:
    """What comes of the tables that come with the product."""
    kind = KINDS[name]
    return kind.build(kind.packaged())


class Faults:
    """Collects what is wrong with a book, so that an operator mends all of it at once."""

    def __init__(self) -> None:
        self._found: list[FieldProblem] = []
        self._more = 0

    def add(self, table: str, row: int, column: str, code: str, message: str) -> None:
        """`row` counts from 0, as in the JSON form; a row of the CSV file stands two lines lower."""
        self.add_at((table, row, column), code, message)

    def add_at(self, place: Sequence[str | int], code: str, message: str) -> None:
        """`place` is the way to what is wrong: a table, a row, a column, or fewer of them."""
        if len(self._found) == _MOST_FAULTS:
            self._more += 1
            return
        path = ("tables", *place)
        pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
        self._found.append(FieldProblem(pointer, code, message))

    def refuse_any(self) -> None:
        """Raises RulesRefused if there are faults."""
        if self._found:
            more = (
                f" The first {_MOST_FAULTS} of {_MOST_FAULTS + self._more} are listed." if self._more else ""
            )
            raise RulesRefused(f"These rules are not in force: some make no sense.{more}", errors=self._found)
