"""Operators edit prices as files, as they do with fares."""

import argparse
from pathlib import Path

import pytest

from app.extras.service import EXTRAS
from app.rules import console


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.glob("*.csv")}


@pytest.mark.usefixtures("address")
async def test_prices_are_exported_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The packaged ones come out as they are; a slip is told with its file, line and column."""
    parser = argparse.ArgumentParser()
    console.add_arguments(parser)

    async def run(*arguments: str) -> int:
        return await console.run(parser.parse_args(arguments))

    assert await run("export", "extras", str(tmp_path)) == 0
    assert texts(tmp_path) == texts(EXTRAS.folder)

    bags = tmp_path / "bags.csv"
    bags.write_text(bags.read_text().replace("*,*,*,5,23,", "*,*,*,6,23,"))
    assert await run("publish", "extras", str(tmp_path), "--note", "Six bags.", "--dry-run") == 1
    assert "bags.csv line 11, piece: bad_number" in capsys.readouterr().out
