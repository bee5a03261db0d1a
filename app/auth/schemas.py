"""What accounts look like on the wire."""

import uuid
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    StringConstraints,
    validate_email,
)
from pydantic_core import PydanticCustomError

from app.core.text import line


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
Password = Annotated[str, Field(min_length=1, max_length=128, examples=["correct horse battery staple"])]
FullName = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), AfterValidator(line)
]


Locale = Literal["en", "de", "es", "fr"]


def _as_signed_up(email: str) -> str:
    """The address in the form signup keeps; what is no address has no account, and is left as it is."""
    try:
        return validate_email(line(email))[1].lower()
    except PydanticCustomError:
        return email.lower()


class Signup(Strict):
    email: Email = Field(examples=["ada@example.com"])
    password: Password = Field(description="At least 10 characters.")
    full_name: FullName = Field(examples=["Ada Lovelace"])
    locale: Locale = Field(default="en", description="The language of mails.")


class Login(Strict):
    email: Annotated[str, Field(max_length=254), AfterValidator(_as_signed_up)] = Field(
        examples=["demo@example.com"]
    )
    password: Password


class Refresh(Strict):
    refresh_token: Annotated[str, Field(max_length=100)]


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    email: str
    full_name: str
    role: Literal["user", "admin"]
    email_verified: bool
    locale: Locale
    created_at: str


class Tokens(BaseModel):
    user: UserOut
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.")
