"""What Elasticsearch would make of a line, by the mapping in deploy/elk: fields are known there and fit their types."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from tests.support.stack import ROOT

ALWAYS = {
    "@timestamp",
    "log.level",
    "message",
    "ecs.version",
    "log.logger",
    "service.name",
    "service.version",
    "service.environment",
    "service.node.name",
    "process.pid",
    "event.dataset",
}


@cache
def mapping() -> dict[str, dict[str, Any]]:
    """The leaves of the mapping by their dotted names."""
    template = json.loads((ROOT / "deploy/elk/index-template.json").read_text())
    return dict(_leaves("", template["template"]["mappings"]["properties"]))


def _leaves(prefix: str, properties: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in properties.items():
        if "properties" in field:
            yield from _leaves(f"{prefix}{name}.", field["properties"])
        else:
            yield prefix + name, field


def read(text: str) -> list[dict[str, Any]]:
    """Lines as JSON; one that is none, or that says one thing twice, is an error."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        told = dict(pairs)
        assert len(told) == len(pairs), pairs
        return told

    return [json.loads(line, object_pairs_hook=once) for line in text.splitlines()]


def misfits(line: dict[str, Any]) -> set[str]:
    """What is wrong with a line: names that are missing, that no mapping knows, or whose values do not fit."""
    found = {f"{name} is missing" for name in ALWAYS - line.keys()}
    for name, value in line.items():
        field = mapping().get(name)
        if field is None:
            found.add(f"{name} is not in the mapping")
        elif not _fits(field["type"], value):
            found.add(f"{name} is no {field['type']}: {value!r}")
    return found


def _fits(kind: str, value: Any) -> bool:
    if isinstance(value, list):
        return all(_fits(kind, one) for one in value)
    match kind:
        case "long":
            return value is None or (type(value) is int and abs(value) < 2**63)
        case "double":
            return value is None or type(value) in (int, float)
        case "date":
            return isinstance(value, str) and datetime.fromisoformat(value) is not None
        case "match_only_text" | "wildcard":
            return isinstance(value, str)
    return value is None or type(value) in (str, int, bool)
