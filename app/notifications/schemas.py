"""What devices and preferences look like on the wire."""

from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    Field,
    StringConstraints,
    model_validator,
)

from app.auth.schemas import Locale
from app.core.shapes import Strict
from app.core.text import line, without_card_number

Platform = Literal["android", "ios", "web"]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("not a time zone of the IANA database")
    return name


TimeZone = Annotated[str, Field(max_length=64, examples=["Europe/Oslo"]), AfterValidator(_known_zone)]
Token = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,4096}$", description="FCM's registration token.")]
Tag = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$", max_length=35)]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60, strip_whitespace=True),
    AfterValidator(line),
    AfterValidator(without_card_number),
]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["22:00"])]


class DeviceIn(Strict):
    token: Token
    platform: Platform
    locale: Tag | None = Field(default=None, description="The language of pushes; else the account's.")
    time_zone: TimeZone | None = None
    name: Name | None = Field(default=None, examples=["Ada's phone"])


class DeviceOut(BaseModel):
    """Its token is never shown."""

    id: str = Field(examples=["dev_6f1c0e0b6d0c4b5f9a3e2d1c0b9a8f7e"])
    platform: Platform
    name: str | None
    locale: str | None
    time_zone: str | None
    created_at: AwareDatetime
    last_seen_at: AwareDatetime


class DeviceList(BaseModel):
    data: list[DeviceOut]
    next_cursor: None


class QuietHours(Strict):
    """From one clock reading to another, over midnight where the second is earlier."""

    from_: Clock = Field(alias="from", examples=["22:00"])
    to: Clock = Field(examples=["07:00"])

    @model_validator(mode="after")
    def _do_not_last_for_ever(self) -> "QuietHours":
        if self.from_ == self.to:
            raise ValueError("quiet hours end at another time than they begin; switch pushes off instead")
        return self


class Channels(BaseModel):
    """`push` is null where there is none of the kind."""

    email: bool
    push: bool | None


class ChannelsIn(Strict):
    """null is as if nothing had been said."""

    email: bool | None = None
    push: bool | None = None


class AlwaysMailed(Strict):
    email: bool | None = Field(default=None, description="Part of the contract; cannot be switched off.")


class AlwaysMailedBookings(AlwaysMailed):
    push: bool | None = None


class PreferencesOut(BaseModel):
    bookings: Channels
    flight_alerts: Channels
    account: Channels
    quiet_hours: QuietHours | None
    time_zone: str | None = Field(description="null: each device's own.")
    locale: Locale


class PreferencesIn(Strict):
    """What is left out stays as it is."""

    bookings: AlwaysMailedBookings = Field(default_factory=AlwaysMailedBookings)
    flight_alerts: ChannelsIn = Field(default_factory=ChannelsIn)
    account: AlwaysMailed = Field(default_factory=AlwaysMailed)
    quiet_hours: QuietHours | None = None
    time_zone: TimeZone | None = None
    locale: Locale = "en"
