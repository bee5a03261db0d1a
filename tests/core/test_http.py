"""The outbound client is bounded in time and size, and never tells the key."""

import logging
from time import perf_counter
from typing import Any

import pytest

from app.core import http
from app.core.config import settings
from app.providers.aviationstack.client import AviationStack
from app.providers.base import ProviderError
from tests.support.client import Sandbox, in_days

KEY = "4f1d-key-that-nobody-may-see"


@pytest.fixture(autouse=True)
def connected(address: str) -> None:
    """The client belongs to the running application."""


async def ask(sandbox: Sandbox, timeout_seconds: float = 5.0, **params: str) -> http.Answer:
    asked = {"access_key": "sandbox", "iataCode": "FAE", "type": "departure", **params}
    return await http.get(f"{sandbox.base}/v1/timetable", params=asked, timeout_seconds=timeout_seconds)


async def test_an_answer_has_status_headers_in_lower_case_and_the_body(sandbox: Sandbox) -> None:
    """The plain case."""
    answer = await ask(sandbox)

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.body.startswith(b"{")


async def test_an_error_status_is_an_answer_too(sandbox: Sandbox) -> None:
    """The vendor's envelope inside is what matters."""
    await sandbox.fault("error_500")

    assert (await ask(sandbox)).status == 500


async def test_a_huge_body_is_cut_off(sandbox: Sandbox) -> None:
    """64 MiB are promised; a few are read."""
    await sandbox.fault("huge")

    with pytest.raises(http.UpstreamError, match="too large"):
        await ask(sandbox)


async def test_slow_headers_are_not_waited_for(sandbox: Sandbox) -> None:
    """The timeout is a total, headers included."""
    await sandbox.fault("slow", delay_seconds=5)

    await assert_given_up(sandbox, within=0.3)


async def test_a_dripping_body_does_not_stretch_the_timeout(sandbox: Sandbox) -> None:
    """Every drop would reset a timeout that is only on reading."""
    await sandbox.fault("drip", delay_seconds=5)

    await assert_given_up(sandbox, within=0.6)


async def assert_given_up(sandbox: Sandbox, within: float) -> None:
    started = perf_counter()
    with pytest.raises(http.UpstreamError, match="no complete answer"):
        await ask(sandbox, timeout_seconds=within)
    assert within * 0.9 < perf_counter() - started < within + 1


async def test_a_redirect_is_not_followed(sandbox: Sandbox) -> None:
    """It would carry the key to another host."""
    await sandbox.fault("redirect")

    answer = await ask(sandbox)

    assert answer.status == 302
    assert "elsewhere.invalid" in answer.headers["location"]


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("reset", {}),
        ("truncated", {}),
        ("huge", {}),
        ("slow", {"delay_seconds": 3}),
        ("drip", {"delay_seconds": 3}),
    ],
)
async def test_a_failure_never_holds_the_key(sandbox: Sandbox, fault: str, options: dict[str, Any]) -> None:
    """Not in the message, not in what it was raised from."""
    await sandbox.fault(fault, **options)

    with pytest.raises(http.UpstreamError) as failed:
        await ask(sandbox, 0.3 if options else 5.0, access_key="sandbox", proof=KEY)

    assert KEY not in repr(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None


async def test_nobody_listening_is_a_failure_without_an_address() -> None:
    """The library's own message has the URL in it."""
    with pytest.raises(http.UpstreamError) as failed:
        await http.get("http://127.0.0.1:1/v1/x", params={"access_key": KEY}, timeout_seconds=2)

    assert KEY not in str(failed.value)
    assert "127.0.0.1" not in str(failed.value)


@pytest.mark.parametrize(
    "fault", ["reset", "truncated", "html_502", "garbage", "error_php", "redirect", None]
)
async def test_logs_of_a_failing_provider_never_hold_the_key(
    sandbox: Sandbox,
    fault: str | None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With debug output on; a key the vendor does not know fails without a fault as well."""
    monkeypatch.setattr(settings(), "aviationstack_key", KEY)
    if fault:
        await sandbox.fault(fault)

    with caplog.at_level(logging.DEBUG), pytest.raises(ProviderError) as failed:
        await anext(AviationStack().departures("FAE", in_days(77), today=in_days(0)))

    assert caplog.records
    assert KEY not in caplog.text
    assert KEY not in str(failed.value)
