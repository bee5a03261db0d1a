"""`python -m app import-schedules`, as operators run it: in this process where nothing depends on having its own."""

import argparse
import asyncio
import csv
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from app.schedules import console
from tests.schedules.support import Ssim, one_leg, row, table
from tests.support import stack
from tests.support.client import in_days
from tests.support.nursery import nursery

_LEGS = 30


def command(*arguments: Any) -> list[str]:
    return ["-m", "app", "import-schedules", *map(str, arguments)]


# Exit code, counts, and what went to stdout and stderr.
Told = tuple[int, dict[str, int], str, str]
Run = Callable[..., Awaitable[Told]]


def told(code: int | None, out: str, err: str) -> Told:
    found = re.findall(r"^([a-z ]+?) +([\d,]+)$", out, re.MULTILINE)
    assert code is not None
    return code, {name: int(count.replace(",", "")) for name, count in found}, out, err


async def process(*arguments: Any) -> Told:
    """Run the command as its operator does."""
    done = await asyncio.to_thread(stack.run, *command(*arguments))
    return told(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command within this process, which is quicker."""
    parser = argparse.ArgumentParser()
    console.add_arguments(parser)

    async def here(*arguments: Any) -> Told:
        code = await console.run(parser.parse_args([str(argument) for argument in arguments]))
        return told(code, *capsys.readouterr())

    return here


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """A file with this content."""

    def made(content: bytes, name: str = "schedule") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return made


async def count(sql: Any, carrier: str) -> int:
    found = await sql("SELECT count(*)::int AS n FROM flights WHERE carrier = :carrier", carrier=carrier)
    number: int = found[0]["n"]
    return number


async def test_a_file_is_loaded(sql: Any, file: Any, carrier: str, run: Run) -> None:
    """Of either format; what came of it is on stdout, and stderr is quiet where it is no terminal."""
    code, told, _, err = await process(file(one_leg(carrier=carrier)))
    again, told_again, _, err_again = await run(file(table(row(carrier=carrier))), "--format", "csv")

    assert (code, again, err, err_again) == (0, 0, "", "")
    assert (told["lines"], told["flights"], told["added"], told["refused"]) == (1, 7, 7, 0)
    assert (told_again["unchanged"], told_again["withdrawn"]) == (7, 0)
    assert await count(sql, carrier) == 7


async def test_refused_lines_are_named(sql: Any, file: Any, carrier: str, run: Run) -> None:
    """Exit code 1; they are shown, or written where one wants them."""
    path = file(table(row(carrier=carrier), row(carrier=carrier, number="x"), row(carrier=carrier, days="9")))

    code, told, out, _ = await run(path)
    written = path.with_name("refused.csv")
    second, _, quiet, _ = await run(path, "--refused", written)

    assert (code, second, told["refused"]) == (1, 1, 2)
    assert "line 3: bad_number: " in out
    assert "line 4: bad_days: " in out
    assert "line 3" not in quiet
    lines = list(csv.DictReader(written.read_text().splitlines()))
    assert [(line["line"], line["code"]) for line in lines] == [("3", "bad_number"), ("4", "bad_days")]
    assert await count(sql, carrier) == 7


async def test_a_dry_run_tells_what_would_come_of_it(sql: Any, file: Any, carrier: str, run: Run) -> None:
    """To the last count, and stores nothing."""
    both, one = (
        file(table(*(row(carrier=carrier, number=number) for number in numbers)), numbers)
        for numbers in ("12", "1")
    )

    _, told, out, _ = await run(both, "--dry-run")
    assert (told["added"], await count(sql, carrier)) == (14, 0)
    assert "Nothing was stored" in out

    await run(both)
    _, told, _, _ = await run(one, "--dry-run", "--replace")
    assert (told["unchanged"], told["withdrawn"]) == (7, 7)
    _, told, _, _ = await run(one, "--replace")
    assert told["withdrawn"] == 7
    _, told, _, _ = await run(one, "--replace")
    assert told["withdrawn"] == 0


async def test_a_file_that_cannot_be_read(file: Any, tmp_path: Path, run: Run) -> None:
    """Exit code 2, and one sentence why."""
    for path, says in (
        (tmp_path / "missing", "No such file"),
        (file(b"", "empty"), "empty"),
        (file(b"hello\n", "greeting"), "lacks columns"),
    ):
        code, _, _, err = await run(path)
        assert (code, says in err, err.count("\n")) == (2, True, 1)
    code, told, out, _ = await run(file(table(row(origin="QQQ"))))
    assert (code, told["flights"], "unknown_airport" in out) == (2, 0, True)


async def test_why_nothing_was_withdrawn_is_said(file: Any, carrier: str, run: Run) -> None:
    """A truncated file replaces nothing."""
    cut = one_leg(carrier=carrier).rsplit(b"\n", 2)[0] + b"\n"

    code, told, out, _ = await run(file(cut), "--replace")

    assert (code, told["flights"], told["withdrawn"]) == (1, 7, 0)
    assert "Nothing was withdrawn: the file is not complete." in out


async def test_a_database_that_is_away_is_no_fault_of_the_file(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3: run it again."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    code, _, _, err = await process(file(one_leg()))

    assert (code, "run it again" in err) == (3, True)


async def test_a_terminal_shows_how_far_it_is(file: Any, carrier: str) -> None:
    """A bar on stderr, which is gone in the end."""
    shown, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (30, 100))
    os.set_blocking(shown, False)
    arguments = command(file(one_leg(carrier=carrier)))
    process = nursery().start(arguments, dict(os.environ), outputs=(terminal, terminal))
    assert await asyncio.to_thread(process.wait) == 0

    # What was written is lost once nobody has the terminal open any more.
    assert "%|" in os.read(shown, 10_000).decode()
    os.close(terminal)
    os.close(shown)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_a_load_that_was_killed_is_completed_by_the_next(
    sql: Any, file: Any, carrier: str, run: Run, how: signal.Signals
) -> None:
    """What was stored stays, once; the second run brings the rest."""
    made = Ssim().header().carrier(carrier)
    for number in range(1, _LEGS + 1):
        made.leg(carrier=carrier, number=str(number), first=in_days(1), last=in_days(300))
    path = file(made.trailer(carrier).encoded())

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command(path),
        cwd=stack.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while not (stored := await count(sql, carrier)):
        assert process.returncode is None
        await asyncio.sleep(0.005)
    os.kill(process.pid, how)
    _, err = await process.communicate()

    stored = await count(sql, carrier)
    assert 0 < stored < _LEGS * 300
    assert process.returncode == (-signal.SIGKILL if how == signal.SIGKILL else 130)
    assert (b"run it again" in err) == (how == signal.SIGINT)

    code, told, _, _ = await run(path)
    assert (code, told["flights"]) == (0, _LEGS * 300)
    assert (told["added"], told["unchanged"]) == (_LEGS * 300 - stored, stored)
    assert await count(sql, carrier) == _LEGS * 300
