"""The image: what goes in is what the product needs, and nothing that somebody should not have."""

import re
import shutil
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from uvicorn.main import main as command

from dev import image
from tests.support.programs import ran
from tests.support.stack import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
RULES = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
# In a process of its own, which finds no package that the lock has not: every command of the image is loaded.
LOADED = """
import sys
from importlib.metadata import packages_distributions
locked = set(sys.argv[1:])
absent = {
    name for name, owners in packages_distributions().items()
    if not locked & {one.lower().replace("_", "-").replace(".", "-") for one in owners}
}
class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
import app.main, app.worker, app.cli, celery.bin.worker, celery.bin.beat, uvicorn.main, alembic.command
from alembic.config import Config
from alembic.script import ScriptDirectory
print("pytest" in absent, app.__file__, ScriptDirectory.from_config(Config("alembic.ini")).get_current_head())
"""


def test_hadolint_finds_nothing() -> None:
    done = ran("hadolint", "Dockerfile")

    assert (done.returncode, done.stdout) == (0, "")


def test_a_build_is_sent_the_product_and_nothing_else(tmp_path: Path) -> None:
    """Whatever lies about in a folder that somebody has worked in."""
    for stray in (
        ".env",
        ".env.production",
        "app/.env",
        "secrets/key.pem",
        "app/tls.key",
        ".git/config",
        "dump.sql",
    ):
        (tmp_path / stray).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / stray).write_text("not for others")
    for wanted in ("app/main.py", "requirements/production.txt", "alembic.ini", "migrations/env.py"):
        (tmp_path / wanted).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / wanted).touch()

    assert {str(path) for path in image.sent(tmp_path, RULES)} == {
        *("app/main.py", "requirements/production.txt", "alembic.ini", "migrations/env.py")
    }


def test_what_is_sent_is_small() -> None:
    """Of this repository as it is now."""
    sent = list(image.sent(ROOT, RULES))

    assert sum((ROOT / path).stat().st_size for path in sent) < 5_000_000
    assert max((ROOT / path).stat().st_size for path in sent) < 1_500_000
    assert {path.parts[0] for path in sent} == {"app", "sandbox", "migrations", "alembic.ini", "requirements"}


def test_what_is_copied_is_enough(tmp_path: Path) -> None:
    """Every command loads out of the copied folders alone, with packages of the production lock alone."""
    for source in re.findall(r"^COPY (?!--)(\S+) \./", _stage("code"), re.M):
        kept = [path for path in image.sent(ROOT, RULES) if path.parts[0] == source]
        for path in kept:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, tmp_path / path)
            # What is compiled already need not be again.
            compiled = Path(cache_from_source(str(path)))
            if path.suffix == ".py" and (ROOT / compiled).exists():
                (tmp_path / compiled).parent.mkdir(exist_ok=True)
                shutil.copy2(ROOT / compiled, tmp_path / compiled)
    lock = (ROOT / "requirements/production.txt").read_text()
    locked = {
        name.lower().replace("_", "-").replace(".", "-") for name in re.findall(r"^([\w.-]+)==", lock, re.M)
    }
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", LOADED, *locked]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    emptied, where, head = done.stdout.splitlines()[-1].split()
    assert (emptied, where, head == "None") == ("True", f"{tmp_path}/app/__init__.py", False)


def test_nobody_in_it_is_root_or_can_install() -> None:
    """Both images end as the same user, without pip, and from the same pinned base."""
    base = _stage("base")

    assert base.rstrip().endswith("USER 10001:10001")
    assert "pip uninstall" in base
    assert "ensurepip" in base
    for last in ("jetway", "sandbox"):
        assert "USER" not in _stage(last)
        assert "RUN" not in _stage(last)
    assert re.search(r"^ARG PYTHON=python:3\.13-slim-\w+$", DOCKERFILE, re.M)
    assert DOCKERFILE.rindex("FROM ") == DOCKERFILE.index("FROM base AS jetway")


def test_what_is_installed_is_the_lock_to_the_byte() -> None:
    """Wheels with their hashes; nothing is built."""
    installed = re.sub(r"\\\n\s*", "", _stage("packages"))

    assert "--require-hashes --only-binary :all: --requirement /tmp/production.txt" in installed
    assert "COPY requirements/production.txt /tmp/production.txt" in installed
    assert "apt-get" not in DOCKERFILE


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("PROXY_HEADERS", "--proxy-headers"),
        ("SERVER_HEADER", "--server-header"),
        ("ACCESS_LOG", "--access-log"),
        ("TIMEOUT_KEEP_ALIVE", "--timeout-keep-alive"),
        ("TIMEOUT_GRACEFUL_SHUTDOWN", "--timeout-graceful-shutdown"),
    ],
)
def test_uvicorn_reads_its_options_from_the_environment(name: str, option: str) -> None:
    """Each is one that this uvicorn has, and arrives."""
    value = re.search(rf"UVICORN_{name}=(\w+)", DOCKERFILE)
    assert value
    parameter = next(one for one in command.params if option in one.opts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(f"UVICORN_{name}", value[1])
        read = command.make_context("uvicorn", ["app:app"], auto_envvar_prefix="UVICORN")
    assert str(read.params[str(parameter.name)]).lower() == value[1]


def _stage(name: str) -> str:
    """What the Dockerfile says of it."""
    found = re.search(rf"^FROM \S+ AS {name}$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.M | re.S)
    assert found
    return found[1]
