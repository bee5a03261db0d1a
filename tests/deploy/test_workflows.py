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

_PINNED = re.compile(r"([\w-]+/[\w/-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)")


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


def loose(text: str) -> list[str]:
    """What a workflow uses that is not pinned to a commit, with the version that it is said to be."""
    used = re.findall(r"^ *(?:- )?uses: (.+)$", text, re.M)
    return [one for one in used if not (_PINNED.fullmatch(one) or one.startswith("./"))]


def test_every_action_is_pinned_to_a_commit() -> None:
    """Whoever owns an action can move its tags, and none of its commits; the version is for people and Dependabot."""
    texts = [path.read_text() for path in WORKFLOWS]

    assert sum(text.count("uses: ") for text in texts) > 15
    assert [one for text in texts for one in loose(text)] == []


@pytest.mark.parametrize(
    "used",
    [
        "actions/checkout@v7",
        "actions/checkout@main",
        f"actions/checkout@{'a' * 40}",
        "actions/checkout@abc # v7.0.1",
    ],
)
def test_what_is_not_pinned_would_be_noticed(used: str) -> None:
    """The negative control of the test above."""
    assert loose(f"      - uses: {used}\n") == [used]


def test_a_commit_has_one_version_wherever_it_is_used() -> None:
    """Or one of two lines is mistaken about what it runs; steps of one action are of one version."""
    pins = {match.groups() for path in WORKFLOWS for match in _PINNED.finditer(path.read_text())}

    assert len(pins) == len({action for action, _, _ in pins})
    assert len({pin[1:] for pin in pins if pin[0].startswith("github/codeql-action/")}) == 1


def test_what_is_pinned_is_kept_up_to_date() -> None:
    """Pins grow old: Dependabot proposes new ones for each kind of them, weekly."""
    proposed = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]

    assert {one["package-ecosystem"] for one in proposed} == {"pip", "github-actions", "docker-compose"}
    assert {one["schedule"]["interval"] for one in proposed} == {"weekly"}


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
