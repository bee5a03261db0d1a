"""Alerts: each fires when it must and not on a busy day, says what to do, and reaches who it is for."""

import re
import shutil
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.support.programs import ran
from tests.support.stack import ROOT
from tests.support.watching import PROMETHEUS, RUNBOOKS, alerts, blocks, known, named, rules, unknown

STORIES = sorted((PROMETHEUS / "tests").glob("*.yml"))
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yml"
SEVERITIES = {"page", "ticket", "heartbeat"}


@cache
def told(path: Path) -> list[dict[str, str]]:
    """The labels of the alerts that are expected to fire in a file of promtool's tests."""
    stories = yaml.safe_load(path.read_text())["tests"]
    samples = [
        sample["labels"]
        for story in stories
        for asked in story["promql_expr_test"]
        for sample in asked["exp_samples"]
    ]
    return [dict(re.findall(r'(\w+)="([^"]*)"', labels)) for labels in samples]


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The configuration with a URL in place of the file of one: Debian's Alertmanager knows files for Slack alone."""
    path = tmp_path_factory.mktemp("alertmanager") / "alertmanager.yml"
    path.write_text(re.sub(r"- url_file: \S+", "- url: http://127.0.0.1:9", ALERTMANAGER.read_text()))
    return path


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    """With the token's file there, as Compose puts it."""
    shutil.copytree(PROMETHEUS / "rules", tmp_path / "rules")
    (tmp_path / "token").write_text("a token")
    text = (PROMETHEUS / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text.replace("/run/secrets/admin_metrics_token", "token"))

    done = ran("promtool", "check", "config", tmp_path / "prometheus.yml")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 rule files found" in done.stdout


@pytest.mark.parametrize("stories", STORIES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_must_and_else_do_not(stories: Path) -> None:
    """deploy/prometheus/tests tells of calm and of what is amiss, and Prometheus' own code evaluates the rules."""
    done = ran("promtool", "test", "rules", stories)

    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_told_of_and_keeps_calm_on_a_busy_day() -> None:
    """A calm day proves nothing of a rule that finds none of its metrics there."""
    calm = PROMETHEUS / "tests/calm.yml"
    fired = {labels["alertname"] for path in STORIES if path != calm for labels in told(path)}
    [day] = yaml.safe_load(calm.read_text())["tests"]
    there = {series["series"].split("{")[0] for series in day["input_series"]}

    assert fired == set(alerts())
    for rule in rules():
        read = {name for name in named(rule["expr"]).metrics if not name.startswith("slo:")}
        assert read <= there, rule


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_is_wrong_and_where_help_is(name: str) -> None:
    """Its texts name no label that it does not have."""
    alert = alerts()[name]
    texts = alert["annotations"]
    fired = [labels for path in STORIES for labels in told(path) if labels["alertname"] == name]

    assert alert["labels"]["severity"] in SEVERITIES
    assert set(texts) == {"summary", "description", "runbook_url"}
    assert texts["runbook_url"].endswith(f"/{name}.md")
    for label in re.findall(r"\$labels\.(\w+)", " ".join(texts.values())):
        assert all(label in labels for labels in fired)


@pytest.mark.parametrize("name", alerts())
def test_an_alert_has_a_runbook(name: str) -> None:
    """It says what it means, what is noticed, how to look, what to do, and how to know that it is over."""
    page = (RUNBOOKS / f"{name}.md").read_text()

    assert page.startswith(f"# {name}\n")
    for part in ("**Means.**", "**Noticed.**", "**Look.**", "**Do.**", "**Over**"):
        assert part in page, part
    assert f"({name}.md)" in (RUNBOOKS / "README.md").read_text()


def test_every_runbook_is_in_the_index_and_names_metrics_that_exist() -> None:
    index = (RUNBOOKS / "README.md").read_text()
    for page in RUNBOOKS.glob("*.md"):
        text = page.read_text()
        assert page.name == "README.md" or f"({page.name})" in index, page
        assert set(re.findall(r"\bjetway_\w*[a-z]\b", text)) <= {*known(), *_histograms()}, page


def test_runbooks_look_for_lines_that_the_product_writes() -> None:
    """A logger or a message that was renamed would be looked for in vain, at the worst of times."""
    source = "\n".join(path.read_text() for path in (ROOT / "app").rglob("*.py"))
    wanted = [query for page in RUNBOOKS.glob("*.md") for query in blocks(page, "kql")]

    for name in re.findall(r'log\.logger : "(.*?)"', "\n".join(wanted)):
        assert f'logger("{name}")' in source, name
    for message in re.findall(r'message : "(.*?)"', "\n".join(wanted)):
        assert f'("{message}"' in source or f'"{message}",' in source, message
    fields = {field for query in wanted for field in re.findall(r"([\w.]+) (?::|>=)", query)}
    assert fields <= {"log.logger", "log.level", "message", "event.dataset", "http.response.status_code"}


def _histograms() -> set[str]:
    return {name.removesuffix("_bucket") for name in known() if name.endswith("_bucket")}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert", rule.get("record")))
def test_rules_read_what_is_declared(rule: dict[str, str]) -> None:
    """A metric or a label that nobody has would never fire, and nobody would notice."""
    assert not unknown(rule["expr"])


def test_alertmanager_takes_its_configuration(alertmanager: Path) -> None:
    done = ran("amtool", "check-config", alertmanager)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("severity", sorted(SEVERITIES))
def test_an_alert_reaches_who_it_is_for(alertmanager: Path, severity: str) -> None:
    done = ran("amtool", "config", "routes", "test", f"--config.file={alertmanager}", f"severity={severity}")

    assert done.stdout.strip() == severity, done.stderr


def test_what_keeps_others_quiet_exists() -> None:
    """Inhibitions name alerts; one that was renamed would be told of together with all that follows from it."""
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            names = re.search(r'alertname [=!~]+ "(.*)"', matcher)
            assert names
            assert set(names[1].split("|")) <= set(alerts())
