"""What a booking asks for and what it looks like."""

import unicodedata
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    field_validator,
)
from pydantic_core import PydanticCustomError

from app.core import tables
from app.core.shapes import Day, Strict
from app.core.text import line, without_card_number

PassengerType = Literal["adult", "child", "infant"]
Status = Literal["held", "confirmed", "cancelled", "expired", "completed"]
# Special service requests by their IATA code.
SPECIAL_SERVICES = {
    row["code"]: row for row in tables.read(Path(__file__).with_name("data") / "special_services.csv")
}
_ISO_3166 = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8").splitlines()
# XK is not in ISO 3166, but Kosovo issues passports.
_COUNTRIES = frozenset(row[:2] for row in _ISO_3166 if row and not row.startswith("#")) | {"XK"}


def _visible(text: str) -> str:
    """Without what changes how a text is read but cannot be seen."""
    if any(unicodedata.category(character) in ("Cf", "Co") for character in text):
        raise PydanticCustomError("invisible_characters", "Invisible characters are not allowed")
    return text


def _one_of(known: frozenset[str]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in known:
            raise PydanticCustomError("unknown_code", "This code is not known")
        return value

    return AfterValidator(check)


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60, strip_whitespace=True),
    AfterValidator(line),
    AfterValidator(_visible),
    AfterValidator(without_card_number),
]
LatinName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=60, pattern=r"^[A-Za-z][A-Za-z '\-]*$"),
    Field(description="As in the passport's machine-readable lines, where the name alone does not give it."),
]
Country = Annotated[
    str,
    StringConstraints(to_upper=True, pattern="^[A-Za-z]{2}$"),
    _one_of(_COUNTRIES),
    Field(description="ISO 3166-1 alpha-2.", examples=["GB"]),
]
ServiceCode = Annotated[
    str, _one_of(frozenset(SPECIAL_SERVICES)), Field(json_schema_extra={"enum": list(SPECIAL_SERVICES)})
]


Position = Annotated[int, Field(ge=0, le=999)]
OfferId = Annotated[str, Field(max_length=512)]


class DocumentIn(Strict):
    type: Literal["passport", "identity_card"]
    number: Annotated[str, StringConstraints(max_length=30)] = Field(
        description="4 to 20 letters and digits; blanks and hyphens are left out."
    )
    issuing_country: Country
    nationality: Country | None = None
    expires_on: Day

    @field_validator("number")
    @classmethod
    def _plain(cls, value: str) -> str:
        plain = value.replace(" ", "").replace("-", "").upper()
        if not (plain.isascii() and plain.isalnum() and 4 <= len(plain) <= 20):
            raise PydanticCustomError("document_number", "Must be 4 to 20 letters and digits")
        return plain


class LoyaltyIn(Strict):
    airline: Annotated[str, StringConstraints(to_upper=True, pattern="^[A-Za-z0-9]{2}$")] = Field(
        description="IATA designator.", examples=["ZZ"]
    )
    number: Annotated[str, StringConstraints(to_upper=True, pattern="^[A-Za-z0-9]{4,16}$")]


class ServiceIn(Strict):
    code: ServiceCode
    segments: (
        Annotated[list[Annotated[str, Field(max_length=60)]], Field(min_length=1, max_length=18)] | None
    ) = Field(
        default=None, description="The `flight_id` of each flight it is for; left out, it is for all flights."
    )
    text: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)] | None = (
        Field(default=None, description="What the code does not say; some codes need it.")
    )

    @field_validator("text")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        return value and _visible(line(value))


class PassengerIn(Strict):
    type: PassengerType
    title: Literal["mr", "ms", "mrs", "miss", "mx", "dr"] | None = None
    given_name: Name | None = Field(
        description="As in the passport, in any script; null for who has no given name.", examples=["Ada"]
    )
    family_name: Name = Field(description="As in the passport, in any script.", examples=["Lovelace"])
    latin_given_name: LatinName | None = None
    latin_family_name: LatinName | None = None
    born_on: Day = Field(examples=["1990-12-10"])
    gender: Literal["f", "m", "x"] | None = None
    infant_of: Annotated[int, Field(ge=0, le=17)] | None = Field(
        default=None, description="For an infant: the index of the adult who carries it."
    )
    document: DocumentIn | None = None
    loyalty: Annotated[list[LoyaltyIn], Field(max_length=5)] = Field(
        default_factory=list, description="Memberships of frequent flyer programmes, one an airline."
    )
    services: Annotated[list[ServiceIn], Field(max_length=20)] = Field(
        default_factory=list,
        description="Special service requests: meals, assistance, animals. They cost nothing.",
    )

    @field_validator("loyalty")
    @classmethod
    def _one_an_airline(cls, value: list[LoyaltyIn]) -> list[LoyaltyIn]:
        if len({membership.airline for membership in value}) < len(value):
            raise PydanticCustomError("duplicate_loyalty", "One number an airline")
        return value


class Contact(Strict):
    email: Annotated[EmailStr, Field(max_length=254, examples=["ada@example.com"])]
    phone: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{5,14}$")] | None = Field(
        default=None, description="E.164.", examples=["+441632960000"]
    )


class PaymentIn(Strict):
    """The processor's name for a card, as its SDK gives it to an app; a card's number never comes here."""

    payment_method: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        examples=["pm_card_visa"]
    )


class BookingIn(Strict):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "offer_id": "the id of an offer from a search",
                    "passengers": [
                        {
                            "type": "adult",
                            "given_name": "Ada",
                            "family_name": "Lovelace",
                            "born_on": "1990-12-10",
                        }
                    ],
                    "contact": {"email": "ada@example.com", "phone": "+441632960000"},
                }
            ]
        }
    )

    offer_id: Annotated[str, Field(max_length=512, description="`id` of an offer from a search.")]
    passengers: Annotated[list[PassengerIn], Field(min_length=1, max_length=18)]
    contact: Contact
    payment: PaymentIn | None = None


class CancellationIn(Strict):
    """What to cancel; everything, where nothing is named."""

    passengers: Annotated[list[Position], Field(min_length=1, max_length=18)] | None = Field(
        default=None, description="Indexes in the booking's `passengers`; infants leave with their adult."
    )
    slices: Annotated[list[Position], Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="The `index` of slices of the booking."
    )


class OperatorCancellationIn(Strict):
    """Why an operator cancels in a traveller's place. There is no room for free text: the audit log keeps it."""

    why: Literal["asked_for", "duplicate", "fraud", "error", "other"] = Field(
        description="`asked_for` by the traveller, by telephone for example; `error` is one of ours."
    )


class ChangeIn(Strict):
    slices: Annotated[list[Position], Field(min_length=1, max_length=6)] = Field(
        description="The `index` of the slices that are given up."
    )
    offer_id: OfferId = Field(description="An offer of the flights to fly instead, for those who travel.")


class PayIn(Strict):
    """What confirming may need: a payment where something is due."""

    payment: PaymentIn | None = None


class RebookIn(Strict):
    offer_id: OfferId = Field(description="An offer of the flights to fly instead; it costs nothing.")


class SeatIn(Strict):
    passenger: Position
    flight_id: Annotated[str, StringConstraints(max_length=60)]
    seat: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,2}[A-Z]$", to_upper=True)] = Field(
        examples=["12A"]
    )


class BagIn(Strict):
    passenger: Position
    slice: Position = Field(description="The `index` of a slice of the booking.")
    quantity: Annotated[int, Field(ge=1, le=9)] = 1


class ExtrasIn(Strict):
    seats: Annotated[list[SeatIn], Field(max_length=100)] = Field(default=[])
    bags: Annotated[list[BagIn], Field(max_length=100)] = Field(default=[])
    payment: PaymentIn | None = Field(
        default=None, description="Where the booking is paid and something is due."
    )


class CheckInIn(Strict):
    flight_id: Annotated[str, StringConstraints(max_length=60)]
    passengers: Annotated[list[Position], Field(min_length=1, max_length=18)] | None = None


class GuestLookup(Strict):
    pnr: Annotated[
        str, StringConstraints(min_length=1, max_length=20, strip_whitespace=True, to_upper=True)
    ] = Field(examples=["K7QX2M"])
    family_name: Name = Field(
        description="Of any of the travellers; case and accents do not matter.", examples=["Lovelace"]
    )

    @field_validator("pnr")
    @classmethod
    def _printable(cls, pnr: str) -> str:
        return without_card_number(line(pnr))


class GuestToken(Strict):
    token: Annotated[str, Field(max_length=100, description="From the link, behind `#token=`.")]
