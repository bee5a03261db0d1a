"""`python -m dev.dashboards`: Grafana's dashboards in deploy/grafana/dashboards, made from deploy/grafana/boards.

Grafana wants some ninety lines of JSON for a panel, of which eight are ours: those are in boards/*.toml, and a test
holds the JSON to them. A panel there has

    title, answers   what it is called, and the question that it answers
    kind, width      a graph if nothing else is said, "stat" or "table"; of the 24 columns of a dashboard
    unit             one of Grafana's names
    query, queries   what Prometheus is asked, or several of it by what their lines are called; or one of
    rate_of, max_of, p95_of, quantiles_of    a metric, with the labels `by` which it is told apart
    bad              from where on a value is worth a look, and bad; with `less_is_worse` below where it is
    runbooks         whose alerts' pages it links to
"""

import json
import tomllib
from pathlib import Path
from typing import Any

_GRAFANA = Path(__file__).parents[1] / "deploy/grafana"
_DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
_COLUMNS = 24
_SIZE = {"stat": (4, 4), "graph": (12, 8), "table": (12, 8)}
_TYPE = {"graph": "timeseries"}
# Where the pages are is said once, in prometheus.yml, and its watchdog repeats it.
_RUNBOOKS = 'label_values(ALERTS{alertname="Watchdog"}, runbooks)'

Json = dict[str, Any]


def made() -> dict[Path, str]:
    """Every file and what is to be in it."""
    return {
        _GRAFANA / "dashboards" / f"{source.stem}.json": json.dumps(
            _dashboard(source.stem, tomllib.loads(source.read_text())), indent=1
        )
        + "\n"
        for source in sorted((_GRAFANA / "boards").glob("*.toml"))
    }


def _dashboard(name: str, board: Json) -> Json:
    return {
        "uid": f"jetway-{name}",
        "title": board["title"],
        "description": board["answers"],
        "tags": ["jetway"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,  # One cross hair in all panels, so that causes are seen beside effects.
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [_OTHER_BOARDS],
        "templating": {
            "list": [
                {**_variable("runbooks", _RUNBOOKS), "hide": 2},
                *(_choice(label, of) for label, of in board.get("variables", {}).items()),
            ]
        },
        "annotations": {"list": [_ALERTS]},
        "panels": _placed(board["panel"]),
    }


def _placed(panels: list[Json]) -> list[Json]:
    """From left to right, and on in the next row where one has no room or is of another height."""
    placed = list[Json]()
    x = y = row = 0
    for number, panel in enumerate(panels, 1):
        width, height = _SIZE[panel.get("kind", "graph")]
        width = panel.get("width", width)
        if row and (x + width > _COLUMNS or height != row):
            x, y = 0, y + row
        placed.append({"id": number, "gridPos": {"x": x, "y": y, "w": width, "h": height}, **_panel(panel)})
        x, row = x + width, height
    return placed


def _panel(panel: Json) -> Json:
    kind = panel.get("kind", "graph")
    return {
        "type": _TYPE.get(kind, kind),
        "title": panel["title"],
        "description": panel["answers"],
        "datasource": _DATASOURCE,
        "targets": [
            _target(kind, chr(ord("A") + number), legend, expression)
            for number, (legend, expression) in enumerate(_queries(panel).items())
        ],
        "links": [
            {"title": f"Runbook: {alert}", "url": f"${{runbooks}}/{alert}.md", "targetBlank": True}
            for alert in panel.get("runbooks", ())
        ],
        "fieldConfig": {"defaults": _field(kind, panel), "overrides": []},
        **_HOW[kind],
    }


def _queries(panel: Json) -> dict[str, str]:
    if "query" in panel:
        return {"": panel["query"]}
    if "queries" in panel:
        return dict(panel["queries"])
    by = ", ".join(panel.get("by", ()))
    legend = " ".join(f"{{{{{label}}}}}" for label in panel.get("by", ()))
    if "rate_of" in panel:
        return {legend: f"sum by ({by}) (rate({panel['rate_of']}[$__rate_interval]))"}
    if "max_of" in panel:
        return {legend: f"max by ({by}) ({panel['max_of']})"}
    if "p95_of" in panel:
        return {legend: _quantile(0.95, panel["p95_of"], f"le, {by}")}
    return {
        f"p{share * 100:.0f}": _quantile(share, panel["quantiles_of"], "le") for share in (0.5, 0.95, 0.99)
    }


def _quantile(share: float, histogram: str, by: str) -> str:
    name, brace, matchers = histogram.partition("{")
    return (
        f"histogram_quantile({share}, sum by ({by}) (rate({name}_bucket{brace}{matchers}[$__rate_interval])))"
    )


def _target(kind: str, letter: str, legend: str, expression: str) -> Json:
    return {
        "refId": letter,
        "datasource": _DATASOURCE,
        "editorMode": "code",
        "expr": expression,
        "legendFormat": legend,
        "instant": kind != "graph",
        "range": kind == "graph",
        "format": "table" if kind == "table" else "time_series",
    }


def _field(kind: str, panel: Json) -> Json:
    field: Json = {
        "unit": panel["unit"],
        "color": {"mode": "palette-classic" if kind == "graph" else "thresholds"},
        "thresholds": {"mode": "absolute", "steps": _steps(panel)},
        "custom": {},
    }
    if not panel.get("below_zero"):
        field["min"] = 0
    if kind == "graph":
        stacked = panel.get("stacked", False)
        field["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 30 if stacked else 5,
            "showPoints": "never",
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if "bad" in panel else "off"},
        }
    return field


def _steps(panel: Json) -> list[Json]:
    """The colours of values; the last one of those that are `bad` is red."""
    bad = panel.get("bad", [])
    if panel.get("less_is_worse"):
        return [{"color": "red", "value": None}, {"color": "green", "value": bad[0]}]
    colors = ["orange", "red"][-len(bad) :] if bad else []
    return [
        {"color": "green", "value": None},
        *({"color": color, "value": value} for color, value in zip(colors, bad, strict=True)),
    ]


def _choice(label: str, of: str) -> Json:
    everything = {"includeAll": True, "multi": True, "allValue": ".*"}
    chosen = {"current": {"text": "All", "value": "$__all"}}
    return {**_variable(label, f"label_values({of}, {label})"), **everything, **chosen}


def _variable(name: str, query: str) -> Json:
    return {
        "name": name,
        "type": "query",
        "datasource": _DATASOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
    }


_OTHER_BOARDS: Json = {
    "type": "dashboards",
    "title": "Jetway",
    "tags": ["jetway"],
    "asDropdown": True,
    "keepTime": True,
    "includeVars": False,
    "targetBlank": False,
    "icon": "external link",
    "tooltip": "",
    "url": "",
}
_ALERTS: Json = {  # Where one began to fire, in every panel.
    "name": "Alerts",
    "datasource": _DATASOURCE,
    "enable": True,
    "expr": 'ALERTS{alertstate="firing", alertname!="Watchdog"}',
    "iconColor": "red",
    "titleFormat": "{{alertname}}",
}
_HOW: dict[str, Json] = {
    "stat": {
        "options": {
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "auto",
        }
    },
    "graph": {
        "options": {
            "legend": {
                "displayMode": "table",
                "placement": "right",
                "showLegend": True,
                "calcs": ["lastNotNull", "max"],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    },
    "table": {
        "options": {"showHeader": True, "cellHeight": "sm"},
        "transformations": [
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True, "Value": True, "__name__": True, "alertstate": True}
                },
            }
        ],
    },
}


if __name__ == "__main__":
    for _path, _text in made().items():
        _path.parent.mkdir(exist_ok=True)
        _path.write_text(_text)
