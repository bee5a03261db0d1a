"""GitHub's workflows: what they say is understood, and what they run is there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.programs import ran
from tests.support.stack import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
# What a runner brings, or an earlier step makes.
_PROGRAMS = {"sh", "python", "make", "pipx", "gh", "echo", "test", ".venv/bin/python"}
# A file or folder of ours: it has a slash, or ends as ours do, and no placeholder.
_MADE_THERE = r"(?!dist/|notes\.md|sbom\.json)"
_OURS = re.compile(
    rf"(?<![\w./\"$*-]){_MADE_THERE}([\w.-]+(?:/[\w.-]+)+|[\w-]+\.(?:sh|py|txt|toml))(?![\w/*])"
)


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield f"{path.stem}.{name}", job


def commands() -> Iterator[str]:
    for _, job in jobs():
        yield from (line for step in job.get("steps", []) for line in step.get("run", "").splitlines())


def missing(command: str) -> list[str]:
    """Targets, files and modules that a command names and that are not there."""
    program, *arguments = command.split()
    found = [] if program in _PROGRAMS or (ROOT / program).is_file() else [program]
    if program == "make":
        found += [one for one in arguments if one not in TARGETS]
    if "-m" in arguments and (module := arguments[arguments.index("-m") + 1]).startswith(("dev", "app")):
        found += [] if (ROOT / (module.replace(".", "/") + ".py")).is_file() else [module]
    return found + [path for path in _OURS.findall(command) if not (ROOT / path).exists()]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_understood(path: Path) -> None:
    """By actionlint: keys, expressions, shells, and actions that still run."""
    done = ran("actionlint", path)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_what_a_workflow_runs_is_there() -> None:
    found = {command: missing(command) for command in commands()}

    assert len(found) > 8
    assert {command: names for command, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "command", ["make charts", "sh dev/program.sh", "python -m dev.releases v1", ".ci/walk", "helm package"]
)
def test_what_is_not_there_would_be_noticed(command: str) -> None:
    """The negative control of the test above."""
    assert missing(command)


def test_every_action_is_of_one_version() -> None:
    """Never a branch, whose content changes under us."""
    used = [step["uses"] for _, job in jobs() for step in job.get("steps", []) if "uses" in step]

    assert len(used) > 15
    assert [one for one in used if not re.fullmatch(r"[\w-]+/[\w/-]+@(v\d+(\.\d+)*|[0-9a-f]{40})", one)] == []


def test_no_job_runs_for_ever_and_only_one_may_write() -> None:
    """That which makes the release."""
    assert {name for name, job in jobs() if "timeout-minutes" not in job and "uses" not in job} == set()
    may_write = {name for name, job in jobs() if job.get("permissions", {}).get("contents") == "write"}
    assert may_write == {"release.publish"}


def test_an_image_leaves_only_with_a_tag_and_for_a_registry_that_is_configured() -> None:
    """Where it goes is the repository's own business: no host is written down."""
    pushes = {
        name: str(step["with"]["tags"])
        for name, job in jobs()
        for step in job.get("steps", [])
        if step.get("with", {}).get("push")
    }
    assert pushes.keys() == {"release.image"}
    assert pushes["release.image"].startswith("${{ vars.IMAGE_REGISTRY }}/jetway:")
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    assert release[True] == {"push": {"tags": ["v*"]}}  # YAML reads the key `on` as true.


def test_both_builds_say_what_is_in_them() -> None:
    """With provenance and a bill of materials, from the Dockerfile's last stage."""
    built = [
        step["with"]
        for _, job in jobs()
        for step in job.get("steps", [])
        if step.get("uses", "").startswith("docker/build-push-action")
    ]

    assert len(built) == 2
    for one in built:
        assert (one["provenance"], one["sbom"], one["target"]) == ("mode=max", True, "jetway")
