"""deploy/systemd: the same processes as in Compose, without Docker."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from app.core.config import Settings
from tests.support.programs import ran
from tests.support.stack import ROOT

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_systemd_reads_them(tmp_path: Path) -> None:
    """All at once, because they name each other; programs that are not here yet stand in for ours."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(re.sub(r"/opt/jetway/bin/\w+", "/usr/bin/true", unit.read_text()))
    done = ran("systemd-analyze", "verify", "--man=no", *(tmp_path / unit.name for unit in UNITS))

    said = [line for line in done.stderr.splitlines() if "jetway" in line]
    assert said == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_gives_settings_that_there_are(unit: Path) -> None:
    given = re.findall(r"^Environment=(.+)$", unit.read_text(), re.M)
    named = {one.partition("=")[0] for line in given for one in shlex.split(line)}

    assert named - {name.upper() for name in Settings.model_fields} <= {"WEB_CONCURRENCY"}
    assert re.findall(r"^(?:NoNewPrivileges|ProtectSystem|PrivateTmp)=(\w+)$", unit.read_text(), re.M) == [
        *("yes", "strict", "yes")
    ]


def test_a_process_is_not_given_what_it_does_not_need() -> None:
    """Out of the file that all of them read, the same as Compose keeps from them."""
    composed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    others = {name for name, value in composed["api"]["environment"].items() if value == ""}
    for name, process in (("worker", "worker"), ("beat", "beat"), ("migrate", "migration")):
        unit = (ROOT / f"deploy/systemd/jetway-{name}.service").read_text()
        [kept] = re.findall(r"^UnsetEnvironment=(.+)$", unit, re.M)

        assert f"PROCESS={process}" in unit
        assert set(kept.split()) == {
            one for one, value in composed[name]["environment"].items() if value == "" and one not in others
        }


def test_the_api_has_the_options_that_the_image_has() -> None:
    """Whatever the image says in its environment is said here on the line."""
    start = re.findall(r"^ExecStart=(.+)$", (ROOT / "deploy/systemd/jetway-api.service").read_text(), re.M)[0]
    for name, value in re.findall(r"UVICORN_(\w+)=(\w+)", DOCKERFILE):
        option = name.lower().replace("_", "-")
        assert (f"--no-{option}" if value == "false" else f"--{option} {value}") in start
