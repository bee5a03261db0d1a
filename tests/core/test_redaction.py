"""What looks like a secret or an address does not get into a log, by whichever library's hand."""

import json

from tests.support.stack import run

SECRETS = [
    "frt_AbCdEf-012345_678",
    "jtw_live_0123456789abcdef",
    "whsec_AAECAwQFBgcICQoLDA0ODw==",
    "sk_live_51H0canary",
    "pi_3Nabc_secret_Xyz012345",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "ada.lovelace+trip@mail.example.co.uk",
]
WORDS = ["desk_top", "GET /bookings/{pnr}", "k@7", "task_name", "2026-11-26T17:00:00Z"]
SCRIPT = """
import json, logging, sys
from app.core import logging as ours
ours.configure()
for text in json.loads(sys.argv[1]):
    ours.logger("test").warning("told", detail=text, parts=[text, {"deep": text}], password=text)
    logging.getLogger("a.library").warning("it says %s here", text)
    try:
        raise ValueError(f"broke on {text}")
    except ValueError as error:
        ours.logger("test").exception("broken")
        kept = error
    logging.getLogger("a.library").error("broken before", exc_info=kept)
"""


def logged(texts: list[str]) -> list[str]:
    done = run("-c", SCRIPT, json.dumps(texts), APP_ENV="test", LOG_LEVEL="DEBUG")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_secrets_are_left_out_and_words_are_not() -> None:
    """In an event's fields, in lines of libraries, and in what exceptions say."""
    lines = logged(SECRETS + WORDS)

    assert len(lines) == 4 * len(SECRETS + WORDS)
    assert [secret for secret in SECRETS if secret in "".join(lines)] == []
    hidden, shown = lines[: 4 * len(SECRETS)], lines[4 * len(SECRETS) :]
    assert all("[redacted]" in line for line in hidden)
    told = [json.loads(line) for line in shown]
    for word, ours, library, broken, later in zip(
        WORDS, told[::4], told[1::4], told[2::4], told[3::4], strict=True
    ):
        assert (ours["detail"], ours["parts"], ours["password"]) == (
            word,
            [word, {"deep": word}],
            "[redacted]",
        )
        assert library["event"] == f"it says {word} here"
        assert all(f"broke on {word}" in one["exception"] for one in (broken, later))
