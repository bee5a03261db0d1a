"""Firebase Cloud Messaging behind the port of push services, by its HTTP v1 API.

https://firebase.google.com/docs/cloud-messaging/send/v1-api
A message goes to Android, to iPhones by way of Apple, and to browsers; each finds its own part of it.
"""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic, perf_counter
from typing import Any

import jwt
import orjson
from jwt.algorithms import RSAAlgorithm

from app.core import clock, http, tracing
from app.core.config import settings
from app.core.db import Row
from app.core.logging import logger
from app.core.metrics import UPSTREAM_CALLS, UPSTREAM_SECONDS
from app.providers.base import ProviderError
from app.providers.push import DeviceGone, PushDelayed, PushMessage, PushRefused, PushUnreachable

log = logger("jetway.fcm")

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ERROR, _BAD_REQUEST = "google.firebase.fcm.v1.FcmError", "google.rpc.BadRequest"
_TIMEOUT_SECONDS = 10.0
_ASSERTION_SECONDS, _MARGIN_SECONDS = 3600, 60.0
# What Google asks for where it does not say how long.
_QUOTA_SECONDS, _UNAVAILABLE_SECONDS, _LONGEST_REST_SECONDS = 60, 15, 3600
# Whoever is refused a token asks again after this at the soonest: the account is wrong until somebody mends it.
_ACCOUNT_SECONDS = 300


@dataclass(slots=True)
class _State:
    token: str | None = None
    until: float = 0.0


_state = _State()
_asking = asyncio.Lock()


def forget() -> None:
    """As after a start."""
    _state.token = None


class Fcm:
    async def send(self, token: str, message: PushMessage) -> None:
        """A token of ours that is not taken any more is renewed once."""
        body = {"message": {"token": token, **_shaped(message)}}
        access = await _access_token()
        answer = await self._sent(access, body)
        if answer.status == 401 and _code(answer) is None:
            _refused(access)
            answer = await self._sent(await _access_token(), body)
        error = _meant(answer)
        UPSTREAM_CALLS.labels("fcm", "send", error.code if error else "ok").inc()
        if error is not None:
            if isinstance(error, PushRefused):
                # Our mistake, or a change of theirs: somebody must look.
                log.error("refused", code=error.code)
            raise error

    async def _sent(self, access: str, body: Row) -> http.Answer:
        url = f"{settings().fcm_base_url}/v1/projects/{settings().fcm_account['project_id']}/messages:send"
        started, outcome = perf_counter(), "no_answer"
        try:
            answer = await http.post_json(
                url,
                orjson.dumps(body),
                headers={"Authorization": f"Bearer {access}"},
                timeout_seconds=_TIMEOUT_SECONDS,
            )
            outcome = f"status_{answer.status}"
            return answer
        except http.UpstreamError:
            UPSTREAM_CALLS.labels("fcm", "send", "no_answer").inc()
            raise PushUnreachable("no_answer", retry_after_seconds=0) from None
        finally:
            UPSTREAM_SECONDS.labels("fcm", "send").observe(perf_counter() - started)
            tracing.called("fcm", "send", outcome, perf_counter() - started)


def _shaped(message: PushMessage) -> Row:
    """The message as each platform wants it. Apple takes 64 bytes at most for what collapses."""
    lives = max(0, int((message.until - clock.now()).total_seconds()))
    expires = str(int(message.until.timestamp()))
    topic = message.subject[:64]
    return {
        "notification": {"title": message.title, "body": message.body},
        "data": message.data,
        "android": {
            "collapse_key": topic,
            "priority": "HIGH",
            "ttl": f"{lives}s",
            "notification": {"tag": topic},
        },
        "apns": {
            "headers": {"apns-collapse-id": topic, "apns-expiration": expires, "apns-priority": "10"},
            "payload": {"aps": {"sound": "default", "thread-id": topic}},
        },
        "webpush": {"headers": {"TTL": str(lives), "Urgency": "high"}, "notification": {"tag": topic}},
    }


def _meant(answer: http.Answer) -> ProviderError | None:
    """None where the message was taken. Google's own words are not kept: they may quote the token."""
    code = _code(answer)
    match answer.status:
        case 200:
            return None if isinstance(_read(answer).get("name"), str) else PushDelayed("unreadable")
        case 404 if code == "UNREGISTERED":
            return DeviceGone("unregistered")
        case 400 if code == "INVALID_ARGUMENT" and _blames_the_token(answer):
            return DeviceGone("not_a_token")
        case 400:
            return PushRefused("not_understood")
        case 403 if code == "SENDER_ID_MISMATCH":
            # Another project's token, or another project's account: devices are not dropped for an operator's mistake.
            return PushRefused("another_project")
        case 401 if code == "THIRD_PARTY_AUTH_ERROR":
            # Apple or the browser's service does not know the project; other platforms are not concerned.
            return PushDelayed("third_party_auth")
        case 429:
            return PushUnreachable("rate_limited", retry_after_seconds=_rest(answer, _QUOTA_SECONDS))
        case 500:
            return PushDelayed("server_error")
        case 502 | 503 | 504:
            return PushUnreachable("server_error", retry_after_seconds=_rest(answer, _UNAVAILABLE_SECONDS))
        case 401 | 403 | 404:
            return PushUnreachable("access_refused", retry_after_seconds=_ACCOUNT_SECONDS)
    return PushDelayed("unreadable")


def _blames_the_token(answer: http.Answer) -> bool:
    """A message with anything else wrong in it names that field."""
    fields = [one.get("field") for one in _detail(answer, _BAD_REQUEST).get("fieldViolations", ())]
    return not fields or fields == ["message.token"]


def _code(answer: http.Answer) -> str | None:
    """Firebase's own code, which tells a device that is gone from a project that is."""
    return _detail(answer, _ERROR).get("errorCode")


def _detail(answer: http.Answer, kind: str) -> Row:
    error = _read(answer).get("error")
    details = error.get("details") if isinstance(error, dict) else None
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and str(detail.get("@type")).endswith(kind):
            return detail
    return {}


def _read(answer: http.Answer) -> dict[str, Any]:
    try:
        payload = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return payload if isinstance(payload, dict) else {}


def _rest(answer: http.Answer, otherwise: int) -> int:
    told = answer.headers.get("retry-after", "")
    return max(1, min(int(told), _LONGEST_REST_SECONDS)) if told.isdigit() else otherwise


@lru_cache(maxsize=2)
def _key(pem: str) -> Any:
    """Read once: its numbers are checked with it, which takes a tenth of a second."""
    return RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(pem)


def _refused(access: str) -> None:
    """Google does not take this token; another may have come since."""
    if _state.token == access:
        _state.token = None


async def _access_token() -> str:
    """A token that is still good, asked for once however many want it. Lives are counted by the monotonic clock."""
    async with _asking:
        if _state.token is None or monotonic() >= _state.until:
            token, life = await _asked()
            _state.token, _state.until = token, monotonic() + max(life - _MARGIN_SECONDS, life / 2)
        return _state.token


async def _asked() -> tuple[str, float]:
    """What the account's key opens: a token and its life in seconds. Raises PushUnreachable."""
    account, now, outcome = settings().fcm_account, int(clock.now().timestamp()), "ok"
    claims = {
        "iss": account["client_email"],
        "scope": _SCOPE,
        "aud": account["token_uri"],
        "iat": now,
        "exp": now + _ASSERTION_SECONDS,
    }
    headers = {"kid": account["private_key_id"]} if "private_key_id" in account else None
    signed = jwt.encode(claims, _key(account["private_key"]), "RS256", headers)
    started = perf_counter()
    try:
        fields = {"grant_type": _GRANT, "assertion": signed}
        answer = await http.post_form(account["token_uri"], fields, timeout_seconds=_TIMEOUT_SECONDS)
        payload = _read(answer)
        token, life = payload.get("access_token"), payload.get("expires_in")
        if answer.status == 200 and isinstance(token, str) and isinstance(life, int | float):
            return token, float(life)
        outcome = "access_refused" if answer.status in (400, 401, 403) else "unreadable"
    except http.UpstreamError:
        outcome = "no_answer"
    finally:
        UPSTREAM_CALLS.labels("fcm", "token", outcome).inc()
        UPSTREAM_SECONDS.labels("fcm", "token").observe(perf_counter() - started)
        tracing.called("fcm", "token", outcome, perf_counter() - started)
    log.warning("no token", code=outcome)
    rest = _ACCOUNT_SECONDS if outcome == "access_refused" else _UNAVAILABLE_SECONDS
    raise PushUnreachable(f"token_{outcome}", retry_after_seconds=rest)
