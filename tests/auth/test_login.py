"""Signing in, and guessing passwords."""

from typing import Any

import pytest

from app.auth import passwords
from app.core.config import settings
from tests.support.client import Answer, Client

PASSWORD = "a window seat, please"


async def log_in(api: Client, email: str, password: str = PASSWORD) -> Answer:
    return await api.post("/auth/login", {"email": email, "password": password})


def without_request_id(answer: Answer) -> dict[str, Any]:
    return {name: value for name, value in answer.body.items() if name != "request_id"}


async def test_the_right_password_opens_a_session(api: Client, traveller: Client) -> None:
    """And the token says who it is."""
    answer = await log_in(api, traveller.user["email"])

    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    me = await Client(api.session, api.base, answer.body["access_token"]).get("/auth/me")
    assert me.body["id"] == traveller.user["id"]


async def test_the_oauth2_password_form_works_too(api: Client, traveller: Client) -> None:
    """As the button in /docs sends it."""
    form = {"grant_type": "password", "username": traveller.user["email"], "password": PASSWORD}

    answer = await api.send("POST", "/auth/login", data=form)

    assert answer.status == 200
    assert answer.body["user"]["id"] == traveller.user["id"]


@pytest.mark.parametrize("written", [str.upper, " {} ".format])
async def test_the_address_is_found_however_it_is_written(
    api: Client, traveller: Client, written: Any
) -> None:
    """A capital or a blank of a phone's keyboard keeps nobody out."""
    assert (await log_in(api, written(traveller.user["email"]))).status == 200


async def test_an_address_that_signup_rewrites_can_log_in_as_it_was_typed(api: Client) -> None:
    """An internationalised domain has two spellings."""
    typed = "Ada.rewritten@xn--bcher-kva.example"
    data = {"email": typed, "password": PASSWORD, "full_name": "Ada Lovelace"}
    assert (await api.post("/auth/signup", data)).status == 201

    assert (await log_in(api, typed)).status == 200


async def test_a_wrong_password_and_an_unknown_address_look_the_same(api: Client, traveller: Client) -> None:
    """Nobody learns who has an account."""
    wrong = await log_in(api, traveller.user["email"], "not the password")
    unknown = await log_in(api, "nobody-at-all@example.com", "not the password")

    assert (wrong.status, wrong.code, wrong.headers["WWW-Authenticate"]) == (
        401,
        "invalid_credentials",
        "Bearer",
    )
    assert without_request_id(wrong) == without_request_id(unknown)
    assert set(wrong.headers) == set(unknown.headers)


async def test_an_unknown_address_costs_a_verification_as_well(
    api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hash that takes as long, or the time would tell who has an account."""
    verified: list[str] = []
    verify = passwords._verify

    def noted(stored: str, password: str) -> bool:
        verified.append(stored.rsplit("$", 2)[0])
        return verify(stored, password)

    monkeypatch.setattr(passwords, "_verify", noted)
    await log_in(api, traveller.user["email"], "not the password")
    await log_in(api, "nobody-again@example.com", "not the password")

    assert verified == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


async def test_the_decoys_password_opens_nothing(api: Client) -> None:
    """The hash that stands in for a missing one is never right."""
    assert (await log_in(api, "nobody-either@example.com", "nobody has this password")).status == 401


async def test_repeated_failures_are_stopped(api: Client, traveller: Client) -> None:
    """Then even the right password has to wait, or guessing would only have to be lucky."""
    email = traveller.user["email"]
    for _ in range(5):
        assert (await log_in(api, email, "not the password")).status == 401

    stopped = await log_in(api, email)

    assert (stopped.status, stopped.code, stopped.body["retryable"]) == (429, "rate_limited", True)
    assert 0 < int(stopped.headers["Retry-After"]) <= 900


async def test_an_unknown_address_is_stopped_alike(api: Client) -> None:
    """Otherwise the limit would tell who has an account."""
    for _ in range(5):
        await log_in(api, "a-guess@example.com", "not the password")

    assert (await log_in(api, "a-guess@example.com", "not the password")).code == "rate_limited"


async def test_other_addresses_are_not_affected(api: Client, traveller: Client) -> None:
    """One person's failures lock nobody else out."""
    for _ in range(6):
        await log_in(api, traveller.user["email"], "not the password")

    other = await api.signed_up()
    assert (await log_in(api, other.user["email"])).status == 200


async def test_a_success_forgets_the_failures(api: Client, traveller: Client) -> None:
    """Four slips, the right password, four slips: still welcome."""
    email = traveller.user["email"]
    for _ in range(2):
        for _ in range(4):
            await log_in(api, email, "not the password")
        assert (await log_in(api, email)).status == 200


async def test_the_limit_ends_with_its_window(api: Client, traveller: Client, sql: Any) -> None:
    """Failures of a quarter of an hour ago count no more, by the database's clock."""
    email = traveller.user["email"]
    for _ in range(5):
        await log_in(api, email, "not the password")
    await sql("UPDATE attempts SET at = at - interval '16 minutes' WHERE policy = 'login'")

    assert (await log_in(api, email)).status == 200


async def test_the_limit_can_be_switched_off_for_measurements(
    api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its setting only."""
    monkeypatch.setattr(settings(), "rate_limit_enabled", False)
    for _ in range(6):
        await log_in(api, traveller.user["email"], "not the password")

    assert (await log_in(api, traveller.user["email"])).status == 200


async def test_a_body_that_is_neither_is_refused(api: Client) -> None:
    """JSON or the form, complete, and nothing else."""
    for body in ({}, {"email": "ada@example.com"}, {"email": 1, "password": PASSWORD}, [], "x"):
        assert (await api.post("/auth/login", body)).status == 422
    extra = {"email": "ada@example.com", "password": PASSWORD, "admin": True}
    assert (await api.post("/auth/login", extra)).body["errors"][0]["pointer"] == "/admin"
    assert (await api.send("POST", "/auth/login", data={"password": PASSWORD})).status == 422
    json = {"Content-Type": "application/json"}
    assert (await api.send("POST", "/auth/login", data=b"{", headers=json)).code == "malformed_json"
    assert (await api.send("POST", "/auth/login", data=b"{")).code == "unsupported_media_type"
