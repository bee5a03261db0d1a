"""Opening an account."""

import asyncio
import uuid
from collections import Counter
from typing import Any

import pytest

from tests.support.client import Client

PASSWORD = "a window seat, please"


def person(**more: Any) -> dict[str, Any]:
    address = f"{uuid.uuid4().hex}@example.com"
    return {"email": address, "password": PASSWORD, "full_name": "Ada Lovelace", **more}


async def test_a_new_account_is_signed_in(api: Client) -> None:
    """The answer holds the user and a pair of tokens, and no cache may keep it."""
    data = person()

    answer = await api.post("/auth/signup", data)

    assert answer.status == 201
    assert answer.body.keys() == {"user", "access_token", "refresh_token", "token_type", "expires_in"}
    assert answer.body["token_type"] == "bearer"
    user = answer.body["user"]
    fields = {"id", "email", "full_name", "role", "email_verified", "locale", "totp_enabled", "created_at"}
    assert user.keys() == fields
    assert (user["email"], user["role"], user["email_verified"]) == (data["email"], "user", False)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_one_address_is_one_account_however_it_is_written(api: Client) -> None:
    """Capitals make no other address."""
    data = person()
    await api.post("/auth/signup", data)

    again = await api.post("/auth/signup", {**data, "email": data["email"].upper()})

    assert (again.status, again.code) == (409, "email_taken")


async def test_of_ten_signups_at_once_one_succeeds(api: Client) -> None:
    """The address is decided by the database, not by a look before."""
    data = person()

    answers = await asyncio.gather(*(api.post("/auth/signup", data) for _ in range(10)))

    assert Counter(answer.status for answer in answers) == {201: 1, 409: 9}


@pytest.mark.parametrize(
    "password",
    ["short", "123456789", "aaaaaaaaaaaa", "12121212121212", "password123", "Jetway2026!", "1234567890!"],
)
async def test_a_password_that_is_guessed_first_is_refused(api: Client, password: str) -> None:
    """With the field that is wrong, and without the password in the answer."""
    answer = await api.post("/auth/signup", person(password=password))

    assert (answer.status, answer.code) == (422, "weak_password")
    assert answer.body["errors"][0]["pointer"] == "/password"
    assert password.encode() not in answer.raw


async def test_ones_own_name_or_address_is_no_password(api: Client) -> None:
    """Whoever knows the person would try those first."""
    data = person(full_name="Augusta Ada King")
    for password in (data["email"], data["email"].split("@")[0], "augusta ada KING"):
        answer = await api.post("/auth/signup", {**data, "password": password})
        assert answer.code == "weak_password"


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@example.com", "a b@example.com", "ada@exa mple.com"])
async def test_what_is_no_address_is_refused(api: Client, email: str) -> None:
    """With a pointer to the field."""
    answer = await api.post("/auth/signup", person(email=email))

    assert (answer.status, answer.code) == (422, "validation_error")
    assert [problem["pointer"] for problem in answer.body["errors"]] == ["/email"]


async def test_an_unknown_field_is_refused(api: Client) -> None:
    """So nobody can make themselves an administrator, and no misspelt field is lost in silence."""
    answer = await api.post("/auth/signup", person(role="admin"))

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/role")


@pytest.mark.parametrize("name", ["Ada\nLovelace", "Ada\x1b[31m", "\x7f", "", "   ", "x" * 101])
async def test_a_name_is_one_line_of_printable_text(api: Client, name: str) -> None:
    """Control characters end up in logs, e-mails and tickets."""
    answer = await api.post("/auth/signup", person(full_name=name))

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/full_name")


async def test_a_name_in_any_script_is_kept(api: Client) -> None:
    """In one Unicode form."""
    answer = await api.post("/auth/signup", person(full_name="  Zoe\u0301 李小龍 "))

    assert answer.body["user"]["full_name"] == "Zo\u00e9 李小龍"
