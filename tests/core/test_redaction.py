"""What looks like a secret or an address does not get into a log, by whichever library's hand."""

import json
import os
import subprocess
import sys

from tests.support.stack import run

SECRETS = [
    "frt_AbCdEf-012345_678",
    "jtw_live_0123456789abcdef",
    "whsec_AAECAwQFBgcICQoLDA0ODw==",
    "sk_live_51H0canary",
    "pi_3Nabc_secret_Xyz012345",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "ada.lovelace+trip@mail.example.co.uk",
    "Bearer 0a1b2c3d4e5f",
    "Basic YWRhOnNlY3JldA==",
    "http://vendor.example/flights?access_key=0f9e8d7c6b5a&limit=100",
    "redis://jetway:correct-horse@cache:6379/0",
    "Cookie: session=0a1b2c; theme=dark",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
    "+441632960077",
    "+44 1632 960077",
    "4242 4242 4242 4242",
    "5555555555554444",
    "the product's own vendor key",
]
# What of each must not be seen, where that is not all of it.
CORES = {
    SECRETS[7]: "0a1b2c3d4e5f",
    SECRETS[8]: "YWRhOnNlY3JldA",
    SECRETS[9]: "0f9e8d7c6b5a",
    SECRETS[10]: "correct-horse",
    SECRETS[11]: "0a1b2c",
    SECRETS[12]: "MIIEvQIBADANBg",
}
WORDS = [
    "desk_top",
    "GET /bookings/{pnr}",
    "k@7",
    "task_name",
    "2026-11-26T17:00:00Z",
    "2026-11-26 17:00:00+0100",
    "0000000000001 and 16 digits: 1234567890123456",
    "redis://cache:6379/0",
    "0197f0c2-5a3b-7c1d-8e9f-001122334455",
]
# What those who refuse a value say of it: the word to look for stands at its end.
QUOTED = [
    'duplicate key value violates unique constraint "x"\nDETAIL: Key (email)=(Fenchurchina) exists',
    "invalid input for query argument $2: 'Fenchurchina' (expected int, got str)",
    'invalid input syntax for type uuid: "Fenchurchina"',
    'date/time field value out of range: "Fenchurchina"',
    "1 validation error\nname\n  too short [type=string, input_value='Fenchurchina', input_type=str]",
    "invalid literal for int() with base 10: 'Fenchurchina'",
]
SCRIPT = """
import json, logging, sys
from app.core import logging as ours
ours.configure()
for text in json.loads(sys.argv[1]):
    ours.logger("test").warning("told", detail=text, parts=[text, {"deep": text}], password=text, full_name=text,
                                nested={"email": text}, **{"user.email": text, "url.query": text})
    logging.getLogger("a.library").warning("it says %s here", text)
    try:
        raise ValueError(f"broke on {text}")
    except ValueError as error:
        ours.logger("test").exception("broken")
        kept = error
    logging.getLogger("a.library").error("broken before", exc_info=kept)
"""


def logged(texts: list[str]) -> list[str]:
    known = {"AVIATIONSTACK_KEY": "the product's own vendor key", "LOG_LEVEL": "DEBUG"}
    done = run("-c", SCRIPT, json.dumps(texts), APP_ENV="test", **known)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_secrets_are_left_out_and_words_are_not() -> None:
    """In an event's fields, in lines of libraries, and in what exceptions say."""
    lines = logged(SECRETS + WORDS)

    assert len(lines) == 4 * len(SECRETS + WORDS)
    hidden, shown = lines[: 4 * len(SECRETS)], lines[4 * len(SECRETS) :]
    for secret, *told in zip(SECRETS, *(hidden[n::4] for n in range(4)), strict=True):
        assert [line for line in told if CORES.get(secret, secret) in line or "[redacted]" not in line] == []
    told = [json.loads(line) for line in shown]
    for word, ours, library, broken, later in zip(
        WORDS, told[::4], told[1::4], told[2::4], told[3::4], strict=True
    ):
        assert (ours["jetway.detail"], ours["jetway.parts"][0]) == (word, word)
        named = ("jetway.password", "jetway.full_name", "user.email", "url.query")
        assert [ours[name] for name in named] == ["[redacted]"] * 4
        assert word not in ours["jetway.nested"]
        assert library["message"] == f"it says {word} here"
        assert all(f"broke on {word}" in one["error.stack_trace"] for one in (broken, later))
        assert all(one["error.message"] == f"broke on {word}" for one in (broken, later))


def test_what_is_refused_is_not_quoted() -> None:
    """By the database, by its driver, by pydantic, by Python."""
    broken = [json.loads(line) for line in logged(QUOTED)[2::4]]

    for refusal, line in zip(QUOTED, broken, strict=True):
        assert "Fenchurchina" not in line["error.message"] + line["error.stack_trace"]
        assert line["error.message"].startswith("broke on " + refusal[:12])


def test_what_ends_a_process_is_told_like_everything_else() -> None:
    """Not as a bare traceback on standard error, with whatever it quotes."""
    script = "from app.core import logging as ours; ours.configure(); raise ValueError('jtw_live_0123456789abcdef')"

    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "APP_ENV": "test"}, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "jtw_live" not in done.stdout + done.stderr
    [line] = [json.loads(line) for line in done.stdout.splitlines()]
    assert (line["log.level"], line["error.type"], line["error.message"]) == (
        "critical",
        "ValueError",
        "[redacted]",
    )
