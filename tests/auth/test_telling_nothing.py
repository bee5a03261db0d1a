"""How long an answer takes says nothing about who has an account."""

import random
import uuid
from time import perf_counter
from typing import Any

import pytest

from app.auth import passwords
from benchmarks.enumeration import auc
from tests.support.client import Client

WRONG = {"password": "not the password"}


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each password is compared with its hash each time, as in production."""
    monkeypatch.setattr(passwords, "_verify", passwords._verify.__wrapped__)  # type: ignore[attr-defined]


def test_the_measure_finds_what_there_is_to_find() -> None:
    """1 or 0 where every time tells, 0.5 where none does."""
    assert auc([2.0, 3.0], [0.0, 1.0]) == 1
    assert auc([0.0, 1.0], [2.0, 3.0]) == 0
    assert auc([1.0, 2.0], [1.0, 2.0]) == 0.5


async def measured(api: Client, path: str, people: list[str], each: int, more: dict[str, Any]) -> float:
    times: dict[bool, list[float]] = {True: [], False: []}
    for number in range(each):
        for is_known in random.sample([True, False], 2):
            email = people[number % len(people)] if is_known else f"{uuid.uuid4().hex}@example.com"
            begun = perf_counter()
            answer = await api.post(path, {"email": email, **more})
            times[is_known].append(perf_counter() - begun)
            assert answer.status in (401, 202)
    return auc(times[True], times[False])


@pytest.mark.parametrize(
    ("path", "each", "more"), [("/auth/login", 25, WRONG), ("/auth/password/forgot", 40, {})]
)
async def test_known_and_unknown_addresses_take_as_long(
    real: None, api: Client, path: str, each: int, more: dict[str, Any]
) -> None:
    """A wrong password, and the wish for a new one, in turn for both kinds.

    So few samples lie by chance outside of these bounds once in a hundred times, so a second and a third look are
    allowed; where time tells, each of them does.
    """
    people = [(await api.signed_up()).user["email"] for _ in range(each // 4)]

    found = [await measured(api, path, people, each, more)]
    while not 0.3 < found[-1] < 0.7 and len(found) < 3:
        people = [(await api.signed_up()).user["email"] for _ in range(each // 4)]
        found.append(await measured(api, path, people, each, more))

    assert 0.3 < found[-1] < 0.7, found
