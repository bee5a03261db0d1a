"""Every metric is declared, explained, named as Prometheus wants it, used, and bounded."""

import re
from pathlib import Path

import pytest

from app.core import metrics
from app.core.metrics import ANSWERED, DECLARED, LABELS, REGISTRY, SHARED, Declared
from app.core.web import problems
from app.ops import metrics_page
from app.ops.invariants import INVARIANTS

APP = Path(metrics.__file__).parents[1]
SOURCE = Path(metrics.__file__).read_text()


def test_the_page_is_what_the_command_prints() -> None:
    """`python -m app metrics > docs/metrics.md` was run after the last change."""
    assert Path("docs/metrics.md").read_text() == metrics_page.text() + "\n"


@pytest.mark.parametrize("one", DECLARED, ids=lambda one: one.name)
def test_it_is_named_and_explained(one: Declared) -> None:
    """Counters end with `_total`, times with `_seconds`, nothing else does; each says in a sentence what it is."""
    assert re.fullmatch(r"jetway(_[a-z]+)+", one.name)
    assert one.name.endswith("_total") == (one.kind == "counter")
    assert one.kind != "histogram" or one.name.endswith("_seconds")
    assert one.meaning.endswith(".")
    assert "|" not in one.meaning


def test_labels_are_from_a_closed_list() -> None:
    """Each says what it can hold, and none is left over."""
    assert {label for one in DECLARED for label in one.labels} == LABELS.keys()


def test_every_metric_is_used() -> None:
    """By some other module of the product; a number that nobody sets is worse than none."""
    others = "\n".join(file.read_text() for file in APP.rglob("*.py") if file.name != "metrics.py")
    words = set(re.findall(r"\b[A-Z_]+\b", others))
    names = re.findall(r"^([A-Z_]+) = _[a-z_]+\(", SOURCE, re.MULTILINE)

    assert len(names) == len(DECLARED) - 1  # The number of processes is set where it is declared.
    assert set(names) - words == set()


def test_nothing_is_told_that_is_not_declared() -> None:
    """Whoever makes a metric elsewhere has it in a registry and not on the page."""
    told = {metric.name for registry in (ANSWERED, REGISTRY, SHARED) for metric in registry.collect()}
    declared = {one.name.removesuffix("_total") for one in DECLARED}

    assert {name for name in told if name.startswith("jetway")} == declared


def test_codes_of_lost_races_are_codes_of_refusals() -> None:
    """A code that is renamed must not be left behind here."""
    codes = set(re.findall(r"^\| `(\w+)` \|", Path("docs/errors.md").read_text(), re.MULTILINE))

    assert codes >= problems.INVENTORY_RACES


def test_invariants_have_names_that_a_label_can_hold() -> None:
    """They are what alerts and runbooks are about."""
    assert all(re.fullmatch(r"[a-z_]+", name) for name in INVARIANTS)
