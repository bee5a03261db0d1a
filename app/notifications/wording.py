"""The words of each language, and how money and moments are written in it."""

import tomllib
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta, get_timezone_gmt
from babel.numbers import format_currency

from app.core.money import Wire

_TEXTS = Path(__file__).parent / "texts"
LANGUAGES = tuple(sorted(path.stem for path in _TEXTS.glob("*.toml")))

# A value that is not known; a sentence that needs it is left out.
Values = dict[str, str | None]


class Wording:
    """One language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.locale = Locale(language)
        self._texts: dict[str, Any] = tomllib.loads((_TEXTS / f"{language}.toml").read_text("utf-8"))
        self.words: dict[str, str] = self._texts["words"]

    def line(self, kind: str, name: str, values: Values) -> str:
        """The subject, title or action of a kind of mail. Raises KeyError for what is not known."""
        text: str = self._texts[kind][name]
        return text.format_map(_known(values))

    def paragraphs(self, kind: str, values: Values) -> list[str]:
        known = _known(values)
        return [text for template in self._texts[kind]["body"] if (text := _filled(template, known))]

    def money(self, amount: Wire) -> str:
        """With all digits of the amount, whatever is usual where the language is spoken."""
        exact = Decimal(amount["amount"])
        return str(format_currency(exact, amount["currency"], locale=self.locale, decimal_quantization=False))

    def moment(self, instant: datetime, zone: str) -> str:
        """A moment by the clocks of a place, and how far these are from UTC."""
        there = instant.astimezone(ZoneInfo(zone))
        gmt = get_timezone_gmt(there, "short", locale=self.locale)
        return f"{self.local(there)} ({gmt})"

    def duration(self, length: timedelta) -> str:
        """In hours and minutes, of which it has at least one."""
        hours, minutes = divmod(length // timedelta(minutes=1), 60)
        parts = [timedelta(hours=hours), timedelta(minutes=minutes)]
        return " ".join(self._counted(part) for part in parts if part)

    def _counted(self, part: timedelta) -> str:
        unit: Literal["hour", "minute"] = "hour" if part >= timedelta(hours=1) else "minute"
        return str(format_timedelta(part, unit, threshold=1000, format="short", locale=self.locale))

    def local(self, there: datetime) -> str:
        """A moment whose place is named beside it, by the clocks there."""
        day = format_date(there, "EEE, d MMM y" if self.language == "en" else "medium", locale=self.locale)
        return f"{day}, {format_time(there, 'short', locale=self.locale)}"


@cache
def wording(language: str) -> Wording:
    """English where nobody has written the language's words."""
    return Wording(language if language in LANGUAGES else "en")


def _known(values: Values) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _filled(template: str, known: dict[str, str]) -> str | None:
    try:
        return template.format_map(known)
    except KeyError:
        return None
