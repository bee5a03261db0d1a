"""LOG_FORMAT says for whom lines are written; without it the environment does."""

import json

import pytest

from tests.support.stack import run

SCRIPT = "from app.core import logging as ours; ours.configure(); ours.logger('jetway.test').warning('told', odd=3)"


def line(**environment: str) -> str:
    done = run("-c", SCRIPT, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "environment", [{"APP_ENV": "test"}, {"APP_ENV": "development", "LOG_FORMAT": "json"}], ids=str
)
def test_machines_get_one_object_a_line(environment: dict[str, str]) -> None:
    """With the three names first that the schema wants there."""
    told = json.loads(line(**environment))

    assert list(told)[:4] == ["@timestamp", "log.level", "message", "ecs.version"]
    assert (told["message"], told["jetway.odd"], told["log.logger"]) == ("told", 3, "jetway.test")


@pytest.mark.parametrize(
    "environment", [{"APP_ENV": "development"}, {"APP_ENV": "test", "LOG_FORMAT": "console"}], ids=str
)
def test_people_get_words(environment: dict[str, str]) -> None:
    told = line(**environment)

    assert not told.startswith("{")
    assert "told" in told
    assert "odd=3" in told
