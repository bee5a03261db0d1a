"""What a run is configured with: the environment, a `.env` file, and secrets made once and kept."""

import fcntl
import json
import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dotenv import dotenv_values

from dev.server import HOST, free_port, port_is_free, write_private

ROOT = Path(__file__).resolve().parent.parent
# Addresses that may be asked for, and how to reach who listens there.
ANY_ADDRESS = {"0.0.0.0": HOST, "::": "::1"}  # noqa: S104


class CannotRunError(Exception):
    """Something has to be changed first; the message says what."""


@dataclass(frozen=True)
class Settings:
    """Where a run listens and keeps its files."""

    host: str
    port: int
    sandbox_port: int
    smtp_port: int
    data: Path

    @property
    def url(self) -> str:
        """The address of the API as seen from this machine."""
        reachable = ANY_ADDRESS.get(self.host, self.host)
        return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        """The address of the simulated outside world."""
        return f"http://{HOST}:{self.sandbox_port}"


def read_environment() -> dict[str, str]:
    """The real environment over the `.env` file; an empty value counts as none."""
    values = {**dotenv_values(ROOT / ".env"), **os.environ}
    return {name: value for name, value in values.items() if value}


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Check what can be checked before anything slow, above all that the ports are free."""
    host, port = environment.get("HOST", HOST), _port(environment, "PORT", 8000)
    if not port_is_free(port, host):
        raise CannotRunError(
            f"Port {port} on {host} is taken, by another program or another Jetway, or may not be used.\n"
            f"Stop that, or use another:  PORT={port + 10} make run\n"
            f"(beside another Jetway:  PORT={port + 10} DATA_DIR=.data-{port + 10} make run)"
        )
    sandbox_port = _port(environment, "SANDBOX_PORT", 0)
    if sandbox_port and not port_is_free(sandbox_port):
        raise CannotRunError(f"Port {sandbox_port} is taken; set SANDBOX_PORT to another or leave it out.")
    data = ROOT / Path(environment.get("DATA_DIR", ".data")).expanduser()
    sandbox_port = sandbox_port or free_port(min(port + 1, 65535))
    return Settings(host, port, sandbox_port, free_port(min(sandbox_port + 1, 65535)), data.resolve())


def lock(settings: Settings) -> IO[str]:
    """Own the data directory for as long as the returned file is open."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        file = (settings.data / "lock").open("a+")
    except OSError as error:
        raise CannotRunError(f"Cannot keep files in {settings.data}: {error}. Set DATA_DIR.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        raise CannotRunError(
            f"Another Jetway runs in {settings.data} ({file.read().strip() or 'just starting'}).\n"
            f"Stop it, or give this one its own files:  "
            f"PORT={settings.port} DATA_DIR=.data-{settings.port} make run"
        ) from None
    file.truncate(0)
    file.write(f"process {os.getpid()}, {settings.url}\n")
    file.flush()
    return file


def keep_secrets(data: Path) -> dict[str, str]:
    """Secrets made on the first run; tokens and the demo account outlive a restart because they are kept."""
    path = data / "secrets.json"
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    made = {name: secrets.token_urlsafe(32) for name in ("JWT_SECRET", "SECRET_KEY", "ADMIN_METRICS_TOKEN")}
    made |= {"STRIPE_WEBHOOK_SECRET": "whsec_" + secrets.token_urlsafe(32)}
    made |= {"DEMO_EMAIL": "demo@example.com", "DEMO_PASSWORD": secrets.token_urlsafe(12)}
    if made.keys() - known.keys():
        known = made | known
        write_private(path, json.dumps(known, indent=2) + "\n")
    return known


def write_shell_file(path: Path, values: Mapping[str, str]) -> None:
    """Lines for `set -a; . FILE; set +a`, so that other commands meet the same servers."""
    write_private(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal() or int(text) > 65535:
        raise CannotRunError(f"{name} has to be a number up to 65535, not {text!r}.")
    return int(text)
