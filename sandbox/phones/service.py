"""The vendor at its door: tokens for the service account, and messages for phones, in the shapes of FCM's HTTP v1 API.

A fault's path is `/fcm/` and the phone's token, so that one phone can be struck alone, or `/token`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sandbox import faults
from sandbox.clock import Clock
from sandbox.faults import Answer, Faults
from sandbox.journal import Entry, Journal
from sandbox.opensky.clients import read_form
from sandbox.phones.account import LIFE_SECONDS, Account, Refusal
from sandbox.phones.screens import Phones
from sandbox.world.times import iso

TOKENS = "/token"
SENDING = "/v1/projects/{project}/messages:send"
FAILURES = {
    "push_unregistered": "404 UNREGISTERED: the app is gone from the phone",
    "push_not_a_token": "400 INVALID_ARGUMENT: there is no such token",
    "push_not_understood": "400 INVALID_ARGUMENT: something else is wrong with the message",
    "push_another_project": "403 SENDER_ID_MISMATCH: the token is another project's",
    "push_quota": "429 QUOTA_EXCEEDED with Retry-After",
    "push_unavailable": "503 UNAVAILABLE with Retry-After",
    "push_token_expired": "401 UNAUTHENTICATED: the access token is not good any more",
    "push_taken_and_dropped": "keeps the message and hangs up without saying so",
    "push_no_grant": "400 invalid_grant instead of a token (path /token)",
}
_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
_FIELDS = {"token", "notification", "data", "android", "apns", "webpush", "fcm_options"}
_TTL = re.compile(r"\d+(\.\d{1,9})?s")
_LARGEST = 4096
_REST_SECONDS = b"37"
_NOT_A_TOKEN = "The registration token is not a valid FCM registration token"  # noqa: S105


class Fcm:
    """An ASGI application for the two paths of the vendor."""

    def __init__(self, clock: Clock, armed: Faults, journal: Journal) -> None:
        self.clock, self.faults, self.journal = clock, armed, journal
        self.account, self.phones = Account(), Phones()

    def reset(self) -> None:
        self.account.reset()
        self.phones.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        body = await request.body()
        if scope["path"] == TOKENS:
            path, message = TOKENS, {}
        else:
            message = _message(body)
            path = f"/fcm/{message.get('token', '')}"
        fault = self.faults.take(path, FAILURES)
        name = fault.fault if fault else None
        answer = (
            self._token(request, body, name)
            if path == TOKENS
            else self._sent(request, message, len(body), name)
        )
        status = None if name in ("reset", "push_taken_and_dropped") else answer.status
        entry = Entry(iso(self.clock.now()), scope["method"], scope["path"], {}, "fcm", status, name)
        self.journal.write(entry)
        if fault is not None and name == "push_taken_and_dropped":
            fault = replace(fault, fault="reset")
        await faults.deliver(faults.damage(answer, name), fault, scope, send)

    def _token(self, request: Request, body: bytes, fault: str | None) -> Answer:
        form = read_form(request.headers.get("content-type", ""), body)
        try:
            if fault == "push_no_grant":
                raise Refusal("invalid_grant", "Invalid JWT Signature.")
            token = self.account.granted(form, str(request.url), self.clock.now())
        except Refusal as refusal:
            return _json(400, {"error": refusal.error, "error_description": refusal.description})
        return _json(200, {"access_token": token, "expires_in": LIFE_SECONDS, "token_type": "Bearer"})

    def _sent(self, request: Request, message: dict[str, Any], size: int, fault: str | None) -> Answer:
        admitted = self.account.admits(request.headers.get("authorization", ""), self.clock.now())
        if not admitted or fault == "push_token_expired":
            return _refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if (refusal := _REFUSALS.get(fault or "")) is not None:
            return refusal
        if (wrong := _wrong(message)) or size > 2 * _LARGEST:
            return _refused(400, "INVALID_ARGUMENT", f"Invalid value at '{wrong}'", field=wrong or "message")
        name = self.phones.keep(request.path_params["project"], self.clock.now(), message)
        return _json(200, {"name": name})


def _message(body: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    message = payload.get("message") if isinstance(payload, dict) else None
    return message if isinstance(message, dict) else {}


def _wrong(message: dict[str, Any]) -> str | None:
    """The first field that the vendor would not take."""
    if not isinstance(message.get("token"), str) or not message["token"]:
        return "message.token"
    if unknown := sorted(message.keys() - _FIELDS):
        return f"message.{unknown[0]}"
    data = message.get("data", {})
    if not all(isinstance(value, str) for value in data.values()):
        return "message.data[0].value"
    if len(orjson.dumps([message.get("notification"), data])) > _LARGEST:
        return "message"
    if not _TTL.fullmatch(message.get("android", {}).get("ttl", "0s")):
        return "message.android.ttl"
    headers = message.get("apns", {}).get("headers", {})
    if len(headers.get("apns-collapse-id", "").encode()) > 64:
        return "message.apns.headers"
    return None


def _refused(
    status: int,
    canonical: str,
    text: str,
    code: str | None = None,
    *,
    field: str | None = None,
    retry_after: bytes | None = None,
) -> Answer:
    details: list[dict[str, Any]] = [{"@type": _ERROR, "errorCode": code}] if code else []
    if field:
        details.append({"@type": _BAD_REQUEST, "fieldViolations": [{"field": field, "description": text}]})
    error: dict[str, Any] = {"code": status, "message": text, "status": canonical}
    answer = _json(status, {"error": error | ({"details": details} if details else {})})
    if retry_after is None:
        return answer
    return Answer(answer.status, answer.body, headers=((b"retry-after", retry_after),))


def _json(status: int, payload: dict[str, Any]) -> Answer:
    return Answer(status, orjson.dumps(payload))


_REFUSALS = {
    "push_unregistered": _refused(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED"),
    "push_not_a_token": _refused(400, "INVALID_ARGUMENT", _NOT_A_TOKEN, "INVALID_ARGUMENT"),
    "push_not_understood": _refused(
        400, "INVALID_ARGUMENT", "Invalid value at 'message.data[0].value'", field="message.data[0].value"
    ),
    "push_another_project": _refused(403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH"),
    "push_quota": _refused(
        429, "RESOURCE_EXHAUSTED", "Quota exceeded.", "QUOTA_EXCEEDED", retry_after=_REST_SECONDS
    ),
    "push_unavailable": _refused(
        503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE", retry_after=_REST_SECONDS
    ),
}
