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

from app.core.shapes import Strict
from app.core.text import line, without_card_number

Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(str.lower)]
Password = Annotated[str, Field(min_length=1, max_length=128, examples=["correct horse battery staple"])]
FullName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100, strip_whitespace=True),
    AfterValidator(line),
    AfterValidator(without_card_number),
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
    password: Password = Field(description="8 to 128 characters, of any kind.")
    full_name: FullName = Field(examples=["Ada Lovelace"])
    locale: Locale = Field(default="en", description="The language of mails.")


KnownEmail = Annotated[str, Field(max_length=254), AfterValidator(_as_signed_up)]
Code = Annotated[str, Field(min_length=1, max_length=40, examples=["492039"])]
Token = Annotated[
    str, Field(min_length=1, max_length=100, description="What stands behind `#token=` in the mail.")
]

Attempt = Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Login(Strict):
    email: KnownEmail = Field(examples=["demo@example.com"])
    password: Password
    code: Code | None = Field(
        default=None,
        description="Where `totp_required` or `login_code_required` asked for it: a code of the authenticator, a "
        "recovery code, or the code that was mailed.",
    )
    attempt: Attempt | None = Field(
        default=None,
        description="With a code that was mailed: the `attempt` of the `login_code_required` that had it mailed.",
    )


class MailedToken(Strict):
    token: Token


class ForgottenPassword(Strict):
    email: KnownEmail = Field(examples=["ada@example.com"])


RevokeKeys = Annotated[
    bool,
    Field(
        description="End all API keys of the account as well; do so where somebody may have had the password."
    ),
]


class PasswordReset(Strict):
    token: Token
    new_password: Password
    revoke_api_keys: RevokeKeys = False


class PasswordChange(Strict):
    current_password: Password
    new_password: Password
    revoke_api_keys: RevokeKeys = False


class EmailChange(Strict):
    new_email: Email = Field(examples=["ada.lovelace@example.com"])
    current_password: Password


class Profile(Strict):
    """What is left out stays."""

    full_name: FullName | None = Field(default=None, examples=["Ada King"])
    locale: Locale | None = Field(default=None, description="The language of mails.")


class PasswordAgain(Strict):
    password: Password


class ConfirmedCode(Strict):
    code: Code


class PasswordAndCode(Strict):
    password: Password
    code: Code


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
    totp_enabled: bool
    created_at: str


class Tokens(BaseModel):
    user: UserOut
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.")


class Accepted(BaseModel):
    message: str


class TotpSecret(BaseModel):
    secret: str = Field(description="In base 32, for who types it.")
    otpauth_uri: str = Field(description="For a QR code.")


class RecoveryCodes(BaseModel):
    recovery_codes: list[str] = Field(description="Each is good once. They are not shown again.")
