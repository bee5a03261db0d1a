"""What is released is one version, and says what is new in it."""

import shutil
import tarfile
from pathlib import Path

import pytest

from app import __version__
from dev import release
from tests.support.programs import ran
from tests.support.stack import ROOT

_FILES = ("pyproject.toml", "app/__init__.py", "deploy/helm/jetway/Chart.yaml")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The files that say which version this is, and a changelog with a section for it."""
    for name in _FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    sections = f"## [Unreleased]\n\n- later\n\n## [{__version__}] - 2026-12-01\n\n### Added\n\n- **this**\n\n"
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{sections}## [0.0.9]\n\n- before\n")
    return tmp_path


def test_every_file_says_the_same_version() -> None:
    assert set(release.versions(ROOT).values()) == {__version__}


def test_the_notes_are_the_section_of_the_changelog(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    release.main(f"v{__version__}", tree)

    assert capsys.readouterr().out == "### Added\n\n- **this**\n"


def test_the_oldest_section_ends_with_the_file(tree: Path) -> None:
    assert release.notes(tree, "0.0.9") == "- before"


def test_a_tag_that_files_do_not_agree_with_is_refused(tree: Path) -> None:
    """With each of them; nothing is built then."""
    with pytest.raises(SystemExit) as refused:
        release.main("v9.9.9", tree)

    said = str(refused.value)
    assert [name in said for name in (*_FILES[:2], "Chart.yaml", "CHANGELOG.md")] == [True] * 4


def test_the_chart_is_packaged_with_its_rules(tmp_path: Path) -> None:
    """Which are a link in the repository, and files in the package; what only checks use is left out."""
    code = "import helm_python, sys; print(helm_python.package(sys.argv[1], destination=sys.argv[2]))"
    done = ran(str(ROOT / ".tools/bin/python"), "-c", code, ROOT / "deploy/helm/jetway", tmp_path)
    assert done.returncode == 0, done.stderr

    with tarfile.open(tmp_path / f"jetway-{__version__}.tgz") as package:
        names = set(package.getnames())
        rules = [one for one in package.getmembers() if one.name.startswith("jetway/rules/")]

    assert {"jetway/Chart.yaml", "jetway/values.schema.json", "jetway/templates/api.yaml"} <= names
    assert rules
    assert all(one.isfile() and one.size > 100 for one in rules)
    assert not any("/ci/" in name for name in names)
