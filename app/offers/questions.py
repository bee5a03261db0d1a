"""What a search may ask. The same question is always the same value, however it was written."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic import ValidationInfo as Info
from pydantic_core import PydanticCustomError

from app.core.shapes import Clock, Day, Strict

Cabin = Literal["economy", "premium_economy", "business", "first"]
Sort = Literal["best", "price", "duration", "departure"]

Place = Annotated[str, StringConstraints(pattern="^[A-Za-z]{3}$", to_upper=True)]
_Airline = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9]{2}$", to_upper=True)]
_Name = Annotated[str, StringConstraints(pattern="^[A-Za-z_]{2,30}$", to_lower=True)]
Currency = Annotated[str, StringConstraints(pattern="^[A-Za-z]{3}$", to_upper=True)]


def _listed(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """`?airlines=ZZ,X0` and `?airlines=ZZ&airlines=X0` and `["X0", "ZZ"]` are one question."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        return read(value)
    try:
        return read(tuple(sorted({one.strip().upper() for part in parts for one in part.split(",")})))
    except ValidationError as error:
        # Its place in our order is none in what was sent, so the refusal points at the whole.
        first = error.errors()[0]
        raise PydanticCustomError(first["type"], first["msg"]) from None


def _items(schema: dict[str, Any]) -> None:
    """pydantic describes the length of a tuple as that of a text."""
    schema["maxItems"] = schema.pop("maxLength")


_Airlines = Annotated[
    tuple[_Airline, ...], WrapValidator(_listed), Field(max_length=20, json_schema_extra=_items)
]
_Places = Annotated[tuple[Place, ...], WrapValidator(_listed), Field(max_length=20, json_schema_extra=_items)]
_Names = Annotated[tuple[_Name, ...], WrapValidator(_listed), Field(max_length=5, json_schema_extra=_items)]


class SliceWish(Strict):
    """One part of a journey: from where to where, on which day, at what time of it."""

    origin: Place = Field(description="IATA code of an airport or a city.", examples=["JFK"])
    destination: Place = Field(description="IATA code of an airport or a city.", examples=["LHR"])
    departure_date: Day = Field(description="Local date at the origin.")
    departure_after: Clock | None = Field(default=None, description="`HH:MM`, local, of the first departure.")
    departure_before: Clock | None = Field(
        default=None, description="`HH:MM`, local, of the first departure."
    )
    arrival_after: Clock | None = Field(default=None, description="`HH:MM`, local, of the last arrival.")
    arrival_before: Clock | None = Field(default=None, description="`HH:MM`, local, of the last arrival.")

    @field_validator("destination")
    @classmethod
    def _possible(cls, value: str, info: Info) -> str:
        if value == info.data.get("origin"):
            raise PydanticCustomError("same_place", "Origin and destination are the same")
        return value


class Travellers(BaseModel):
    """Who travels, in which cabin, and in which currency they count."""

    adults: int = Field(default=1, ge=1, le=9, description="12 years and older.")
    children: int = Field(default=0, ge=0, le=8, description="2 to 11 years.")
    infants: int = Field(default=0, ge=0, le=9, description="Under 2, on an adult's lap.")
    cabin: Cabin = "economy"
    currency: Currency = Field(default="USD", description="ISO 4217.")

    @field_validator("children", "infants")
    @classmethod
    def _fitting(cls, value: Any, info: Info) -> Any:
        """Each parameter against those before it, so that the refusal names the one to change."""
        name, known = info.field_name, info.data
        if name == "children" and value + known.get("adults", 0) > 9:
            raise PydanticCustomError("too_many_passengers", "At most nine passengers with a seat")
        if name == "infants" and value > known.get("adults", value):
            raise PydanticCustomError("infant_without_adult", "Each infant needs an adult's lap")
        return value

    @property
    def counts(self) -> tuple[int, int, int]:
        return self.adults, self.children, self.infants

    @property
    def seats(self) -> int:
        return self.adults + self.children


class Options(Travellers):
    """What every search can narrow, sort and page."""

    max_connections: int | None = Field(
        default=None,
        ge=0,
        le=2,
        description="Most connections in a slice. Left out it is 1, and where there is a direct flight, connections "
        "are offered as far as they are known; given, more of them are looked for.",
    )
    airlines: _Airlines = Field(
        default=(),
        description="Every flight is operated by one of these: IATA designators, separated by commas.",
        examples=["ZZ"],
    )
    alliances: _Names = Field(
        default=(),
        description="Every flight is operated by a member of one of these, such as `star_alliance`, `oneworld` or "
        "`skyteam`; together with `airlines`, by either.",
    )
    via: _Places = Field(
        default=(), description="Connect at no other airports than these; direct flights stay."
    )
    avoid: _Places = Field(default=(), description="Connect at none of these airports.")
    max_duration: int | None = Field(
        default=None, ge=1, le=10_000, description="The most minutes a slice may take."
    )
    max_price: Annotated[str | None, StringConstraints(pattern=r"^\d{1,9}(\.\d{1,3})?$")] = Field(
        default=None,
        description="The most that all passengers together may cost, in the answer's currency.",
        examples=["1500"],
    )
    refundable: bool = Field(default=False, description="Only what can be refunded, be it for a fee.")
    with_bag: bool = Field(default=False, description="Only with a checked bag in the price.")
    sort: Sort = Field(
        default="best",
        description="`best` has the smallest sum first of: 1000 for each multiple of the lowest price, 500 for each "
        "multiple of the shortest duration, 60 for each connection, and 100 for each slice that leaves "
        "between 22:00 and 06:00.",
    )
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=500)

    @property
    def connections(self) -> int:
        return 1 if self.max_connections is None else self.max_connections


class SearchQuery(Options):
    """One way, or there and back."""

    origin: Place = Field(description="IATA code of an airport or a city.", examples=["JFK"])
    destination: Place = Field(description="IATA code of an airport or a city.", examples=["LHR"])
    departure_date: Day = Field(description="Local date at the origin.")
    return_date: Day | None = Field(
        default=None, description="Local date at the destination; makes it a return trip."
    )
    departure_after: Clock | None = Field(
        default=None, description="`HH:MM`, local time of the first departure."
    )
    departure_before: Clock | None = Field(
        default=None, description="`HH:MM`, local time of the first departure."
    )
    arrival_after: Clock | None = Field(
        default=None, description="`HH:MM`, local time of the outbound arrival."
    )
    arrival_before: Clock | None = Field(
        default=None, description="`HH:MM`, local time of the outbound arrival."
    )
    return_departure_after: Clock | None = Field(
        default=None, description="`HH:MM`, local time of the way back."
    )
    return_departure_before: Clock | None = Field(
        default=None, description="`HH:MM`, local time of the way back."
    )

    @field_validator("destination", "return_date")
    @classmethod
    def _possible(cls, value: Any, info: Info) -> Any:
        name, known = info.field_name, info.data
        if name == "destination" and value == known.get("origin"):
            raise PydanticCustomError("same_place", "Origin and destination are the same")
        if name == "return_date" and value and value < known.get("departure_date", value):
            raise PydanticCustomError("return_before_departure", "return_date is before departure_date")
        return value

    @property
    def wishes(self) -> list[SliceWish]:
        there = SliceWish.model_construct(
            origin=self.origin,
            destination=self.destination,
            departure_date=self.departure_date,
            departure_after=self.departure_after,
            departure_before=self.departure_before,
            arrival_after=self.arrival_after,
            arrival_before=self.arrival_before,
        )
        if self.return_date is None:
            return [there]
        back = SliceWish.model_construct(
            origin=self.destination,
            destination=self.origin,
            departure_date=self.return_date,
            departure_after=self.return_departure_after,
            departure_before=self.return_departure_before,
        )
        return [there, back]

    def pointer(self, position: int, field: str) -> str:
        """The parameter that says this of a slice."""
        return "return_date" if position and field == "departure_date" else field


class JourneySearch(Options):
    """Two to six slices, each from somewhere to somewhere on a day."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "slices": [
                        {"origin": "JFK", "destination": "LHR", "departure_date": "2027-01-10"},
                        {"origin": "LHR", "destination": "CDG", "departure_date": "2027-01-14"},
                        {"origin": "CDG", "destination": "JFK", "departure_date": "2027-01-18"},
                    ],
                    "adults": 1,
                }
            ]
        },
    )

    slices: list[SliceWish] = Field(min_length=2, max_length=6)

    @field_validator("slices")
    @classmethod
    def _in_order(cls, slices: list[SliceWish]) -> list[SliceWish]:
        days = [one.departure_date for one in slices]
        if days != sorted(days):
            raise PydanticCustomError("slices_out_of_order", "A slice leaves before the one that precedes it")
        return slices

    @property
    def wishes(self) -> list[SliceWish]:
        return self.slices

    def pointer(self, position: int, field: str) -> str:
        return field if field == "currency" else f"/slices/{position}/{field}"


Question = SearchQuery | JourneySearch


class CalendarQuery(Travellers):
    """The lowest price of each day of a month."""

    origin: Place = Field(description="IATA code of an airport or a city.", examples=["JFK"])
    destination: Place = Field(description="IATA code of an airport or a city.", examples=["LHR"])
    month: Annotated[str, StringConstraints(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")] = Field(
        description="`YYYY-MM`: the days of departure.", examples=["2027-01"]
    )
    stay_days: int | None = Field(
        default=None, ge=1, le=90, description="Makes it a return trip, back so many days later."
    )
    max_connections: int = Field(default=1, ge=0, le=1, description="Most connections in a slice.")

    @field_validator("destination")
    @classmethod
    def _elsewhere(cls, value: str, info: Info) -> str:
        if value == info.data.get("origin"):
            raise PydanticCustomError("same_place", "Origin and destination are the same")
        return value
