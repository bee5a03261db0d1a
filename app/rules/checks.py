"""Whether what somebody wants to publish has the shape of rules at all, before it is asked whether it makes sense."""

from typing import Any

from app.core.errors import FieldProblem
from app.rules.errors import RulesRefused
from app.rules.kinds import Faults, Kind

LONGEST_NOTE = 500
MOST_ROWS = 50_000
_LONGEST_CELL = 200


def note(text: str) -> None:
    """Raises RulesRefused."""
    if not 1 <= len(text.strip()) <= LONGEST_NOTE or not text.replace("\n", "").isprintable():
        problem = FieldProblem("/note", "bad_note", f"Say in 1 to {LONGEST_NOTE} characters why.")
        raise RulesRefused("A note is missing: why these rules are published.", errors=[problem])


def tables(kind: Kind[Any], found: Any) -> None:
    """All tables of the kind, all columns but optional ones, and text in each cell. Raises RulesRefused."""
    faults = Faults()
    if not isinstance(found, dict):
        faults.add_at((), "not_tables", "Give an object of tables.")
        faults.refuse_any()
    for name in kind.columns:
        if name not in found:
            faults.add_at((name,), "missing_table", "This table is missing.")
    for name, rows in found.items():
        if name not in kind.columns:
            faults.add_at((str(name),), "unknown_table", f"The tables are: {', '.join(kind.columns)}.")
        else:
            _rows(faults, kind, name, rows)
    faults.refuse_any()


def _rows(faults: Faults, kind: Kind[Any], table: str, rows: Any) -> None:
    if not isinstance(rows, list):
        faults.add_at((table,), "not_rows", "Give a list of rows.")
    elif len(rows) > MOST_ROWS:
        faults.add_at((table,), "too_many_rows", f"A table has at most {MOST_ROWS} rows.")
    else:
        for number, row in enumerate(rows):
            _row(faults, kind, table, number, row)


def _row(faults: Faults, kind: Kind[Any], table: str, number: int, row: Any) -> None:
    if not isinstance(row, dict):
        faults.add_at((table, number), "not_a_row", "Give an object of cells.")
        return
    columns, required = kind.columns[table], kind.required(table)
    for column in columns:
        if column in required and column not in row:
            faults.add(
                table, number, column, "missing_cell", "This cell is missing; an empty one is empty text."
            )
    for column, cell in row.items():
        if column not in columns:
            message = f"The columns are: {', '.join(columns)}."
            faults.add(table, number, str(column), "unknown_column", message)
        elif not isinstance(cell, str) or not cell.isprintable() or len(cell) > _LONGEST_CELL:
            message = f"Give one line of text, of at most {_LONGEST_CELL} characters."
            faults.add(table, number, column, "not_text", message)
