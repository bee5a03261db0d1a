"""The tables that are packaged with the product: CSV files with a line of column names."""

import csv
from pathlib import Path


def read(path: Path) -> list[dict[str, str]]:
    """Every row, as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
