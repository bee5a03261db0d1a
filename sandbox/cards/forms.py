"""Forms with brackets, `a[b]=c` and `a[]=c`, and the values in them, checked as they are read."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from sandbox.cards.refusals import invalid, raw_card

Form: TypeAlias = dict[str, Any]  # a text, or a form within the form

NUMBER = re.compile(r"-?\d{1,15}", re.ASCII)
CARD_NUMBER = re.compile(r"[\d -]{12,24}", re.ASCII)
DEEPEST = 5
MOST_METADATA = 50


def read(text: str) -> Form:
    """The form as it nests; the members of a list are named by their places."""
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *outer, last = name.replace("]", "").split("[")
        if len(outer) > DEEPEST:
            raise invalid(name[:40], "parameter_invalid_object", "The form is nested too deeply.")
        inner = form
        for part in outer:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise invalid(part, "parameter_invalid_string", f"{part} is given twice, in two ways.")
        inner[last or str(len(inner))] = value
    return form


def only(form: Form, known: Collection[str]) -> None:
    """Refuses what nobody knows, and a card's number before anything else."""
    if any(_has_number(form.get(name)) for name in ("card", "payment_method_data", "source")):
        raise raw_card()
    for name in form:
        if name not in known:
            raise invalid(name, "parameter_unknown", f"Unknown parameter: {name}.")


def is_card_number(value: str) -> bool:
    return bool(CARD_NUMBER.fullmatch(value))


def may_be_written(value: Any) -> bool:
    """Whether a journal may keep a value: nested ones may hold anything, and nobody wants to have seen a card."""
    return isinstance(value, str) and not is_card_number(value)


def text(form: Form, name: str) -> str | None:
    """A text; an empty one counts as none."""
    value = form.get(name)
    if isinstance(value, dict):
        raise invalid(name, "parameter_invalid_string", f"{name} must be a text.")
    return value or None


def required(form: Form, name: str) -> str:
    if (value := text(form, name)) is None:
        raise invalid(name, "parameter_missing", f"Missing required parameter: {name}.")
    return value


def integer(form: Form, name: str, least: int = 1) -> int | None:
    """A whole number, or None when there is none."""
    if name not in form:
        return None
    value = form[name]
    if isinstance(value, dict) or not NUMBER.fullmatch(value):
        raise invalid(name, "parameter_invalid_integer", f"{name} must be a whole number.")
    if int(value) < least:
        raise invalid(name, "parameter_invalid_integer", f"{name} must be at least {least}.")
    return int(value)


def flag(form: Form, name: str) -> bool:
    return choice(form, name, ("false", "true")) == "true"


def choice(form: Form, name: str, choices: tuple[str, ...], default: str | None = None) -> str | None:
    value = text(form, name)
    if value is not None and value not in choices:
        raise invalid(name, "parameter_invalid_string", f"{name} must be one of {', '.join(choices)}.")
    return value or default


def address(form: Form, name: str) -> str | None:
    """A URL, also one that opens an app."""
    value = text(form, name)
    try:
        good = value is None or (urlsplit(value).scheme not in ("", "javascript") and "://" in value)
    except ValueError:
        good = False
    if not good:
        raise invalid(name, "url_invalid", f"{name} must be a URL.")
    return value


def members(form: Form, name: str) -> list[str]:
    """A list of texts."""
    value = form.get(name, {})
    if not isinstance(value, dict) or any(isinstance(member, dict) for member in value.values()):
        raise invalid(name, "parameter_invalid_array", f"{name} must be a list.")
    return list(value.values())


def inner(form: Form, name: str) -> Form:
    """A form within the form, empty when there is none."""
    value = form.get(name) or {}
    if not isinstance(value, dict):
        raise invalid(name, "parameter_invalid_object", f"{name} must be an object.")
    return value


def metadata(form: Form) -> dict[str, str]:
    """What the caller wants to find again; an empty value is left out."""
    kept = {name: text(inner(form, "metadata"), name) for name in inner(form, "metadata")}
    if len(kept) > MOST_METADATA or any(
        len(name) > 40 or len(value or "") > 500 for name, value in kept.items()
    ):
        raise invalid("metadata", "metadata_invalid", "50 names of 40 characters and values of 500 at most.")
    return {name: value for name, value in kept.items() if value}


def _has_number(value: Any) -> bool:
    return isinstance(value, dict) and ("number" in value or any(map(_has_number, value.values())))
