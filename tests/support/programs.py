"""Programs that are no part of the product and that the suite runs: Traefik, nginx, Prometheus, checkers of files."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import ROOT

_PLACES = (str(ROOT / ".tools/bin"), os.environ.get("PATH", ""), "/usr/sbin")


def program(name: str) -> str:
    """Where it is. A test for which it is missing is left out, and fails where all were to be there, as in CI."""
    found = name if Path(name).is_file() else shutil.which(name, path=os.pathsep.join(_PLACES))
    if found is None:
        missing = f"{name} is not installed; see dev/programs.sh and dev/tools.sh"
        (pytest.fail if os.environ.get("JETWAY_PROGRAMS") == "all" else pytest.skip)(missing)
    return found


def ran(name: str, *arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """What a program says to these arguments, within a minute."""
    command = [program(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, **more)
