"""`python -m app rules` in a process of its own, as operators run it."""

import argparse
import asyncio
import csv
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.core import db
from app.fares.service import FARES
from app.rules import console, service
from tests.support import stack

# Exit code, and what went to stdout and stderr.
Told = tuple[int, str, str]
Run = Callable[..., Awaitable[Told]]


async def process(*arguments: Any) -> Told:
    """Run the command as its operator does."""
    done = await asyncio.to_thread(stack.run, "-m", "app", "rules", *map(str, arguments))
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command within this process, which is quicker."""
    parser = argparse.ArgumentParser()
    console.add_arguments(parser)

    async def here(*arguments: Any) -> Told:
        code = await console.run(parser.parse_args([str(argument) for argument in arguments]))
        return code, *capsys.readouterr()

    return here


@pytest_asyncio.fixture
async def exported(address: str, run: Run, tmp_path: Path) -> AsyncIterator[Path]:
    """The fares in force as files; afterwards the fares are what they were."""
    folder = tmp_path / "fares"
    code, _, err = await run("export", "fares", folder)
    assert (code, err) == (0, "")
    yield folder
    async with db.transaction() as session:
        await service.publish(session, "fares", FARES.packaged().tables, "console", "After a test.")


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))


async def test_rules_are_exported_edited_checked_and_published(exported: Path, run: Run) -> None:
    """From another process; a running API has them after its next look."""
    before = service.in_force(FARES).version
    edit(exported / "weekdays.csv", "monday,98", "monday,97.5")
    dry, _, _ = await run("publish", "fares", exported, "--note", "Mondays are slow.", "--dry-run")
    async with db.transaction() as session:
        unchanged = (await service.newest(session, "fares"))["version"]
    code, out, err = await process("publish", "fares", exported, "--note", "Mondays are slow.")
    again, told, _ = await run("publish", "fares", exported, "--note", "Mondays are slow.")
    _, listed, _ = await run("list")
    await service._copy(FARES).refresh()

    assert (dry, unchanged) == (0, before)
    assert (code, out.splitlines()[-1], err) == (0, f"Version {before + 1} is in force.", "")
    assert (again, told) == (0, f"These are in force already, as version {before + 1}.\n")
    assert f"fares: version {before + 1}, " in listed
    assert "by console: Mondays are slow." in listed
    assert "connections: version " in listed
    assert service.in_force(FARES).version == before + 1


async def test_the_files_are_the_packaged_ones(exported: Path) -> None:
    """Table by table, in the order of their columns, so that a comparison shows what was edited."""
    packaged = FARES.folder
    for name in FARES.columns:
        assert (exported / f"{name}.csv").read_text() == (packaged / f"{name}.csv").read_text()


async def test_faults_are_named_by_file_and_line(exported: Path, run: Run) -> None:
    """As an editor counts lines, also after an empty one; nothing is published."""
    edit(exported / "hours.csv", "7,110", "\n7,much")
    edit(exported / "journeys.csv", "multi_city,97\n", "")
    code, out, err = await run("publish", "fares", exported, "--note", "n")

    lines = (exported / "hours.csv").read_text().splitlines()
    assert code == 1
    assert f"hours.csv line {lines.index('7,much') + 1}, percent: bad_percent: " in out
    assert "journeys.csv: missing_row: multi_city is missing." in out
    assert err == "These rules are not in force: some make no sense.\n"


async def test_an_earlier_version_is_put_back_in_force(exported: Path, run: Run, tmp_path: Path) -> None:
    """Exported by its number and published again; or from what the API answered."""
    before = service.in_force(FARES).version
    edit(exported / "book.csv", "USD", "EUR")
    edit(exported / "currencies.csv", "USD,1,", "USD,1.09,")
    edit(exported / "currencies.csv", "EUR,0.92,", "EUR,1,")
    await run("publish", "fares", exported, "--note", "In euros.", "--based-on", before)
    await run("export", "fares", tmp_path / "earlier", "--version", before)
    code, out, _ = await run("publish", "fares", tmp_path / "earlier", "--note", "Back to dollars.")
    async with db.transaction() as session:
        answered = await service.read(session, "fares", before + 1)
    file = tmp_path / "fares.json"
    file.write_text(json.dumps(answered))
    from_json, _, _ = await run("publish", "fares", file, "--note", "Euros after all.")

    assert (code, out) == (0, f"Version {before + 2} is in force.\n")
    assert from_json == 0
    async with db.transaction() as session:
        assert (await service.newest(session, "fares"))["version"] == before + 3


async def test_who_was_overtaken_publishes_nothing(exported: Path, run: Run) -> None:
    """With --based-on, another version in force is a reason to look again."""
    version = service.in_force(FARES).version
    edit(exported / "hours.csv", "7,110", "7,111")
    code, _, err = await run("publish", "fares", exported, "--note", "n", "--based-on", version + 7)

    assert (code, err) == (1, f"Version {version} is in force, not {version + 7}.\n")


async def test_files_from_before_a_column_was_added_are_published(exported: Path, run: Run) -> None:
    """An optional column may be absent; any other, and one written twice, is missed."""
    file = exported / "taxes.csv"
    rows = list(csv.reader(file.read_text().splitlines()))
    place = rows[0].index("refundable")

    def without(column: int) -> None:
        kept = (row[:column] + row[column + 1 :] for row in rows)
        file.write_text("".join(",".join(row) + "\n" for row in kept))

    without(place)
    code, out, _ = await run("publish", "fares", exported, "--note", "As before.", "--dry-run")
    assert (code, out.splitlines()[-1]) == (
        0,
        "Nothing was published: this was a dry run. These rules can be.",
    )
    rows[0][place] = "scope"
    without(len(rows[0]))
    code, _, err = await run("publish", "fares", exported, "--note", "As before.", "--dry-run")
    assert (code, "taxes.csv line 1: The columns are: code,name," in err) == (2, True)
    rows[0][place] = "refundable"
    without(0)
    code, _, err = await run("publish", "fares", exported, "--note", "As before.", "--dry-run")
    assert (code, "taxes.csv line 1: The columns are: code,name," in err) == (2, True)


async def test_files_that_are_no_tables_are_told_apart(exported: Path, run: Run, tmp_path: Path) -> None:
    """Exit code 2, with the file and the line."""

    async def refused(source: Path) -> str:
        code, out, err = await run("publish", "fares", source, "--note", "n", "--dry-run")
        assert (code, out) == (2, "")
        return err

    kept = (exported / "hours.csv").read_bytes()
    (exported / "hours.csv").write_bytes(kept + b"22\n")
    assert "hours.csv line 8: There are 1 cells, not 2." in await refused(exported)
    (exported / "hours.csv").write_bytes(kept.replace(b",", b";"))
    assert "hours.csv line 1: The columns are: from_hour,percent." in await refused(exported)
    (exported / "hours.csv").write_bytes(kept + b"\xff\n")
    assert "hours.csv: Save it as UTF-8." in await refused(exported)
    (exported / "hours.csv").write_bytes(kept + b'"22,96\n')
    assert "hours.csv line 8: unexpected end of data" in await refused(exported)
    (exported / "hours.csv").write_bytes(kept)
    (exported / "hour.csv").write_bytes(kept)
    assert "hour.csv is none of the tables" in await refused(exported)
    (exported / "hour.csv").unlink()
    (exported / "hours.csv").unlink()
    assert "hours.csv: No such file or directory" in await refused(exported)
    (tmp_path / "some.json").write_text("{")
    assert "not JSON" in await refused(tmp_path / "some.json")


async def test_a_spreadsheet_may_write_its_mark_and_another_order(exported: Path, run: Run) -> None:
    """A BOM, CRLF, and columns in whatever order."""
    rows = list(csv.DictReader((exported / "hours.csv").read_text().splitlines()))
    text = "percent,from_hour\r\n" + "".join(f"{row['percent']},{row['from_hour']}\r\n" for row in rows)
    (exported / "hours.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    code, out, _ = await run("publish", "fares", exported, "--note", "n")

    assert (code, out) == (0, f"These are in force already, as version {service.in_force(FARES).version}.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "weather", "x"), "There are rules about: connections, extras, fares, rights."),
        (("export", "fares", "x", "--version", "99999"), "There is no version 99999 of the rules fares."),
        (
            ("publish", "weather", "x", "--note", "n"),
            "There are rules about: connections, extras, fares, rights.",
        ),
    ],
)
async def test_what_there_is_not_is_refused(address: str, run: Run, arguments: Any, message: str) -> None:
    """Exit code 1."""
    code, out, err = await run(*arguments)

    assert (code, out, err) == (1, "", message + "\n")


async def test_without_its_database_it_breaks_off(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, and nothing was done."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    code, _, err = await process("list")

    assert code == 3
    assert "It broke off; nothing was published." in err
