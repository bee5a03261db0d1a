"""When a delivery is tried again, by what the receiver answered."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.strangers import Reply
from app.webhooks import retries

_NOW = datetime(2026, 12, 1, 12, 0, 0, tzinfo=UTC)
_STEPS = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


def judged(reply: Reply, attempts: int = 2) -> retries.Verdict:
    return retries.judge(reply, attempts, _NOW)


def status(code: int, retry_after: str | None = None) -> Reply:
    return Reply(code, {} if retry_after is None else {"retry-after": retry_after})


@given(code=st.integers(200, 299), attempts=st.integers(1, 10))
def test_every_2xx_is_a_delivery(code: int, attempts: int) -> None:
    """Whichever attempt it was."""
    assert judged(status(code), attempts) == retries.DELIVERED


@given(attempts=st.integers(1, 9), code=st.sampled_from([100, 301, 302, 307, 400, 404, 500]))
def test_each_attempt_waits_its_step_and_a_tenth_more_at_most(attempts: int, code: int) -> None:
    """Never shorter; nine steps are 75 hours and 35 minutes."""
    verdict = judged(status(code), attempts)

    step = _STEPS[attempts - 1]
    assert verdict.state == "pending"
    assert step <= verdict.wait_seconds <= 1.1 * step
    assert timedelta(seconds=sum(_STEPS)) == timedelta(hours=75, minutes=35, seconds=5)


def test_waits_are_not_all_alike() -> None:
    """So that receivers that came back are not met by everybody at once."""
    assert len({judged(status(500)).wait_seconds for _ in range(50)}) > 40


@given(
    reply=st.sampled_from(
        [status(500), status(429, "5"), status(302), Reply(error="timeout"), Reply(error="dns")]
    )
)
def test_the_tenth_failure_is_the_last(reply: Reply) -> None:
    """Whatever the receiver wishes."""
    assert judged(reply, 10).state == "exhausted"
    assert judged(reply, 9).state == "pending"


def test_gone_is_gone() -> None:
    """410 is the one answer that says: never again."""
    verdict = judged(status(410), 1)

    assert (verdict.state, verdict.gone, verdict.error) == ("cancelled", True, "gone")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (status(302), "redirect"),
        (status(404), "status"),
        (status(503), "status"),
        (Reply(error="timeout"), "timeout"),
        (Reply(error="blocked"), "blocked"),
    ],
)
def test_failures_have_a_word(reply: Reply, error: str) -> None:
    """Ours, not the receiver's."""
    assert judged(reply).error == error


@pytest.mark.parametrize(
    ("reply", "attempts", "least"),
    [
        (status(429), 1, 60),
        (status(502), 1, 60),
        (status(504), 1, 60),
        (Reply(error="timeout"), 1, 60),
        (status(500), 1, 5),
        (status(503), 1, 5),
        (status(429), 2, 300),
    ],
)
def test_who_is_overloaded_is_given_a_minute(reply: Reply, attempts: int, least: int) -> None:
    """Where the step is shorter than that."""
    assert least <= judged(reply, attempts).wait_seconds <= 1.1 * max(least, _STEPS[attempts - 1])


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize(
    ("wish", "attempts", "least", "most"),
    [
        ("1", 2, 300, 330),
        ("0", 2, 300, 330),
        ("600", 2, 600, 600),
        ("3000", 2, 3000, 3000),
        ("99999", 2, 3600, 3600),
        ("99999999999999999999", 2, 3600, 3600),
        ("99999", 4, 14400, 15840),
        (format_datetime(_NOW + timedelta(minutes=20), usegmt=True), 2, 1200, 1200),
        (format_datetime(_NOW - timedelta(minutes=20), usegmt=True), 2, 300, 330),
    ],
)
def test_a_receiver_may_ask_for_time(code: int, wish: str, attempts: int, least: int, most: int) -> None:
    """In seconds or as a date: never earlier than the step, up to an hour or twice the step."""
    assert least <= judged(status(code, wish), attempts).wait_seconds <= most


@given(
    code=st.sampled_from([429, 503]),
    wish=st.text(max_size=30).filter(lambda text: not text.strip().isdigit()),
)
def test_a_wish_that_says_nothing_changes_nothing(code: int, wish: str) -> None:
    """It is text of a stranger's."""
    assert 300 <= judged(status(code, wish)).wait_seconds <= 3600


@pytest.mark.parametrize("code", [400, 500, 502])
def test_only_who_is_busy_may_ask(code: int) -> None:
    """`Retry-After` means something with 429 and 503."""
    assert judged(status(code, "3000")).wait_seconds <= 330
