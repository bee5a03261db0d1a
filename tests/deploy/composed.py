"""docker-compose.yml as the two generations of docker-compose read it."""

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from app.core.config import Settings
from tests.support.programs import program
from tests.support.stack import ROOT

FIRST, SECOND = "/usr/bin/docker-compose", str(ROOT / ".tools/bin/docker-compose")
PROFILES = ("sandbox", "monitoring", "logging")


@contextmanager
def checkout() -> Iterator[Path]:
    """A fresh copy of what Compose reads."""
    with tempfile.TemporaryDirectory(prefix="jetway-compose-") as folder:
        shutil.copytree(ROOT / "deploy", Path(folder) / "deploy", ignore=shutil.ignore_patterns("secrets"))
        shutil.copy(ROOT / "docker-compose.yml", folder)
        yield Path(folder)


def written(folder: Path, *arguments: str) -> None:
    """An .env, as an operator makes it."""
    subprocess.run(["sh", "deploy/env.sh", *arguments], cwd=folder, check=True, capture_output=True)


def config(compose: str, folder: Path, *profiles: str) -> subprocess.CompletedProcess[str]:
    # What is set here would go before the files.
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    options = [option for profile in profiles for option in ("--profile", profile)]
    command = [program(compose), *options, "config"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def understood(environment: dict[str, str]) -> Settings:
    """What the product makes of a service's environment, of which this process has another."""
    with patch.dict(os.environ, {}, clear=True):
        given = {name.lower(): value for name, value in environment.items() if value}
        return Settings(_env_file=None, **given)  # type: ignore[call-arg]


@functools.cache
def services() -> dict[str, dict[str, Any]]:
    """All of them, as they would run in production."""
    with checkout() as folder:
        written(folder, "flights.example.com")
        done = config(SECOND, folder, *PROFILES)
        assert done.returncode == 0, done.stderr
        # Paths as they are in the repository.
        found: dict[str, dict[str, Any]] = yaml.safe_load(
            done.stdout.replace(str(folder.resolve()), str(ROOT))
        )["services"]
        return found
