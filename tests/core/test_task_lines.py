"""Sweeps come every few seconds: those that found nothing to do do not drown the log."""

import logging
from typing import Any

import pytest

from app.core import background
from app.core.work import Work
from tests.support import ecs

IDLE = {"known": Work(), "seconds": 0.2, "outcome": "succeeded", "asked_for": False}


class Kept:
    """What was said, and how loudly."""

    def log(self, level: int, _: str, **facts: Any) -> None:
        self.level, self.facts = level, facts


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()
    monkeypatch.setattr(background, "log", kept)
    return kept


@pytest.mark.parametrize(
    ("task", "level"),
    [
        ({}, logging.DEBUG),
        ({"outcome": "failed"}, logging.INFO),
        ({"seconds": 1.5}, logging.INFO),
        ({"asked_for": True}, logging.INFO),
        ({"known": Work(calls=1, call_seconds=0.1)}, logging.INFO),
    ],
    ids=str,
)
def test_a_task_is_told_aloud_if_it_is_worth_it(kept: Kept, task: dict[str, Any], level: int) -> None:
    """It failed, was slow, was asked for, or called somebody outside."""
    background._tell(**{**IDLE, **task})

    assert kept.level == level
    assert kept.facts["event.duration"] == round({**IDLE, **task}["seconds"] * 1e9)
    assert kept.facts["event.outcome"] == ("failure" if "outcome" in task else "success")
    assert kept.facts.get("jetway.upstream.calls", 0) == task.get("known", Work()).calls
    assert kept.facts.keys() - ecs.mapping().keys() == set()
