"""What may know what, and how large a file may grow."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack import ROOT

LONGEST = 400
STRANGERS = [
    ("sandbox", {"app", "dev", "tests"}),
    ("app", {"sandbox", "dev", "tests"}),
    ("dev", {"app", "tests"}),
]


def files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@functools.cache
def nodes(path: Path) -> list[ast.AST]:
    """All that a file says, read once for all who look at it; the file itself comes first."""
    return list(ast.walk(ast.parse(path.read_text())))


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever it does."""
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize(("package", "strangers"), STRANGERS)
def test_packages_that_must_not_know_each_other(package: str, strangers: set[str]) -> None:
    """The simulated world knows only the vendors' documentation, and the product knows no simulation."""
    assert files(package)
    assert [str(path) for path in files(package) if imported(path) & strangers] == []


@pytest.mark.skipif(
    not Path(sys.executable).with_name("lint-imports").exists(), reason="import-linter is absent"
)
def test_imports_point_down() -> None:
    """The contracts in pyproject.toml are kept."""
    command = [sys.executable, str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert " 0 broken" in done.stdout


def test_files_stay_readable() -> None:
    """Who needs more than 400 lines has two subjects."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files("app", "sandbox", "dev", "benchmarks")
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }

    assert long == {}


def test_every_file_of_the_product_says_what_it_is() -> None:
    """In a docstring on its first line."""
    silent = [
        str(path.relative_to(ROOT))
        for path in files("app", "sandbox", "dev")
        if isinstance(tree := nodes(path)[0], ast.Module) and tree.body and not ast.get_docstring(tree)
    ]

    assert silent == []


def test_only_one_place_ends_transactions() -> None:
    """A commit in between would break what belongs together in two."""
    callers = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files("app")
        for node in nodes(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]

    assert [caller for caller in callers if not caller.startswith("app/core/db.py")] == []


def test_only_one_place_reads_the_clock() -> None:
    """Or no test could move it; log lines tell the machine's time whatever a test says."""
    readers = [
        str(path.relative_to(ROOT))
        for path in files("app")
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "utcnow", "today")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("datetime", "date")
    ]

    assert set(readers) <= {"app/core/clock.py", "app/core/logging.py"}
