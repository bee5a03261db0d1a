"""How values are written in requests: one way each, within bounds that every reader and the database can keep.

JSON knows text, whole numbers and booleans; nothing is taken for something else: "1" is no number and 1 no boolean,
and a day or an instant is text in its one form, never a number of seconds.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

T = TypeVar("T")
M = TypeVar("M", bound=date)

_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"\d\d:\d\d(:\d\d)?", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


class Strict(BaseModel):
    """What a body holds: nothing that is not named, and nothing that would have to be converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _read(form: re.Pattern[str], read: Callable[[str], T], code: str, message: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if isinstance(value, date | time):
            return value  # Ours: no body and no query holds one.
        if not isinstance(value, str) or not form.fullmatch(value):
            raise PydanticCustomError(code, message)
        try:
            return read(value)
        except PydanticCustomError:
            raise
        except ValueError:
            raise PydanticCustomError(code, message) from None

    return BeforeValidator(check)


def _day(text: str) -> date:
    return _in_our_time(date.fromisoformat(text))


def _instant(text: str) -> datetime:
    return _in_our_time(datetime.fromisoformat(text.upper()))


def _in_our_time(moment: M) -> M:
    if moment.year > _LAST_YEAR:
        raise PydanticCustomError("date_too_far", "After the year 2100")
    if moment.year < _FIRST_YEAR:
        raise PydanticCustomError("date_too_early", "Before the year 1900")
    return moment


Day = Annotated[date, _read(_DAY, _day, "date_parsing", "Must be a day as YYYY-MM-DD")]
Clock = Annotated[
    time, _read(_CLOCK, time.fromisoformat, "local_time", "Must be a local time as HH:MM, without an offset")
]
Instant = Annotated[
    AwareDatetime,
    _read(
        _INSTANT,
        _instant,
        "datetime_parsing",
        "Must be an instant with its offset (RFC 3339)",
    ),
]
