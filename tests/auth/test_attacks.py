"""What somebody may try with an account that is not theirs, or with more of their own than they have."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.auth.support import NEW_PASSWORD, Mailbox, enrolled, log_in, user_id
from tests.support.client import PASSWORD, Client

TAKES_TOKENS: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "verify": lambda token: ("/auth/verify", {"token": token}),
    "reset": lambda token: ("/auth/password/reset", {"token": token, "new_password": NEW_PASSWORD}),
    "email": lambda token: ("/auth/email/confirm", {"token": token}),
}
NO_TOKENS = [
    "x",
    "0" * 43,
    "00000000",
    "frt_" + "A" * 43,
    "' OR '1'='1",
    "é" * 43,
    "%00",
    "../../etc/passwd",
    str(uuid.UUID(int=0)),
]


async def mailed_tokens(mailbox: Mailbox, api: Client) -> tuple[Client, dict[str, str]]:
    """Somebody with a link of each kind in their mail."""
    client = await api.signed_up()
    email, new = client.user["email"], f"{uuid.uuid4().hex}@example.com"
    await api.post("/auth/password/forgot", {"email": email})
    await client.post("/auth/email/change", {"new_email": new, "current_password": PASSWORD})
    tokens = {page: await mailbox.token(email, f"account/{page}") for page in ("verify", "reset")}
    return client, tokens | {"email": await mailbox.token(new, "account/email")}


async def test_a_token_opens_nothing_but_what_it_was_mailed_for(mailbox: Mailbox, api: Client) -> None:
    """Each is sent everywhere else; then each does its own."""
    _, tokens = await mailed_tokens(mailbox, api)

    for place, call in TAKES_TOKENS.items():
        for page, token in tokens.items():
            if page != place:
                assert (await api.post(*call(token))).code == "link_not_valid", (page, place)
    for page in ("verify", "email", "reset"):
        expected = (
            204 if page != "reset" else 404
        )  # The new address made what was mailed to the old one void.
        assert (await api.post(*TAKES_TOKENS[page](tokens[page]))).status == expected, page


@pytest.mark.parametrize("place", TAKES_TOKENS)
async def test_what_is_no_token_is_refused_alike(api: Client, place: str) -> None:
    """Whatever it looks like."""
    for token in NO_TOKENS:
        answer = await api.post(*TAKES_TOKENS[place](token))
        assert (answer.status, answer.code) == (404, "link_not_valid"), token
    path, body = TAKES_TOKENS[place]("")
    for wrong in ("", "x" * 101, None, 1, ["x"], {"x": 1}):
        assert (await api.post(path, body | {"token": wrong})).code == "validation_error", wrong


async def test_a_token_is_taken_from_bodies_only(mailbox: Mailbox, api: Client) -> None:
    """Addresses of pages end up in logs and histories."""
    client, tokens = await mailed_tokens(mailbox, api)

    assert (await api.send("GET", "/auth/verify", params={"token": tokens["verify"]})).status == 405
    assert (await api.send("POST", "/auth/verify", params={"token": tokens["verify"]})).status == 422
    assert (await client.get("/auth/me")).body["email_verified"] is False


async def test_tokens_of_sessions_are_no_links(api: Client, traveller: Client) -> None:
    """Nor are links tokens of sessions."""
    for token in (traveller.token or "", traveller.user["refresh_token"]):
        for call in TAKES_TOKENS.values():
            assert (await api.post(*call(token[:100]))).code == "link_not_valid"


async def test_a_link_is_no_access_token(mailbox: Mailbox, api: Client) -> None:
    """It signs nobody in, in whichever place it is shown."""
    _, tokens = await mailed_tokens(mailbox, api)

    for token in tokens.values():
        shown = await api.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert (shown.status, shown.code) == (401, "invalid_token")
        assert (await api.post("/auth/refresh", {"refresh_token": token})).status == 401


async def test_what_nobody_was_mailed_cannot_be_guessed_from_the_table(
    mailbox: Mailbox, api: Client, sql: Any
) -> None:
    """The number and the hash that are stored are no token."""
    client, _ = await mailed_tokens(mailbox, api)
    for row in await sql("SELECT * FROM challenges WHERE user_id = :id", id=user_id(client)):
        for guess in (row["nonce"].hex(), row["token_hash"].hex(), str(row["id"])):
            for call in TAKES_TOKENS.values():
                assert (await api.post(*call(guess))).code == "link_not_valid"


@pytest.mark.parametrize(
    "extra",
    [
        {"role": "admin"},
        {"email_verified": True},
        {"totp_enabled": False},
        {"suspended_at": None},
        {"code": "1"},
        {"__proto__": {"role": "admin"}},
    ],
)
async def test_nobody_signs_up_as_more_than_a_user(api: Client, extra: dict[str, Any]) -> None:
    """Whatever else is sent along is refused."""
    data = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD, "full_name": "Ada"}

    assert (await api.post("/auth/signup", data | extra)).code == "validation_error"


NO_ADDRESSES = [
    "ada@example.com\r\nBcc: all@example.com",
    "ada@example.com\nX: y",
    "ada@example.com, eve@example.com",
    "ada@example.com;eve@example.com",
    "ada@[127.0.0.1]",
    "ada@localhost",
    "@example.com",
    "a" * 250 + "@example.com",
]


async def test_an_address_is_one_address(api: Client, traveller: Client) -> None:
    """Nothing that adds a header, a second reader or a machine of ours, wherever an address is taken."""
    for email in NO_ADDRESSES:
        data = {"email": email, "password": PASSWORD, "full_name": "Ada"}
        change = {"new_email": email, "current_password": PASSWORD}
        assert (await api.post("/auth/signup", data)).code == "validation_error", email
        assert (await traveller.post("/auth/email/change", change)).code == "validation_error", email


async def test_a_name_cannot_write_mails(mailbox: Mailbox, api: Client) -> None:
    """What strangers can put into an account is not in the mails that an address gets because of it."""
    lure = "http://evil.example click"
    data = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD, "full_name": lure}
    assert (await api.post("/auth/signup", data)).status == 201
    await api.post("/auth/password/forgot", {"email": data["email"]})

    for mail in await mailbox.mails(data["email"]):
        assert "evil" not in str(mail)


@pytest.mark.parametrize("size", [129, 1_000, 100_000])
async def test_a_huge_password_is_not_hashed(api: Client, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Nobody keeps the machine busy with one request."""
    from app.auth import passwords

    monkeypatch.setattr(passwords, "place", None)  # Whoever hashed would fail.
    huge = "x" * size
    email = f"{uuid.uuid4().hex}@example.com"

    assert (await log_in(api, email, huge)).code == "validation_error"
    data = {"email": email, "password": huge, "full_name": "Ada"}
    assert (await api.post("/auth/signup", data)).code == "validation_error"


async def test_a_password_is_never_cut(api: Client) -> None:
    """128 characters count to the last, of four bytes each."""
    email, long = f"{uuid.uuid4().hex}@example.com", "🛫🪟💺🧳🛬🌍🌙🎒" * 15 + "🛫🪟💺🧳🛬🌍🌙✈"
    data = {"email": email, "password": long, "full_name": "Ada"}
    assert (await api.post("/auth/signup", data)).status == 201

    assert (await log_in(api, email, long[:-1] + "🎒")).status == 401
    assert (await log_in(api, email, long[:18])).status == 401
    assert (await log_in(api, email, long)).status == 200


# Digits of other scripts, signs before them, other ways to write numbers.
NO_CODES = [
    "\uff11\uff12\uff13\uff14\uff15\uff16",
    "\u0663\u0664\u0665\u0666\u0667\u0668",
    "-12345",
    "+12345",
    "12345.",
]
NO_CODES_EITHER = ["1e5000", "0x1F4A", "' OR 1=1--", "é"]


@pytest.mark.parametrize("codes", [NO_CODES, NO_CODES_EITHER])
async def test_what_is_no_code_is_wrong(api: Client, traveller: Client, codes: list[str]) -> None:
    """It neither breaks anything nor fits."""
    ada = await enrolled(traveller)

    for code in codes:
        answer = await log_in(api, ada.email, code=code)
        assert (answer.status, answer.code) == (401, "wrong_code"), code


async def test_a_code_without_need_changes_nothing(api: Client, traveller: Client) -> None:
    """Who has no second factor and is not attacked signs in with the password alone, and not without it."""
    assert (await log_in(api, traveller.user["email"], code="123456")).status == 200
    assert (await log_in(api, traveller.user["email"], "not the password", code="123456")).status == 401


async def test_a_right_code_does_not_make_up_for_a_wrong_password(api: Client, traveller: Client) -> None:
    """And is not spent by the attempt."""
    ada = await enrolled(traveller)

    assert (await log_in(api, ada.email, "not the password", code=ada.recovery_codes[0])).status == 401
    assert (await log_in(api, ada.email, code=ada.recovery_codes[0])).status == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/auth/verification", None),
        ("POST", "/auth/password/change", {"current_password": PASSWORD, "new_password": NEW_PASSWORD}),
        ("POST", "/auth/email/change", {"new_email": "a@example.com", "current_password": PASSWORD}),
        ("PATCH", "/auth/me", {"full_name": "Eve"}),
        ("POST", "/auth/totp", {"password": PASSWORD}),
        ("POST", "/auth/totp/confirm", {"code": "123456"}),
        ("POST", "/auth/totp/disable", {"password": PASSWORD, "code": "123456"}),
        ("POST", "/auth/totp/recovery-codes", {"password": PASSWORD, "code": "123456"}),
    ],
)
async def test_nothing_of_an_account_is_done_without_a_session(
    api: Client, method: str, path: str, body: Any
) -> None:
    """Nor with one that is none."""
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic YTpi"}):
        assert (await api.send(method, path, json=body, headers=headers)).status == 401
