"""What is installed: pinned to the byte, as pyproject.toml says, under licences that ask nothing of users."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dev import secret_scan
from tests.support.stack import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {
    "requirements/production.txt": PROJECT["dependencies"],
    "requirements.txt": PROJECT["dependencies"] + EXTRAS["test"],
    "requirements/dev.txt": PROJECT["dependencies"] + [one for extra in EXTRAS.values() for one in extra],
}
# Permissive, or copyleft of single files, which we do not change.
FREE = re.compile(
    r"(?i)\b(MIT|MIT-0|MIT-CMU|BSD|0BSD|BSD-[23]-Clause|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense"
    r"|Zlib|CC0|OFL|Dual License)\b"
)
BOUND = re.compile(
    r"(?i)\b[AL]?GPL|Affero|GNU|SSPL|Commons Clause|BUSL|Business Source|Elastic License|EUPL|CC-BY-NC"
)


def pinned(lock: str) -> dict[str, list[str]]:
    """What a lock installs: each requirement as it is written, without comments, by name."""
    joined = re.sub(r"\\\n\s*", "", (ROOT / lock).read_text())
    lines = [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]
    by_name: dict[str, list[str]] = {}
    for line in lines:
        by_name.setdefault(canonicalize_name(re.split(r"[\s=;\[]", line)[0]), []).append(line)
    return by_name


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_one_version_with_the_hashes_of_its_files(lock: str) -> None:
    """No range, no address, no other index: an archive that was replaced is not installed."""
    wanted = re.compile(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!-]+( ; [^\\]+?)?\s*(--hash=sha256:[0-9a-f]{64}\s*)+")

    found = [line for lines in pinned(lock).values() for line in lines]

    assert len(found) > 40
    assert [line[:60] for line in found if not wanted.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_the_locks_are_of_this_project(lock: str) -> None:
    """Each package that pyproject.toml names, in a version that it allows; otherwise `make lock` was forgotten."""
    locked = pinned(lock)
    missing = []
    for wanted in map(Requirement, LOCKS[lock]):
        lines = locked.get(canonicalize_name(wanted.name), [])
        versions = [re.findall(r"==([^\s;]+)", line)[0] for line in lines]
        if not versions or not all(wanted.specifier.contains(version) for version in versions):
            missing.append(str(wanted))

    assert missing == []


def licences(package: Distribution) -> str:
    """All that a package says of its licence, the shortest kind first; long texts are no names."""
    told = package.metadata
    kinds = [
        kind.rpartition("::")[2] for kind in told.get_all("Classifier") or [] if kind.startswith("License")
    ]
    return " ".join([told.get("License-Expression") or "", *kinds, (told.get("License") or "")[:60]]).strip()


def test_every_package_has_a_licence_that_asks_nothing_of_users() -> None:
    """Of all that are installed here, the tools included."""
    told = {package.metadata["Name"]: licences(package) for package in distributions()}

    assert len(told) > 60
    assert {
        name: told[name] for name in told if not FREE.search(told[name]) or BOUND.search(told[name])
    } == {}


@pytest.mark.parametrize(
    ("licence", "is_free"),
    [
        ("GPL-3.0-only", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("AGPL-3.0-or-later OR MIT", False),
        ("", False),
        ("Proprietary", False),
        ("Apache-2.0", True),
        ("BSD License", True),
    ],
)
def test_which_licences_those_are(licence: str, is_free: bool) -> None:
    """The negative control of the test above."""
    assert (bool(FREE.search(licence)) and not BOUND.search(licence)) == is_free


def test_no_secret_is_committed() -> None:
    """In no file that git knows of."""
    scan = subprocess.run([sys.executable, "-m", "dev.secret_scan"], cwd=ROOT, capture_output=True, text=True)

    assert (scan.returncode, scan.stderr) == (0, "")
    assert len(secret_scan.files()) > 500


@pytest.mark.parametrize(
    "planted",
    [
        "AKIA" + "QWERTYUIOPASDFGH",
        "sk_" + "live_51H8x2eZvKYlo2C0aQWERTY",
        "gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a",
        "whsec" + "_dGhpcyBpcyBhIHJlYWwgc2VjcmV0IG9mIHNvbWVib2R5",
        "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA7bq3mIIEpAIBAAKCAQEA7bq3MIIEpAIBAAKC",
        'JWT_SECRET = "' + '9f8a7c6b5d4e3f2a1b0c9d8e7f6a5b4c"',
        "api_key: '" + "q7Zk29xLmP4vB8nT1cYw'",
    ],
    ids=range(7),
)
def test_a_secret_would_be_found(planted: str) -> None:
    """The negative control of the scan."""
    assert list(secret_scan.found(f"x\n{planted}\n"))


@pytest.mark.parametrize(
    "harmless", ['token = "the-token-of-the-tests"', "password: str | None = None", "key=lambda"]
)
def test_what_is_no_secret_disturbs_nobody(harmless: str) -> None:
    """Or the scan would soon be switched off."""
    assert list(secret_scan.found(harmless)) == []


def test_every_action_of_the_workflows_has_as_few_rights_as_it_needs() -> None:
    """A workflow reads the repository, and says so."""
    workflows = list(Path(ROOT / ".github/workflows").glob("*.yml"))

    assert workflows
    for workflow in workflows:
        assert "permissions:\n  contents: read\n" in workflow.read_text(), workflow.name
        assert "pull_request_target" not in workflow.read_text(), workflow.name
