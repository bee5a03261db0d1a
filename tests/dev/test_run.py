"""What `make run` checks before it starts anything."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dev import run
from dev.environment import keep_secrets, lock, read_settings, write_shell_file
from dev.server import free_port
from tests.dev.conftest import ROOT


def run_with(**environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m dev` in this environment; it is not expected to get far."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "dev"],
        cwd=ROOT,
        env=keep | environment,
        capture_output=True,
        text=True,
        timeout=15,
    )


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """The message says which port, and how to use another; nothing was started."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = run_with(PORT=str(port), DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in done.stderr
    assert f"PORT={port + 10} make run" in done.stderr
    assert not (tmp_path / "data").exists()


def test_the_same_data_directory_twice_is_refused(tmp_path: Path) -> None:
    """The message says who has it and how to run beside it."""
    settings = read_settings({"PORT": str(free_port()), "DATA_DIR": str(tmp_path)})
    with lock(settings):
        done = run_with(PORT=str(free_port()), DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert f"Another Jetway runs in {tmp_path} (process {os.getpid()}, {settings.url})" in done.stderr


def test_a_port_that_is_no_number_is_refused(tmp_path: Path) -> None:
    """No traceback for a slip of the finger."""
    done = run_with(PORT="eight", DATA_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (1, "PORT has to be a number up to 65535, not 'eight'.\n")


def test_secrets_are_kept(tmp_path: Path) -> None:
    """Tokens and the demo account outlive a restart, and nobody else can read them."""
    first = keep_secrets(tmp_path)
    assert keep_secrets(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("value", ["plain", "with space", "a'quote", "$HOME", "x&y?z=1"])
def test_the_shell_reads_back_what_was_written(tmp_path: Path, value: str) -> None:
    """`set -a; . jetway.env` gives other commands the very same values."""
    write_shell_file(tmp_path / "jetway.env", {"VALUE": value})
    command = f"set -a; . {tmp_path}/jetway.env; exec printenv VALUE"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == value + "\n"


@pytest.mark.parametrize("given", [{}, {"STRIPE_SECRET_KEY": "sk_live_mine"}], ids=["no key", "a key"])
def test_who_has_a_key_for_cards_is_left_alone(tmp_path: Path, given: dict[str, str]) -> None:
    """Without one the sandbox takes the cards and tells the API, both with the same kept secret."""
    settings = read_settings({"PORT": str(free_port()), "DATA_DIR": str(tmp_path)})
    values = run._values(settings, given, [], with_sandbox=True)
    table = run._table(settings, [], with_sandbox=False, with_cards=not given)
    told = [process.argv for process in table if process.name == "sandbox"]
    if given:
        assert ("STRIPE_API_BASE" in values, told) == (False, [])
        return
    assert (values["STRIPE_API_BASE"], values["STRIPE_SECRET_KEY"]) == (
        settings.sandbox_url,
        "sk_test_sandbox",
    )
    assert values["STRIPE_WEBHOOK_SECRET"] == keep_secrets(tmp_path)["STRIPE_WEBHOOK_SECRET"]
    assert values["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert told[0][-2:] == ["--card-webhook-url", f"{settings.url}/payments/stripe/events"]
