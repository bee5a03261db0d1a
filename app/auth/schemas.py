"""What accounts look like on the wire."""

import uuid
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from app.core.text import line


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
Password = Annotated[str, Field(min_length=1, max_length=128, examples=["correct horse battery staple"])]
FullName = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), AfterValidator(line)
]


class Signup(Strict):
    email: Email = Field(examples=["ada@example.com"])
    password: Password = Field(description="At least 10 characters.")
    full_name: FullName = Field(examples=["Ada Lovelace"])


class Login(Strict):
    email: Annotated[str, Field(max_length=254), AfterValidator(str.lower)] = Field(
        examples=["demo@jetway.example"]
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
    created_at: str


class Tokens(BaseModel):
    user: UserOut
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.")
