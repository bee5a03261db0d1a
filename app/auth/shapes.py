"""What sessions, API keys and accounts look like to their owners and to administrators."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StringConstraints

from app.auth.schemas import KnownEmail, Password, UserOut
from app.auth.scopes import Scope
from app.core.shapes import Strict
from app.core.text import line, without_card_number

_INSTANT = "2026-12-01T08:00:00Z"


class SessionOut(BaseModel):
    id: str = Field(examples=["5f0c3a52-6f4e-4d0c-9a51-1b2c3d4e5f60"])
    created_at: str = Field(examples=[_INSTANT])
    last_used_at: str = Field(description="When it was last refreshed.", examples=[_INSTANT])
    expires_at: str = Field(description="When it ends unless it is refreshed.", examples=[_INSTANT])
    user_agent: str | None = Field(description="What the program that signed in said it was.")
    network: str | None = Field(
        description="The address it signed in from, without its last part.", examples=["192.0.2.0/24"]
    )
    current: bool = Field(description="Whether it is the one that asks.")


class SessionList(BaseModel):
    data: list[SessionOut]
    next_cursor: str | None


KeyName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True),
    AfterValidator(line),
    AfterValidator(without_card_number),
]


class ApiKeyIn(Strict):
    name: KeyName = Field(description="For you, to tell your keys apart.", examples=["Nightly export"])
    scopes: list[Scope] = Field(
        min_length=1, max_length=20, description="What the key may do. `write` includes `read`."
    )
    expires_in_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = Field(
        default=None, description="Without it the key works until it is revoked.", examples=[90]
    )
    password: Password = Field(description="Your password once more.")


class ApiKeyOut(BaseModel):
    id: str = Field(examples=["5f0c3a52-6f4e-4d0c-9a51-1b2c3d4e5f60"])
    name: str
    mode: Literal["test", "live"]
    shown: str = Field(description="How the key begins.", examples=["jtw_test_Ab1x…"])
    scopes: list[str]
    created_at: str
    last_used_at: str | None = Field(description="To the minute.")
    expires_at: str | None


class ApiKeyWithSecret(ApiKeyOut):
    key: str = Field(
        description="Shown once.", examples=["jtw_test_Ab1xAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw"]
    )


class ApiKeyList(BaseModel):
    data: list[ApiKeyOut]
    next_cursor: str | None


class AccountOut(UserOut):
    suspended_at: str | None
    totp_enabled: bool = Field(description="Whether a code is asked for beside the password.")


class AccountList(BaseModel):
    data: list[AccountOut]
    next_cursor: str | None


class AccountSearch(Strict):
    email: KnownEmail = Field(description="The whole address.", examples=["ada@example.com"])


class UserPatch(Strict):
    """What is not named stays."""

    role: Literal["user", "admin"] | None = None
    suspended: StrictBool | None = None
