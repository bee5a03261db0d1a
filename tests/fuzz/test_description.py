"""A fuzzer reads the description and sends what fits it and what does not; every answer must be one it tells of.

In the suite each operation meets the boundaries of all its values once, as somebody who gets as far as its rules; and
sequences that follow from one answer to the next. `make fuzz` sends many more at random, everything as everybody.
"""

import asyncio
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Client

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
OPERATORS = r"^/admin/|/sync$"
EVERYBODYS = "^/(flights|offers|airports|airlines|payments|livez|readyz)"
# The search by query and the calendar ask what journeys ask in a body, with a thousand requests more: tests/door and
# tests/offers try them, and here they have their turn in the sequences and in `make fuzz`.
LONG = ["--exclude-operation-id-regex", "^(search_flights|price_calendar|sync)_"]

QUICK = {
    "nobody": ["--include-path-regex", EVERYBODYS, *LONG, "--phases", "coverage"],
    "user": ["--exclude-path-regex", f"{OPERATORS}|{EVERYBODYS}", "--phases", "coverage"],
    "admin": ["--include-path-regex", OPERATORS, "--phases", "coverage"],
}


async def fuzz(description: str, token: str | None, *arguments: str) -> int:
    """The exit code; what the fuzzer has to say, with a command to reproduce each failure, is shown by pytest."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIGURATION)]
    command += ["run", description, *(["-H", f"Authorization: Bearer {token}"] if token else [])]
    # Before each request it looks through all of its environment for proxies.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(*command, *arguments, env=environment)
    return await process.wait()


@pytest.mark.parametrize("role", QUICK)
async def test_every_answer_is_one_that_is_described(
    fuzzed: str, tokens: dict[str, str | None], role: str
) -> None:
    """No error of ours, no status, type, header or shape that the description does not have, nothing wrong taken."""
    arguments = shlex.split(os.environ.get("FUZZ", ""))

    assert await fuzz(f"{fuzzed}/openapi.json", tokens[role], *(arguments or QUICK[role])) == 0


async def test_so_is_every_answer_in_a_sequence(fuzzed: str, tokens: dict[str, str | None]) -> None:
    """What one call has made is what the next one is about; nothing is used after it is gone."""
    sequences = ("--phases", "stateful", "--max-examples", "2")

    assert await fuzz(f"{fuzzed}/openapi.json", tokens["user"], *sequences) == 0


async def test_an_answer_that_is_not_described_is_found(fuzzed: str, http: Any, tmp_path: Path) -> None:
    """The negative control: a description that leaves one status out."""
    described = (await Client(http, fuzzed).get("/openapi.json")).body
    del described["paths"]["/airports/{iata}"]["get"]["responses"]["422"]
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(described))

    only = ("--url", fuzzed, "--include-path", "/airports/{iata}", "--phases", "coverage")
    assert await fuzz(str(wrong), None, *only) == 1
