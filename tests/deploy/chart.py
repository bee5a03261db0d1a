"""The chart as Helm renders it, asked once for all that the tests want to know."""

import functools
import json
import subprocess
from copy import deepcopy
from typing import Any

import yaml

from tests.support.programs import program
from tests.support.stack import ROOT

CHART = ROOT / "deploy/helm/jetway"
CASES = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((CHART / "ci").glob("*.yaml"))}
# What the guide begins with.
_GUIDE = (ROOT / "docs/guides/kubernetes.md").read_text()
CASES["guide"] = yaml.safe_load(_GUIDE.partition("```yaml\n# values.yaml\n")[2].partition("```")[0])
# The oldest that Chart.yaml allows, and what came after.
_VERSIONS = {"everything": ["1.29", "1.31", "1.33", "1.35", "1.37"]}
_LATEST = ["1.37"]

Object = dict[str, Any]


def with_values(case: str, **changes: Any) -> Object:
    """A case with some values of others, by paths with `__` for each dot; None takes a value away."""
    values: Object = deepcopy(CASES[case])
    for path, value in changes.items():
        *above, last = path.split("__")
        place = functools.reduce(lambda found, name: found.setdefault(name, {}), above, values)
        if value is None:
            del place[last]
        else:
            place[last] = value
    return values


# Why each is refused, in words of the message.
REFUSED: dict[str, tuple[Object, str]] = {
    "no image": (with_values("minimal", image=None), "image.repository is missing"),
    "no database": (with_values("minimal", secret__values__DATABASE_URL=None), "DATABASE_URL is missing"),
    "no secret": (with_values("minimal", secret__values__JWT_SECRET=None), "JWT_SECRET is missing"),
    "a short secret": (
        with_values("minimal", secret__values__SECRET_KEY="short"),
        "SECRET_KEY is shorter than 32",
    ),
    "a placeholder": (
        with_values("minimal", secret__values__JWT_SECRET="please-change-me-please-change-me-now"),
        "JWT_SECRET is a placeholder",
    ),
    "one secret twice": (
        with_values("minimal", secret__values__SECRET_KEY="rendered-by-the-checks-of-the-chart-1"),
        "JWT_SECRET and SECRET_KEY must differ",
    ),
    "a short former secret": (
        with_values("everything", secret__values__ENCRYPTION_KEY="former,rendered-by-the-checks-of-the-c"),
        "ENCRYPTION_KEY is shorter than 32",
    ),
    "metrics for everybody": (
        with_values("everything", secret__values__ADMIN_METRICS_TOKEN=None),
        "ADMIN_METRICS_TOKEN is missing",
    ),
    "a database in the clear": (with_values("bare", config=None), "DATABASE_URL is not encrypted"),
    "a cache in the clear": (
        with_values("everything", secret__values__REDIS_URL="redis://:b7Kd@redis.data.svc:6379/0"),
        "REDIS_URL is not encrypted",
    ),
    "no key in the store": (with_values("external-secrets", secret__external__key=None), "external.key"),
    "no host": (with_values("managed", ingress__host=None), "ingress.host is missing"),
    "proxies unknown": (with_values("managed", trustedProxies=None), "trustedProxies is missing"),
    "a secret in the open": (with_values("minimal", config={"JWT_SECRET": "x" * 40}), "'JWT_SECRET'"),
    "a value with a typing error": (with_values("minimal", api__replica=3), "replica"),
    "a drain without end": (with_values("minimal", api__drainSeconds=600), "drainSeconds"),
}


@functools.cache
def rendered() -> dict[str, Object]:
    """Every case with its objects and what is wrong with them, and the answer to each that is to be refused."""
    cases = CASES | {name: values for name, (values, _) in REFUSED.items()}
    versions = dict.fromkeys(CASES, _LATEST) | _VERSIONS
    asked = {"chart": str(CHART), "cases": cases, "versions": versions}
    helm = subprocess.run(
        [program(str(ROOT / ".tools/bin/python")), ROOT / "tests/deploy/rendering.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert helm.returncode == 0, helm.stderr
    answers: dict[str, Object] = json.loads(helm.stdout)
    return answers


def objects(case: str, kind: str) -> dict[str, Object]:
    """Those of a kind, by their names."""
    found = rendered()[case]
    assert "objects" in found, found
    return {one["metadata"]["name"]: one for one in found["objects"] if one["kind"] == kind}


def pods(case: str) -> dict[str, Object]:
    """What pods are made from, by component."""
    made = [*objects(case, "Deployment").values(), *objects(case, "Job").values()]
    return {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: one["spec"]["template"]["spec"]
        for one in made
    }


def containers(case: str) -> dict[str, Object]:
    return {
        one["name"]: one
        for pod in pods(case).values()
        for one in [*pod.get("initContainers", []), *pod["containers"]]
    }
