"""Access tokens: only ours, only of the right kind, only in time."""

import base64
import json
import uuid
from time import time
from typing import Any

import jwt
import pytest

from app.auth import tokens
from app.core.config import settings
from tests.support.client import Answer, Client


def forged(
    secret: str | None = None, algorithm: str = "HS256", typ: str | None = "at+jwt", **changes: Any
) -> str:
    """A token like ours but for the changes; None takes a claim out."""
    now = int(time())
    claims = {"iss": "jetway", "aud": "jetway-api", "sub": str(uuid.uuid4()), "sid": str(uuid.uuid4())}
    claims |= {"jti": uuid.uuid4().hex, "iat": now, "nbf": now, "exp": now + 900, **changes}  # type: ignore[dict-item]
    kept = {name: value for name, value in claims.items() if value is not None}
    header = {"typ": typ, "kid": tokens.key_id(settings().jwt_secret)}
    return jwt.encode(kept, secret or settings().jwt_secret, algorithm, headers=header)


def raw(*parts: Any) -> str:
    encoded = (json.dumps(part).encode() if not isinstance(part, bytes) else part for part in parts)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in encoded)


async def present(api: Client, token: str) -> Answer:
    return await api.get("/auth/me", headers={"Authorization": f"Bearer {token}"})


async def test_a_forged_copy_of_a_good_token_would_be_taken(api: Client, traveller: Client) -> None:
    """The negative control: what the tests below change is what gets their tokens refused."""
    assert (await present(api, forged(sub=traveller.user["id"]))).status == 200


async def test_without_a_token_one_is_asked_to_sign_in(api: Client) -> None:
    """401 with the scheme to use."""
    answer = await api.get("/auth/me")

    assert (answer.status, answer.code, answer.headers["WWW-Authenticate"]) == (401, "unauthorized", "Bearer")


async def test_an_expired_token_says_so(api: Client, traveller: Client) -> None:
    """An app refreshes then, instead of asking for the password."""
    answer = await present(api, forged(sub=traveller.user["id"], iat=int(time()) - 901, exp=int(time()) - 6))

    assert (answer.status, answer.code) == (401, "token_expired")


async def test_a_token_that_was_good_expires_too(
    api: Client, traveller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signature found good is remembered; the time is looked at again."""
    assert (await traveller.get("/auth/me")).status == 200
    monkeypatch.setattr("app.auth.tokens.time", lambda: time() + settings().access_token_seconds + 6)

    assert (await traveller.get("/auth/me")).code == "token_expired"


@pytest.mark.filterwarnings("ignore:The HMAC key is")
@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another-secret-of-thirty-two-characters"},
        {"algorithm": "HS512"},
        {"typ": "JWT"},
        {"typ": None},
        {"iss": "elsewhere"},
        {"aud": "elsewhere"},
        {"aud": None},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sid": None},
        {"sub": "ada"},
        {"sid": "not a uuid"},
        {"exp": "soon"},
        {"nbf": 4102444800},
    ],
    ids=str,
)
async def test_a_token_of_another_kind_is_refused(
    api: Client, traveller: Client, changes: dict[str, Any]
) -> None:
    """Secret, algorithm, type, issuer, audience and every claim count."""
    answer = await present(api, forged(**{"sub": traveller.user["id"], **changes}))

    assert (answer.status, answer.code, answer.headers["WWW-Authenticate"]) == (
        401,
        "invalid_token",
        "Bearer",
    )


async def test_an_unsigned_token_is_refused(api: Client, traveller: Client) -> None:
    """`none` is no algorithm, in any spelling, and an emptied signature is none."""
    header, claims, _ = forged(sub=traveller.user["id"]).split(".")
    content = base64.urlsafe_b64decode(claims + "==")
    for algorithm in ("none", "None", "NONE", "nOnE"):
        unsigned = raw({"alg": algorithm, "typ": "at+jwt"}, content) + "."
        assert (await present(api, unsigned)).code == "invalid_token"
    assert (await present(api, f"{header}.{claims}.")).code == "invalid_token"


async def test_altered_claims_are_refused(api: Client, traveller: Client) -> None:
    """The signature covers them."""
    header, _, signature = forged(sub=traveller.user["id"]).split(".")
    other = forged(sub=str(uuid.uuid4())).split(".")[1]

    assert (await present(api, f"{header}.{other}.{signature}")).code == "invalid_token"


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "..",
        "a.b.c",
        "null",
        "é.ü.ß",
        "%00",
        "A" * 6000,
        raw([], {}, b"x"),
        raw("HS256", {}, b"x"),
        raw(None, None, b""),
        raw({"alg": ["HS256"], "typ": "at+jwt"}, {}, b"x"),
        raw({"alg": "HS256", "typ": {"a": 1}}, {}, b"x"),
        raw({"alg": "HS256", "typ": "at+jwt", "crit": ["b64"]}, {}, b"x"),
        raw({"alg": "HS256", "typ": "at+jwt", "kid": 7}, {}, b"x"),
        raw({"alg": "HS256", "typ": "at+jwt"}, b"[" * 3000, b"x"),
        raw(b"[" * 1000, {}, b"x"),
        raw(b"\xff\xfe", b"\xff", b"x"),
    ],
    ids=range(17),
)
async def test_garbage_is_refused_and_breaks_nothing(api: Client, token: str) -> None:
    """401, never 500, wherever a token is read."""
    for path in ("/auth/me", "/bookings", "/bookings/K7QX2M", "/admin/metrics"):
        answer = await api.get(path, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x", "bearer"])
async def test_another_scheme_is_no_token(api: Client, header: str) -> None:
    """Whatever stands in `Authorization` instead."""
    answer = await api.get("/auth/me", headers={"Authorization": header})

    assert answer.status == 401


async def test_a_refresh_token_is_no_access_token(api: Client, traveller: Client) -> None:
    """And the other way round."""
    assert (await present(api, traveller.user["refresh_token"])).code == "invalid_token"
    assert traveller.token is not None
    swapped = await api.post("/auth/refresh", {"refresh_token": traveller.token[:100]})
    assert swapped.code == "invalid_token"


async def test_the_token_of_a_deleted_account_is_refused(api: Client, sql: Any) -> None:
    """A signature alone makes nobody a user."""
    gone = await api.signed_up()
    await sql("DELETE FROM users WHERE email = :email", email=gone.user["email"])

    assert (await gone.get("/auth/me")).code == "invalid_token"
