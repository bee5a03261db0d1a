"""Secrets come as variables or as files, and to a process that needs them."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.core import config
from app.core.config import Settings
from tests.core.test_production import KEYS, STRONG

_NEEDED = {
    name: value for name, value in STRONG.items() if name not in ("jwt_secret", "stripe_webhook_secret")
}
_KEYLESS = {name: STRONG[name] for name in ("app_env", "database_url", "redis_url")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """As Kubernetes mounts a Secret, with a line's end that an editor has added."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "JWT_SECRET").write_text(f"{KEYS[0]}\n")
    (tmp_path / "JWT_SECRET").symlink_to("..data/JWT_SECRET")
    (tmp_path / "opensky_pass").write_text("canary-opensky")
    monkeypatch.delenv("JWT_SECRET", raising=False)
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))
    return tmp_path


def test_a_secret_is_read_from_a_file_of_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set goes before it; one that is empty is not set."""
    monkeypatch.setenv("OPENSKY_PASS", "")
    read = config.settings.__wrapped__()

    assert (read.jwt_secret, read.opensky_pass) == (KEYS[0], "canary-opensky")

    monkeypatch.setenv("JWT_SECRET", KEYS[1])
    assert config.settings.__wrapped__().jwt_secret == KEYS[1]


def test_a_folder_that_is_not_there_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of starting with the defaults."""
    monkeypatch.setenv("SECRETS_DIR", os.fspath(folder / "nowhere"))

    with pytest.raises(SystemExit, match="SECRETS_DIR: it must be a folder"):
        config.settings.__wrapped__()


def production(given: dict[str, Any], **more: Any) -> Settings:
    with pytest.MonkeyPatch.context() as patch:
        for name in Settings.model_fields:  # What the suite's own servers are told.
            patch.delenv(name.upper(), raising=False)
        return Settings(_env_file=None, **given, **more)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("process", "given"), [("worker", _NEEDED), ("beat", _KEYLESS), ("migration", _KEYLESS)]
)
def test_a_process_starts_without_what_it_does_not_need(process: str, given: dict[str, Any]) -> None:
    """And has a secret that nobody else knows in its place; the API starts with all of them alone."""
    one, other = (production(given, process=process) for _ in range(2))

    assert len({one.jwt_secret, other.jwt_secret, Settings.model_fields["jwt_secret"].default}) == 3
    assert len({one.jwt_secret, one.secret_key, one.stripe_webhook_secret}) == 3
    with pytest.raises(ValidationError, match="JWT_SECRET is missing"):
        production(given)


def test_what_a_process_is_told_beyond_that_is_looked_at(folder: Path) -> None:
    """A weak secret is weak wherever it is; a worker signs links with SECRET_KEY, and needs it."""
    with pytest.raises(ValidationError, match="JWT_SECRET could be guessed"):
        production(_NEEDED, process="worker", jwt_secret="x" * 40)
    with pytest.raises(ValidationError, match="SECRET_KEY is missing"):
        production({name: value for name, value in _NEEDED.items() if name != "secret_key"}, process="worker")
