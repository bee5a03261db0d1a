"""Helm's own code and Kubernetes' own schemas, asked about the chart: run by .tools/bin/python, which alone has them.

Reads `{"chart": path, "cases": {name: values}, "versions": {name: [version, …]}}` and writes for each case what Helm
renders, as objects, or why it refuses, and whatever those versions of Kubernetes find wrong.
"""

import functools
import json
import sys
from typing import Any

import helm_python
import yaml
from kubernetes_validate import utils

# It would read the same megabytes again for each object.
utils.schema_contents = functools.cache(utils.schema_contents)
_NOT_KUBERNETES_OWN = ("monitoring.coreos.com/", "external-secrets.io/")


def answer(chart: Any, path: str, values: dict[str, Any], versions: list[str]) -> dict[str, Any]:
    options = {"name": "jetway", "namespace": "travel"}
    try:
        rendered = chart.render(values, **options)
    except helm_python.HelmError as error:
        return {"refused": str(error)}
    files = {name: text for name, text in rendered.items() if not name.endswith("NOTES.txt")}
    objects = [one for text in files.values() for one in yaml.safe_load_all(text) if one]
    return {
        "objects": objects,
        "notes": next((text for name, text in rendered.items() if name.endswith("NOTES.txt")), ""),
        "lint": [
            one["error"]
            for one in helm_python.lint(path, values, strict=True)["messages"]
            if one["severity"] > 1
        ],
        "wrong": [
            f"{version} {one['kind']}/{one['metadata']['name']}: {found}"
            for version in versions
            for one in objects
            if not one["apiVersion"].startswith(_NOT_KUBERNETES_OWN) and (found := wrong(one, version))
        ],
    }


def wrong(one: dict[str, Any], version: str) -> str:
    try:
        utils.validate(one, version, strict=True)
    except utils.ValidationError as error:
        return f"{list(error.path)}: {error.message}"
    except utils.SchemaNotFoundError as error:
        return str(error.message)
    return ""


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    with helm_python.Chart.load(asked["chart"]) as loaded:
        answers = {
            name: answer(loaded, asked["chart"], values, asked["versions"].get(name, []))
            for name, values in asked["cases"].items()
        }
    json.dump(answers, sys.stdout)
