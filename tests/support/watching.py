"""What deploy/ says to Prometheus and Grafana, read as they would: rules, alerts, panels, and what expressions name."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.stack import ROOT

PROMETHEUS = ROOT / "deploy/prometheus"
RUNBOOKS = ROOT / "docs/runbooks"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABELS = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+|(?<![\w:])\d[\w.]*")
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\s*(\{[^{}]*\})?(?!\s*\()(?![\w:])")
_KEYWORDS = {"and", "or", "unless", "bool"}
# Metrics of others, and their labels. What every scrape has is in `_SCRAPED`.
_SCRAPED = {"job", "instance"}
_OTHERS = {
    "up": set[str](),
    "ALERTS": {"alertname", "alertstate", "severity", "runbooks"},
    "jetway_replica_lag_seconds": set[str](),
    "process_start_time_seconds": set[str](),
    "process_resident_memory_bytes": set[str](),
    "process_cpu_seconds_total": set[str](),
    "prometheus_rule_evaluation_failures_total": {"rule_group"},
    "prometheus_notifications_dropped_total": set[str](),
    "prometheus_config_last_reload_successful": set[str](),
    "traefik_service_requests_total": {"code", "method", "protocol", "service"},
    "traefik_tls_certs_not_after": {"cn", "sans", "serial"},
}


@dataclass
class Named:
    """What an expression names: metrics, the labels it asks of them, and selectors as they stand there."""

    metrics: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    selectors: set[str] = field(default_factory=set)


def named(expression: str) -> Named:
    """Strings are taken out first, because they may hold whatever a selector does."""
    strings: list[str] = []

    def kept(match: re.Match[str]) -> str:
        strings.append(match[0])
        return f'"{len(strings) - 1}"'

    rest = _STRING.sub(kept, expression)
    found = Named()
    for group in _LABELS.findall(rest):
        found.labels |= {label.strip() for label in group.split(",") if label.strip()}
    rest = _RANGE.sub(" ", re.sub(r'"(\d+)"', lambda m: f'"s{m[1]}"', _LABELS.sub(" ", rest)))
    for metric, matchers in _SELECTOR.findall(rest):
        if metric in _KEYWORDS:
            continue
        found.metrics.add(metric)
        found.labels |= set(re.findall(r"(\w+)\s*[=!]", matchers))
        found.selectors.add(metric + re.sub(r'"s(\d+)"', lambda m: strings[int(m[1])], matchers))
    return found


@cache
def rules() -> list[dict[str, Any]]:
    return [
        rule
        for path in sorted(PROMETHEUS.glob("rules/*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> set[str]:
    return {rule["record"] for rule in rules() if "record" in rule}


@cache
def boards() -> dict[str, dict[str, Any]]:
    folder = ROOT / "deploy/grafana/dashboards"
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def asked_by(board: dict[str, Any]) -> dict[str, list[str]]:
    """The expressions of each of its panels, as Grafana would send them where everything is chosen."""
    chosen = {variable["name"]: ".*" for variable in board["templating"]["list"]}
    return {
        panel["title"]: [
            re.sub(r"\$(\w+)", lambda m: chosen.get(m[1], m[0]), target["expr"])
            for target in panel["targets"]
        ]
        for panel in board["panels"]
    }


@cache
def known() -> dict[str, set[str]]:
    """Each series that there can be, and its labels."""
    from app.core.metrics import DECLARED

    series = dict(_OTHERS)
    for one in DECLARED:
        labels = set(one.labels)
        if one.kind == "histogram":
            series |= {
                f"{one.name}_count": labels,
                f"{one.name}_sum": labels,
                f"{one.name}_bucket": labels | {"le"},
            }
        else:
            series[one.name] = labels
    series |= {name: {"slo"} for name in recorded()}
    return {name: labels | _SCRAPED for name, labels in series.items()}


def unknown(expression: str) -> set[str]:
    """What an expression names that nobody declares."""
    found = named(expression)
    there = set().union(*(known().get(metric, set()) for metric in found.metrics))
    return (found.metrics - known().keys()) | (found.labels - there)


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of this language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
