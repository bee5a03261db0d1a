"""What arrived at each hook, how it was answered, and whether its signature is that of Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

KEPT = 500
_TOLERANCE_SECONDS = 300


@dataclass(slots=True)
class Behaviour:
    """How a hook answers; `times` limits it to so many requests, after which it answers 200 again."""

    status: int = 200
    delay_seconds: float = 0.0
    hang: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    times: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.status, int) or not 200 <= self.status <= 599:
            raise ValueError("status must be a number from 200 to 599")
        if not isinstance(self.body, str) or not all(isinstance(one, str) for one in self.headers.values()):
            raise ValueError("body and headers must be texts")
        if self.times is not None and (not isinstance(self.times, int) or self.times < 1):
            raise ValueError("times must be a number from 1")
        self.delay_seconds = float(self.delay_seconds)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request, as it came in; `at` is in Unix seconds, `answered` the status or `hang`."""

    id: int
    hook: str
    at: float
    headers: dict[str, str]
    body: bytes
    answered: str


@dataclass(slots=True)
class Hook:
    behaviour: Behaviour = field(default_factory=Behaviour)
    secrets: list[str] = field(default_factory=list)

    def next_behaviour(self) -> Behaviour:
        """What the request that has just come is answered with."""
        now = self.behaviour
        if now.times is not None:
            now.times -= 1
            if now.times == 0:
                self.behaviour = Behaviour()
        return now


class Hooks:
    """Every hook there is: one comes to be when it is first asked for. Bounded: the oldest arrivals go first."""

    def __init__(self) -> None:
        self.by_name: dict[str, Hook] = defaultdict(Hook)
        self._arrivals: deque[Arrival] = deque(maxlen=KEPT)
        self._last = 0

    def keep(self, hook: str, at: float, headers: dict[str, str], body: bytes, answered: str) -> None:
        self._last += 1
        self._arrivals.appendleft(Arrival(self._last, hook, at, headers, body, answered))

    def at(self, name: str | None = None) -> list[Arrival]:
        """Newest first, of one hook or of all."""
        return [one for one in self._arrivals if name in {None, one.hook}]

    def one(self, number: int) -> Arrival:
        """Raises LookupError."""
        for arrival in self._arrivals:
            if arrival.id == number:
                return arrival
        raise LookupError(f"arrival {number}")

    def verdict(self, arrival: Arrival) -> str:
        return verdict(self.by_name[arrival.hook].secrets, arrival)

    def behave(self, name: str, wanted: dict[str, Any]) -> None:
        """What is not said is as usual. A `secret` is remembered beside those that were said before."""
        secret = wanted.pop("secret", None)
        if secret is not None:
            key_of(secret)
        behaviour = Behaviour(**wanted)
        hook = self.by_name[name]
        hook.behaviour = behaviour
        if secret is not None and secret not in hook.secrets:
            hook.secrets.append(secret)

    def forget_arrivals(self) -> None:
        self._arrivals.clear()

    def clear(self) -> None:
        """As after a start."""
        self.by_name.clear()
        self._arrivals.clear()


def key_of(secret: str) -> bytes:
    """The bytes that sign: what follows `whsec_`, decoded. Raises ValueError."""
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("the secret must be whsec_ and base64") from None


def verdict(secrets: list[str], arrival: Arrival) -> str:
    """`good`, or what is wrong. One signature of the header that fits one of the secrets is enough."""
    headers = arrival.headers
    if not {"webhook-id", "webhook-timestamp", "webhook-signature"} <= headers.keys():
        return "not signed"
    if not secrets:
        return "no secret known"
    timestamp = headers["webhook-timestamp"]
    if not (timestamp.isascii() and timestamp.isdigit()):
        return "bad timestamp"
    if abs(arrival.at - int(timestamp)) > _TOLERANCE_SECONDS:
        return "too old or too new"
    signed = f"{headers['webhook-id']}.{timestamp}.".encode() + arrival.body
    expected = [
        b"v1," + base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")) for secret in secrets
    ]
    given = headers["webhook-signature"].encode().split(b" ")
    good = any(hmac.compare_digest(one, other) for one in given for other in expected)
    return "good" if good else "bad signature"
