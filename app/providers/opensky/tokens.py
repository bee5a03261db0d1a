"""The token that opens OpenSky to its account, one for all calls of this process.

Whoever can get none goes on anonymously for a while: a client that is refused asks again every quarter of an
hour, and a token endpoint that is out of order is left alone for a minute. Lives are counted by the monotonic
clock, so that a clock which is set wrong neither keeps a token too long nor throws it away.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic, perf_counter

import orjson

from app.core import http, tracing
from app.core.config import settings
from app.core.logging import logger
from app.core.metrics import UPSTREAM_CALLS, UPSTREAM_SECONDS

log = logger("jetway.opensky")

_LIFE_SECONDS, _MARGIN_SECONDS = 1800.0, 30.0
_REFUSED_SECONDS, _OUT_OF_ORDER_SECONDS = 900.0, 60.0


@dataclass(slots=True)
class _State:
    token: str | None = None
    until: float = 0.0
    resting_until: float = 0.0
    asking: "asyncio.Task[str | None] | None" = None


_state = _State()


def anonymous() -> bool:
    """Whether calls go without a token now."""
    return not settings().opensky_user or monotonic() < _state.resting_until


async def current() -> str | None:
    """A token that is still good, asked for once however many want it; None to go without."""
    if anonymous():
        return None
    if _state.token is not None and monotonic() < _state.until:
        return _state.token
    if _state.asking is None:
        _state.asking = asyncio.create_task(_ask())
        _state.asking.add_done_callback(_asked)
    return await asyncio.shield(_state.asking)


def refused(token: str) -> None:
    """The vendor does not take this token; another may have come since."""
    if _state.token == token:
        _state.token = None


def give_up() -> None:
    """Fresh tokens are not taken either."""
    _state.token, _state.resting_until = None, monotonic() + _REFUSED_SECONDS


def forget() -> None:
    """As after a start."""
    if _state.asking is not None:
        _state.asking.cancel()
    _state.token, _state.until, _state.resting_until = None, 0.0, 0.0


def _asked(_: "asyncio.Task[str | None]") -> None:
    _state.asking = None


async def _ask() -> str | None:
    started, outcome = perf_counter(), "ok"
    fields = {
        "grant_type": "client_credentials",
        "client_id": settings().opensky_user,
        "client_secret": settings().opensky_pass,
    }
    try:
        answer = await http.post_form(
            settings().opensky_token_url, fields, timeout_seconds=settings().opensky_timeout_seconds
        )
        token, life = _read(answer)
    except http.UpstreamError:
        outcome, token, life = "no_answer", None, 0.0
    else:
        if token is None:
            outcome = "access_refused" if answer.status in (400, 401, 403) else "unreadable"
    finally:
        UPSTREAM_CALLS.labels("opensky", "token", outcome).inc()
        UPSTREAM_SECONDS.labels("opensky", "token").observe(perf_counter() - started)
        tracing.called("opensky", "token", outcome, perf_counter() - started)
    if token is None:
        rest = _REFUSED_SECONDS if outcome == "access_refused" else _OUT_OF_ORDER_SECONDS
        log.warning("no token, going on anonymously", code=outcome, seconds=rest)
        _state.resting_until = monotonic() + rest
        return None
    # A token that lives for seconds only is used for half of its life.
    _state.token, _state.until = token, monotonic() + max(life - _MARGIN_SECONDS, life / 2)
    return token


def _read(answer: http.Answer) -> tuple[str | None, float]:
    """The token and its life in seconds; no token from an answer that is none, whatever its status."""
    try:
        payload = orjson.loads(answer.body) if answer.status == 200 else None
    except orjson.JSONDecodeError:
        payload = None
    told = payload if isinstance(payload, dict) else {}
    token, life = told.get("access_token"), told.get("expires_in")
    if not (isinstance(token, str) and token and token.isascii() and token.isprintable()):
        return None, 0.0
    return token, float(life) if isinstance(life, int | float) and life > 0 else _LIFE_SECONDS
