"""`python -m dev.partners FOLDER`: let the sandbox's airlines connect with their partners, as its world has them.

What works together is a rule that operators publish; here it is published once, through the operator's own command,
so rules that somebody edits afterwards stay as they are.
"""

import csv
import subprocess
import sys
from pathlib import Path

from dev.environment import ROOT

_NOTE = "The sandbox's airlines work with their partners."


def main(folder: Path) -> int:
    """The exit code: that of the command that failed, if one did."""
    done = folder / "published"
    if done.exists():
        return 0
    rules = [sys.executable, "-m", "app", "rules"]
    exported = subprocess.run([*rules, "export", "connections", str(folder)], cwd=ROOT, check=False)
    if exported.returncode:
        return exported.returncode
    with (folder / "interline.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("carrier", "partner"), *_partners()])
    published = subprocess.run(
        [*rules, "publish", "connections", str(folder), "--note", _NOTE], cwd=ROOT, check=False
    )
    if not published.returncode:
        done.touch()
    return published.returncode


def _partners() -> list[tuple[str, str]]:
    """Each pair once."""
    with (ROOT / "sandbox" / "data" / "airlines.csv").open(encoding="utf-8", newline="") as file:
        told = [(row["iata"], partner) for row in csv.DictReader(file) for partner in row["partners"].split()]
    return sorted({(min(pair), max(pair)) for pair in told})


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
