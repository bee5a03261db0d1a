"""`python -m dev.release v1.2.3`: what the changelog says of a version, once all files agree that it is this one."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_OF_CHART = ("version", "appVersion")


def versions(root: Path) -> dict[str, str]:
    """What each file says that this is."""
    chart = (root / "deploy/helm/jetway/Chart.yaml").read_text()
    said = {
        "pyproject.toml": tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"],
        "app/__init__.py": _first(r'__version__ = "(.+)"', (root / "app/__init__.py").read_text()),
    }
    said |= {f"Chart.yaml {name}": _first(rf'(?m)^{name}: "?([^"\n]+)', chart) for name in _OF_CHART}
    return said


def notes(root: Path, version: str) -> str:
    """The section of the changelog under this version, or nothing where there is none."""
    text = (root / "CHANGELOG.md").read_text()
    return _first(rf"(?ms)^## \[{re.escape(version)}\][^\n]*\n(.*?)(?=^## |\Z)", text).strip()


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""


def main(tag: str, root: Path = ROOT) -> None:
    version = tag.removeprefix("v")
    others = [f"{name} says {said}" for name, said in versions(root).items() if said != version]
    told = notes(root, version)
    if not told:
        others.append(f"CHANGELOG.md has no section [{version}]")
    if others:
        sys.exit(f"{tag} cannot be released: {'; '.join(others)}")
    print(told)


if __name__ == "__main__":
    main(sys.argv[1])
