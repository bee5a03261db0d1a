"""Idempotency keys: the first answer of a key is its answer for a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sandbox.cards.forms import Form
from sandbox.cards.refusals import Refusal, invalid
from sandbox.faults import Answer

KEPT_SECONDS = 86_400
LONGEST = 255


@dataclass(slots=True)
class _Kept:
    path: str
    form: Form
    at: float
    answer: Answer | None = None  # None while the work is under way
    request: str = ""


class Keys:
    """The keys that were used."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def begin(self, key: str, path: str, form: Form, request: str, at: float) -> Answer | None:
        """The answer that the key has already, or None: then the key is in use until `end`."""
        if len(key) > LONGEST:
            raise invalid(None, "idempotency_key_invalid", f"A key has {LONGEST} characters at most.")
        known = self._kept.get(key)
        if known is None or (known.answer and known.at <= at - KEPT_SECONDS):
            self._kept[key] = _Kept(path, form, at, request=request)
            return None
        if (known.path, known.form) != (path, form):
            raise _refused(400, "The key was used before, with other parameters.")
        if known.answer is None:
            raise _refused(409, "The key is in use at this moment.", code="idempotency_key_in_use")
        told = ((b"idempotent-replayed", b"true"), (b"original-request", known.request.encode()))
        return replace(known.answer, headers=(*known.answer.headers, *told))

    def end(self, key: str, answer: Answer | None) -> None:
        """Keeps the answer; without one the key is as if it had never been used."""
        if answer is None:
            self._kept.pop(key, None)
        elif key in self._kept:
            self._kept[key].answer = answer


def _refused(status: int, message: str, **more: Any) -> Refusal:
    return Refusal(status, message, kept=False, kind="idempotency_error", **more)
