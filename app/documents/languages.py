"""The languages of documents: their texts, and how each writes money, dates and durations."""

import re
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args
from zoneinfo import ZoneInfo

from app.core import tables
from app.core.db import Row

if TYPE_CHECKING:
    from babel import Locale

Tag = Literal["en", "en-US", "de", "de-AT", "de-CH", "es", "es-MX", "fr", "fr-CA", "fr-CH"]
TAGS: tuple[Tag, ...] = get_args(Tag)
_TEXTS = Path(__file__).with_name("texts.csv")
# Whoever asks for no country's English is an international traveller: day before month, and 24 hours.
_LOCALES = {"en": "en_GB", "de": "de_DE", "es": "es_ES", "fr": "fr_FR"}
_ISO_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?")
_MOST_RANGES = 20


@dataclass(frozen=True)
class Language:
    """One of the languages, perhaps as a country writes it."""

    tag: Tag

    @property
    def code(self) -> str:
        return self.tag[:2]

    @cached_property
    def _locale(self) -> "Locale":
        from babel import Locale  # Most processes never write a document.

        return Locale.parse(_LOCALES.get(self.tag, self.tag.replace("-", "_")))

    @property
    def texts(self) -> dict[str, str]:
        return _texts()[self.code]

    def say(self, key: str, **facts: object) -> str:
        return self.texts[key].format(**facts)

    def money(self, wire: Row) -> str:
        """`{"amount": "512.40", "currency": "USD"}` as `US$512.40`, with as many decimals as were given."""
        amount, pattern = Decimal(wire["amount"]), copy(self._locale.currency_formats["standard"])
        # The amount's own decimals: what languages do by habit leaves some currencies' cents out.
        decimals = len(wire["amount"].partition(".")[2])
        pattern.frac_prec = (decimals, decimals)
        written: str = pattern.apply(amount, self._locale, currency=wire["currency"], currency_digits=False)
        return written

    def day(self, day: date) -> str:
        from babel.dates import format_skeleton

        return format_skeleton("yMMMEd", day, locale=self._locale)

    def time(self, local: datetime) -> str:
        """An airport's clock reading, as it stands there."""
        from babel.dates import format_time

        return format_time(local.replace(tzinfo=None), "short", locale=self._locale)

    def moment(self, instant: datetime) -> str:
        """An instant that belongs to no airport, in UTC."""
        return f"{self.day(instant)}, {self.time(instant)} UTC"

    def duration(self, iso: str) -> str:
        """`PT7H5M` as `7 h 5 min`, in whatever way the language shortens them."""
        match = _ISO_DURATION.fullmatch(iso)
        if match is None:
            raise ValueError("not a duration in hours and minutes")
        from babel.units import format_unit

        named = [(match[1], "hour"), (match[2], "minute")]
        known = [(int(count), unit) for count, unit in named if count]
        return " ".join(format_unit(count, unit, "short", locale=self._locale) for count, unit in known)


def zone(local: datetime, time_zone: str) -> str:
    """The zone's abbreviation that day and its difference from UTC, or that alone where it has no letters."""
    offset = local.utcoffset() or timedelta()
    minutes = round(offset.total_seconds()) // 60
    sign, (hours, rest) = "−" if minutes < 0 else "+", divmod(abs(minutes), 60)  # noqa: RUF001  A minus sign.
    difference = f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
    abbreviation = local.astimezone(ZoneInfo(time_zone)).tzname() or ""
    return f"{abbreviation}, {difference}" if abbreviation.isalpha() else difference


def language(asked: Tag | None, accepted: str | None) -> Language:
    """What was asked for, or else what the client's `Accept-Language` likes best of what there is, or English."""
    return Language(asked or _accepted(accepted or "") or "en")


def _accepted(header: str) -> Tag | None:
    """The first of the client's languages, best first, that is there, as its country or else as any writes it."""
    tags = {tag.lower(): tag for tag in TAGS}
    for wanted in by_liking(header):
        if found := tags.get(wanted) or tags.get(wanted.split("-")[0]):
            return found
    return None


def by_liking(header: str) -> list[str]:
    """What an `Accept` or `Accept-Language` header names, in lower case, what is liked best first."""
    liked = []
    for part in header.lower().split(",")[:_MOST_RANGES]:
        tag, _, parameter = part.partition(";")
        quality = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", parameter)
        weight = Decimal(quality[1]) if quality else Decimal(0 if parameter.strip() else 1)
        if weight:
            liked.append((weight, tag.strip()))
    return [tag for _, tag in sorted(liked, key=lambda one: one[0], reverse=True)]


@lru_cache(maxsize=1)
def _texts() -> dict[str, dict[str, str]]:
    rows = tables.read(_TEXTS)
    return {code: {row["key"]: row[code] for row in rows} for code in _LOCALES}
