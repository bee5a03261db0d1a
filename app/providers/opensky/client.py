"""Calling OpenSky: credits, tokens and retries, every call paid from the budget of its bucket.

OpenSky is run by volunteers and may be slow, down or closed to us at any time; whoever asks must be able to
go on without an answer.
"""

import asyncio
import random
from time import monotonic, perf_counter

from app.core import clock, http, tracing
from app.core.config import settings
from app.core.logging import logger
from app.core.metrics import UPSTREAM_CALLS, UPSTREAM_ROWS_DROPPED, UPSTREAM_SECONDS
from app.providers import governor
from app.providers.base import Box, PositionReport, ProviderError, TrackPoint
from app.providers.governor import Allowance, Call
from app.providers.opensky import states, tokens

log = logger("jetway.opensky")

_NAME = "opensky"
# The buckets that are used; each has all the credits of a day, in UTC.
_BUCKETS = ("states", "tracks")
_PATHS = {"states": "/states/all", "tracks": "/tracks/all"}
_RESOLUTION_SECONDS, _ANONYMOUS_RESOLUTION_SECONDS = 5, 10
_AREAS = ((25.0, 1), (100.0, 2), (400.0, 3))
_WHOLE_WORLD, _LIVE_TRACK = 4, 4
_ANONYMOUS_CREDITS = 400
# So few calls at once that a vendor who hangs leaves the process's connections to others.
_AT_ONCE = 4
_RETRY_WITHIN_SECONDS = 2.0
_RATE_LIMITED_SECONDS, _LONGEST_PAUSE_SECONDS = 300, 86_400
# What the HTTP client calls a connection that came to nothing, so that no answer had begun.
_NOT_CONNECTED = "ConnectionBrokenError"
_LEFT, _RETRY_AFTER = "x-rate-limit-remaining", "x-rate-limit-retry-after-seconds"

_turns = asyncio.Semaphore(_AT_ONCE)


class _Hiccup(ProviderError):
    """What is often gone a moment later."""


class _TokenRefused(ProviderError):
    def __init__(self) -> None:
        super().__init__("token_refused", retry_after_seconds=5)


def allowances() -> list[Allowance]:
    """The budgets of the account, and of those who have none while we are among them."""
    kinds = (False, True) if settings().opensky_user and tokens.anonymous() else (False,)
    return [_allowance(bucket, stand_in=kind) for kind in kinds for bucket in _BUCKETS]


def _allowance(bucket: str, *, stand_in: bool) -> Allowance:
    """Credits that last for the day. An account that is refused leaves us with what anybody has."""
    limit = settings().opensky_credits
    if stand_in:
        bucket, limit = f"{bucket}_anonymous", min(limit, _ANONYMOUS_CREDITS)
    return Allowance(_NAME, bucket, limit, "day", background_share=0.5, paced=True)


class OpenSky:
    """A `PositionSource`."""

    name = _NAME

    def resolution_seconds(self) -> int:
        return _ANONYMOUS_RESOLUTION_SECONDS if tokens.anonymous() else _RESOLUTION_SECONDS

    def price(self, box: Box | None) -> int:
        """By area in square degrees."""
        if box is None:
            return _WHOLE_WORLD
        area = (box.east - box.west) * (box.north - box.south)
        return next((cost for most, cost in _AREAS if area <= most), _WHOLE_WORLD)

    async def states(self, box: Box | None) -> PositionReport:
        """A box that is inside out would be paid for and answered with the wrong part of the world."""
        if box is not None and not (
            -180 <= box.west < box.east <= 180 and -90 <= box.south < box.north <= 90
        ):
            raise ValueError("not a box")
        corners = (
            {
                "lamin": f"{box.south:g}",
                "lomin": f"{box.west:g}",
                "lamax": f"{box.north:g}",
                "lomax": f"{box.east:g}",
            }
            if box
            else {}
        )
        body = await self._call("states", corners, self.price(box))
        # Decoding takes longer than the loop should stand still.
        report = await asyncio.to_thread(states.report, body or b"")
        UPSTREAM_ROWS_DROPPED.labels(_NAME, "states").inc(report.dropped)
        return report

    async def track(self, icao24: str) -> list[TrackPoint]:
        body = await self._call("tracks", {"icao24": icao24.lower(), "time": "0"}, _LIVE_TRACK)
        points, dropped = states.track(body) if body else ([], 0)
        UPSTREAM_ROWS_DROPPED.labels(_NAME, "tracks").inc(dropped)
        return points

    async def _call(self, bucket: str, params: dict[str, str], cost: int) -> bytes | None:
        """The body, or None where the vendor has nothing to say.

        A refused token is renewed once, and a hiccup is followed by one more attempt; each is paid for.
        """
        started, renewed, retried = monotonic(), False, False
        while True:
            token = await tokens.current()
            stand_in = token is None and bool(settings().opensky_user)
            call = Call(bucket, _allowance(bucket, stand_in=stand_in), cost)
            try:
                async with _turns:
                    return await self._call_once(call, params, token)
            except _TokenRefused:
                tokens.refused(token or "")
                if renewed:
                    tokens.give_up()
                    raise
                renewed = True
            except _Hiccup:
                if retried or monotonic() - started > _RETRY_WITHIN_SECONDS:
                    raise
                retried = True
                await asyncio.sleep(random.uniform(0.1, 0.4))

    async def _call_once(self, call: Call, params: dict[str, str], token: str | None) -> bytes | None:
        await governor.admit(call)
        started, today, outcome = perf_counter(), clock.now().date(), "ok"
        try:
            answer = await http.get(
                settings().opensky_base_url.rstrip("/") + _PATHS[call.endpoint],
                params=params,
                headers={"Authorization": f"Bearer {token}"} if token else None,
                timeout_seconds=settings().opensky_timeout_seconds,
            )
            body = _read(answer, token)
        except (http.UpstreamError, ProviderError) as error:
            refusal = error if isinstance(error, ProviderError) else _no_answer(error)
            outcome = refusal.code
            # A request that is not understood is our mistake, or a change of theirs: somebody must look.
            say = log.error if outcome == "refused" else log.warning
            say("refused", endpoint=call.endpoint, code=outcome)
            await governor.failed(call, refusal)
            raise refusal from None
        finally:
            UPSTREAM_CALLS.labels(_NAME, call.endpoint, outcome).inc()
            UPSTREAM_SECONDS.labels(_NAME, call.endpoint).observe(perf_counter() - started)
            tracing.called(_NAME, call.endpoint, outcome, perf_counter() - started)
        await governor.succeeded(call)
        # An answer that was on its way at midnight counts a day that is over.
        if (left := answer.headers.get(_LEFT, "")).isdigit() and clock.now().date() == today:
            await governor.vendor_counts(call.allowance, int(left))
        return body


def _no_answer(error: http.UpstreamError) -> ProviderError:
    kind = _Hiccup if str(error) == _NOT_CONNECTED else ProviderError
    return kind("no_answer", retry_after_seconds=5)


def _read(answer: http.Answer, token: str | None) -> bytes | None:
    """The body, None where the vendor has nothing, or ProviderError."""
    status = answer.status
    if status == 200:
        return answer.body
    if status == 404 and not answer.body.strip():
        return None
    if status == 401 and token is not None:
        raise _TokenRefused
    if status in (401, 403):
        raise ProviderError("access_refused", retry_after_seconds=300)
    if status == 429:
        raise ProviderError("rate_limited", retry_after_seconds=_retry_after(answer))
    if status in (502, 503, 504):
        raise _Hiccup("server_error", retry_after_seconds=5)
    if status >= 500:
        raise ProviderError("server_error", retry_after_seconds=5)
    raise ProviderError("refused", retry_after_seconds=60)


def _retry_after(answer: http.Answer) -> int:
    """Hours, when the day's credits are used up; nothing is said at times."""
    told = answer.headers.get(_RETRY_AFTER) or answer.headers.get("retry-after", "")
    return max(1, min(int(told), _LONGEST_PAUSE_SECONDS)) if told.isdigit() else _RATE_LIMITED_SECONDS
