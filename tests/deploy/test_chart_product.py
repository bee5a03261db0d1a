"""What the chart says of the product is so: its settings, commands, ports, paths and rules."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.config import Settings
from tests.deploy.chart import CASES, CHART, containers, objects, pods, rendered
from tests.support.stack import ROOT

_PORTS = {"http": 8000}


def variables(case: str) -> list[dict[str, Any]]:
    """Those that single containers get."""
    return [one for container in containers(case).values() for one in container.get("env", [])]


def told(case: str) -> dict[str, str]:
    """All environment variables that containers get from the chart."""
    data = [one["data"] for one in objects(case, "ConfigMap").values()]
    data += [one["stringData"] for one in objects(case, "Secret").values()]
    data += [{one["name"]: one["value"]} for one in variables(case) if "value" in one]
    return {name: value for one in data for name, value in one.items()}


@pytest.mark.parametrize("case", CASES)
def test_every_variable_is_a_setting(case: str) -> None:
    """A name with a typing error would be a setting that nobody reads."""
    names = told(case).keys() | {one["name"] for one in variables(case)}

    assert len(names) > 5
    assert {name for name in names if name.lower() not in Settings.model_fields} == set()


def test_what_the_values_name_in_comments_is_a_setting() -> None:
    """Whoever fills in values.yaml reads them there."""
    comments = re.findall(r"^#.*", (CHART / "values.yaml").read_text(), re.M)
    names = {name for line in comments for name in re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)+\b", line)}

    assert {"DATABASE_URL", "ADMIN_METRICS_TOKEN"} <= names
    assert {name for name in names if name.lower() not in Settings.model_fields} == set()


@pytest.mark.parametrize("case", ["everything", "minimal", "bare"])
def test_production_starts_with_what_it_is_told(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's own checks of secrets and doors, once the key of the vendor is no placeholder."""
    for name in Settings.model_fields:  # What the suite's own servers are told is not the chart's.
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in told(case).items():
        monkeypatch.setenv(name, value)

    started = Settings(_env_file=None)

    assert started.app_env == "production"
    assert started.drain_seconds == CASES[case].get("api", {}).get("drainSeconds", 10)


@pytest.mark.parametrize("name", ["worker", "beat", "migrate", "prepare"])
def test_a_process_gets_its_own_secrets_and_starts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker signs nobody in; Beat and migrations know of no key, and of no vendor."""
    for one in Settings.model_fields:
        monkeypatch.delenv(one.upper(), raising=False)
    secret = objects("everything", "Secret")["jetway"]["stringData"]
    container = containers("everything")[name]
    given = dict(objects("everything", "ConfigMap")["jetway"]["data"])
    if any("secretRef" in source for source in container["envFrom"]):
        given |= secret
    for variable in container["env"]:
        given[variable["name"]] = variable.get("value") or secret.get(variable["name"], "")
        if variable.get("value") == "":
            del given[variable["name"]]
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)

    started = Settings(_env_file=None)

    assert started.app_env == "production"
    assert started.process == {"migrate": "migration", "prepare": "migration"}.get(name, name)
    assert secret["JWT_SECRET"] not in given.values()
    assert len(started.jwt_secret) == 64
    if name != "worker":
        assert secret.keys() & given.keys() == {"DATABASE_URL", "REDIS_URL"}


def test_an_api_pod_has_time_to_drain_and_to_finish() -> None:
    """What it is given is longer than both together, or it would be killed in the middle."""
    from app.core.web.ending import _FINISHES_WITHIN_SECONDS

    for case in CASES:
        drain = int(objects(case, "ConfigMap")["jetway"]["data"]["DRAIN_SECONDS"])
        assert pods(case)["api"]["terminationGracePeriodSeconds"] > drain + _FINISHES_WITHIN_SECONDS + 5


def test_a_worker_pod_has_time_to_end() -> None:
    from app.core.background import _ENDS_WITHIN_SECONDS
    from app.worker import _TASKS_END_WITHIN_SECONDS

    takes = _TASKS_END_WITHIN_SECONDS + _ENDS_WITHIN_SECONDS
    assert pods("minimal")["worker"]["terminationGracePeriodSeconds"] > takes + 5


@pytest.fixture(scope="module")
def paths() -> set[str]:
    """Every path of the product that is described, and those of pages that are not."""
    from app.main import create_api

    api = create_api()
    own: list[Any] = [route for route in api.routes if hasattr(route, "path")]
    return {*api.openapi()["paths"], "/", *(route.path for route in own)}


def test_probes_ask_what_the_product_answers(paths: set[str]) -> None:
    """At ports that the containers have; workers and Beat are asked by a command that there is."""
    for name, one in containers("everything").items():
        ports = {port["name"]: port["containerPort"] for port in one.get("ports", [])}
        probes = [one[kind] for kind in ("startupProbe", "readinessProbe", "livenessProbe") if kind in one]
        assert len(probes) == {"api": 3, "worker": 2, "beat": 2}.get(name, 0)
        for probe in probes:
            if "httpGet" in probe:
                assert probe["httpGet"]["path"] in paths
                assert ports[probe["httpGet"]["port"]] == _PORTS[probe["httpGet"]["port"]]
            else:
                assert probe["exec"]["command"] == ["python", "-m", "app", "alive", name]
    assert containers("everything")["api"]["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_there_is_a_command_that_tells_whether_a_worker_is_alive(tmp_path: Path) -> None:
    """Here none is, and a process is named that the command knows."""
    for process in ("worker", "beat"):
        asked = subprocess.run(
            [sys.executable, "-m", "app", "alive", process],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path)},
        )
        assert (asked.returncode, asked.stderr) == (1, "")


def test_commands_are_those_of_the_product() -> None:
    commands = {name: one["command"] for name, one in containers("everything").items()}

    assert commands == {
        "api": ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"],
        "worker": ["celery", "--quiet", "-A", "app.worker", "worker", "--concurrency", "4"],
        "beat": ["celery", "--quiet", "-A", "app.worker", "beat", "--schedule", "/tmp/celerybeat-schedule"],
        "migrate": ["alembic", "upgrade", "head"],
        "prepare": ["python", "-m", "app", "prepare"],
    }


@pytest.mark.parametrize("case", ["managed", "everything"])
def test_everything_but_the_back_office_is_routed(case: str, paths: set[str]) -> None:
    """By the beginnings of paths, so that a new feature must be named in the chart; /admin is no one's business."""
    [ingress] = objects(case, "Ingress").values()
    routed = {
        one["path"]: one["pathType"] for rule in ingress["spec"]["rules"] for one in rule["http"]["paths"]
    }
    inside = {"/admin", "/livez", "/readyz"}
    beginnings = {"/" + path.split("/")[1] for path in paths}

    assert inside < beginnings
    assert routed.keys() == beginnings - inside
    assert routed.pop("/") == "Exact"
    assert set(routed.values()) == {"Prefix"}


def test_metrics_are_read_where_they_are(paths: set[str]) -> None:
    """With the token that the product is told; jobs have the names that the rules use."""
    [service] = objects("everything", "ServiceMonitor").values()
    [endpoint] = service["spec"]["endpoints"]
    assert endpoint["path"] in paths
    assert endpoint["authorization"]["credentials"] == {"name": "jetway", "key": "ADMIN_METRICS_TOKEN"}
    assert "ADMIN_METRICS_TOKEN" in objects("everything", "Secret")["jetway"]["stringData"]
    [pod] = objects("everything", "PodMonitor").values()
    ports = {one["name"]: one["containerPort"] for one in containers("everything")["worker"]["ports"]}
    assert [ports[one["port"]] for one in pod["spec"]["podMetricsEndpoints"]] == [9810, 9811, 9812, 9813]
    for monitor, made in ((service, objects("everything", "Service")), (pod, {})):
        wanted = monitor["spec"]["selector"]["matchLabels"]
        assert monitor["spec"]["jobLabel"] == "app.kubernetes.io/component"
        assert all(wanted.items() <= one["metadata"]["labels"].items() for one in made.values())


def test_secrets_come_from_the_store_to_where_pods_look() -> None:
    """For the migration too, which runs before the release is there."""
    asked = objects("external-secrets", "ExternalSecret")

    assert asked.keys() == {"jetway", "jetway-migrate"}
    for name, one in asked.items():
        assert one["spec"]["target"]["name"] == name
        assert one["spec"]["secretStoreRef"] == {"name": "vault", "kind": "ClusterSecretStore"}
        assert one["spec"]["dataFrom"] == [{"extract": {"key": "jetway/production"}}]
    assert objects("external-secrets", "Secret") == {}


def test_the_rules_are_those_of_prometheus() -> None:
    """All groups of deploy/prometheus/rules, word for word: what is in braces there is Prometheus', not Helm's."""
    files = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
    groups = [group for path in files for group in yaml.safe_load(path.read_text())["groups"]]
    [rule] = objects("everything", "PrometheusRule").values()

    assert len(groups) > 0
    assert rule["spec"]["groups"] == groups


def test_the_notes_add_up_the_connections() -> None:
    """(12 + 1) API pods of 8; (6 + 1) workers with 4 processes of 8; Beat's one and the migration's."""
    assert "allow 330 connections" in rendered()["everything"]["notes"]
