"""Grafana's dashboards, as far as they can be checked without Grafana: by its own types, and by what they ask."""

import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.programs import program
from tests.support.stack import ROOT
from tests.support.watching import alerts, asked_by, boards, unknown

GRAFANA = ROOT / "deploy/grafana"
# Reads each dashboard into the types that Grafana publishes for Python, writes it again, and tells what was lost.
_READ_AND_WRITTEN = """
import json, sys
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

def lost(before, after, place):
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            if name in after:
                yield from lost(value, after[name], f"{place}.{name}")
            elif value not in (None, {}, []):
                yield f"{place}.{name}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after)):
            yield from lost(one, other, f"{place}[{number}]")
    elif before != after:
        yield place

register_default_plugins()
for path in sys.argv[1:]:
    dashboard = json.load(open(path))
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
    print(*lost(dashboard, again, ""), sep="\\n")
"""


def test_the_files_are_those_that_the_boards_make() -> None:
    """`python -m dev.dashboards` writes them."""
    from dev.dashboards import made

    assert {path: path.read_text() for path in (GRAFANA / "dashboards").glob("*.json")} == made()


def test_grafana_knows_every_field() -> None:
    """A misspelt one would be dropped, and the panel would look otherwise than it was meant to."""
    files = sorted((GRAFANA / "dashboards").glob("*.json"))
    python = Path(program("actionlint")).parent / "python"

    done = subprocess.run(
        [python, "-c", _READ_AND_WRITTEN, *files], capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    # It belongs to the data source's part of an annotation, which these types leave out.
    assert set(done.stdout.split()) == {".annotations.list[0].titleFormat"}


@pytest.mark.parametrize("name", boards())
def test_panels_stand_beside_each_other(name: str) -> None:
    """None covers another, and none reaches over the edge."""
    places = [panel["gridPos"] for panel in boards()[name]["panels"]]

    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not [pair for pair in combinations(places, 2) if _overlap(*pair)]


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    apart = (
        one["x"] + one["w"] <= other["x"]
        or other["x"] + other["w"] <= one["x"]
        or one["y"] + one["h"] <= other["y"]
        or other["y"] + other["h"] <= one["y"]
    )
    return not apart


def test_dashboards_ask_the_data_source_that_is_provisioned() -> None:
    [source] = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    [provider] = yaml.safe_load((GRAFANA / "provisioning/dashboards/jetway.yml").read_text())["providers"]
    named = [panel["datasource"]["uid"] for board in boards().values() for panel in board["panels"]]

    assert set(named) == {source["uid"]}
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    assert len({board["uid"] for board in boards().values()}) == len(boards())


@pytest.mark.parametrize("name", boards())
def test_panels_ask_for_what_is_declared(name: str) -> None:
    """Metrics and labels that nobody has give an empty panel, which looks like calm."""
    for title, expressions in asked_by(boards()[name]).items():
        assert not set().union(*map(unknown, expressions)), title


def test_panels_explain_themselves_and_lead_to_runbooks() -> None:
    """Every alert that says more than that monitoring itself is well has a panel that shows it."""
    panels: list[dict[str, Any]] = [panel for board in boards().values() for panel in board["panels"]]
    linked = {
        link["url"].removeprefix("${runbooks}/").removesuffix(".md") for p in panels for link in p["links"]
    }

    assert all(panel["description"].endswith(".") for panel in panels)
    assert linked == set(alerts()) - {"MonitoringFails", "Watchdog"}
