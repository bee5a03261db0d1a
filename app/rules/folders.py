"""Rules as files that people edit: a folder with a CSV file for each table, or one JSON file."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from app.core.errors import FieldProblem
from app.rules.kinds import Kind, Tables


class UnreadableRules(Exception):
    """Nothing can be made of a file; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Given:
    """Tables as somebody wrote them; `lines` has the line of each row in its CSV file."""

    tables: Any
    lines: Mapping[str, list[int]] = field(default_factory=dict)

    def told(self, fault: FieldProblem) -> str:
        """A fault for people, with the place where they find it."""
        _, *place = [part.replace("~1", "/").replace("~0", "~") for part in fault["pointer"].split("/")[1:]]
        where = fault["pointer"]
        if place and place[0] in self.lines:
            where = f"{place[0]}.csv"
            if len(place) > 1:
                where += f" line {self.lines[place[0]][int(place[1])]}"
            if len(place) > 2:
                where += f", {place[2]}"
        return f"{where}: {fault['code']}: {fault['message']}"


def read(kind: Kind[Any], path: Path) -> Given:
    """Raises UnreadableRules."""
    try:
        return _folder(kind, path) if path.is_dir() else _file(path)
    except OSError as error:
        raise UnreadableRules(f"{error.filename}: {error.strerror}") from None


def write(kind: Kind[Any], tables: Tables, folder: Path) -> None:
    """A CSV file for each table. Raises UnreadableRules where they cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in tables.items():
            columns = kind.columns.get(name) or tuple(rows[0] if rows else ())
            with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, columns, lineterminator="\n", restval="", extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)
    except OSError as error:
        raise UnreadableRules(f"{error.filename}: {error.strerror}") from None


def _file(path: Path) -> Given:
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise UnreadableRules(f"{path}: not JSON: {error}") from None
    # What `GET /admin/rules/{kind}` answers can be published as it is.
    return Given(found["tables"] if isinstance(found, dict) and "tables" in found else found)


def _folder(kind: Kind[Any], folder: Path) -> Given:
    stray = sorted(path.name for path in folder.glob("*.csv") if path.stem not in kind.columns)
    if stray:
        raise UnreadableRules(f"{folder}: {stray[0]} is none of the tables {', '.join(kind.columns)}.")
    tables, lines = {}, {}
    for name, columns in kind.columns.items():
        tables[name], lines[name] = _table(folder / f"{name}.csv", columns, kind.required(name))
    return Given(tables, lines)


def _table(
    path: Path, columns: tuple[str, ...], required: set[str]
) -> tuple[list[dict[str, str]], list[int]]:
    """The rows and the line of each; cells are read by the header, in whatever order it has."""
    rows, lines = [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            known = len(set(header)) == len(header) and required <= set(header) <= set(columns)
            _expect(path, 1, known, f"The columns are: {','.join(columns)}.")
            for cells in _filled(reader):
                fits = len(cells) == len(header)
                _expect(path, reader.line_num, fits, f"There are {len(cells)} cells, not {len(header)}.")
                rows.append(dict(zip(header, cells, strict=True)))
                lines.append(reader.line_num)
    except UnicodeDecodeError:
        raise UnreadableRules(f"{path}: Save it as UTF-8.") from None
    except csv.Error as error:
        raise UnreadableRules(f"{path} line {reader.line_num}: {error}.") from None
    return rows, lines


def _filled(rows: Iterable[list[str]]) -> Iterable[list[str]]:
    return (cells for cells in rows if cells)


def _expect(path: Path, line: int, fits: bool, message: str) -> None:
    if not fits:
        raise UnreadableRules(f"{path} line {line}: {message}")
