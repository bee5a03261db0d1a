"""What somebody tries who wants to be another, or to stay for longer, or has the key of something else."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from time import time
from typing import Any

import pytest

from app.auth import tokens
from app.bookings import guests
from app.core.config import settings
from tests.support.client import Answer, Client

Row = dict[str, Any]


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def made(
    user: str,
    header: Row | None = None,
    claims: Row | None = None,
    secret: str | None = None,
    digest: str = "sha256",
) -> str:
    """A token just like ours, but for what an attacker changes; None takes a member out."""
    now = int(time())
    key = settings().jwt_secrets[-1]
    ours: Row = {"alg": "HS256", "typ": "at+jwt", "kid": tokens.key_id(key)}
    said: Row = {"iss": "jetway", "aud": "jetway-api", "sub": user, "sid": str(uuid.uuid4())}
    said |= {"jti": uuid.uuid4().hex, "iat": now, "nbf": now, "exp": now + 900}
    parts = [
        encoded(json.dumps({name: value for name, value in part.items() if value is not None}).encode())
        for part in (ours | (header or {}), said | (claims or {}))
    ]
    signature = hmac.digest((key if secret is None else secret).encode(), ".".join(parts).encode(), digest)
    return ".".join([*parts, encoded(signature)])


async def present(api: Client, token: str) -> Answer:
    return await api.get("/auth/me", headers={"Authorization": f"Bearer {token}"})


async def test_without_an_attack_such_a_token_is_good(api: Client, traveller: Client) -> None:
    """The negative control: what is changed below is what gets the tokens refused."""
    user = traveller.user["id"]

    assert (await present(api, made(user))).body["id"] == user
    # Clocks may be a few seconds apart, either way.
    now = int(time())
    for claims in ({"exp": now - 2}, {"nbf": now + 3}, {"iat": now + 3}):
        assert (await present(api, made(user, claims=claims))).status == 200, claims


HEADERS: dict[str, Row] = {
    "no algorithm": {"alg": "none"},
    "no algorithm, in capitals": {"alg": "NONE"},
    "no algorithm at all": {"alg": None},
    "a longer hash": {"alg": "HS512"},
    "a public key's algorithm": {"alg": "RS256"},
    "an elliptic curve": {"alg": "EdDSA"},
    "a list of algorithms": {"alg": ["HS256"]},
    "a key somewhere else": {"jku": "http://127.0.0.1:1/jwks.json"},
    "a certificate somewhere else": {"x5u": "http://127.0.0.1:1/cert.pem"},
    "a key of their own": {"jwk": {"kty": "oct", "k": "AAAA"}},
    "a certificate of their own": {"x5c": ["MIIB"]},
    "a critical member": {"crit": ["exp"], "exp": 1},
    "unencoded claims": {"b64": False, "crit": ["b64"]},
    "a path as the key": {"kid": "../../../../dev/null"},
    "SQL as the key": {"kid": "x' UNION SELECT 'secret' --"},
    "no key": {"kid": None},
    "an empty key": {"kid": ""},
    "a number as the key": {"kid": 0},
    "a list as the key": {"kid": ["a"]},
    "another type": {"typ": "JWT"},
    "no type": {"typ": None},
    "a guest's type": {"typ": "guest+jwt"},
    "a content type": {"cty": "JWT"},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_a_header_that_is_not_ours_is_refused(api: Client, traveller: Client, header: Row) -> None:
    """Even with our own signature: only what we write into headers is read."""
    answer = await present(api, made(traveller.user["id"], header))

    assert (answer.status, answer.code) == (401, "invalid_token")


NOW = int(time())
CLAIMS: dict[str, Row] = {
    **{f"without {name}": {name: None} for name in ("iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp")},
    "another issuer": {"iss": "https://accounts.example.com"},
    "another audience": {"aud": "jetway-guest"},
    "nobody": {"sub": ""},
    "a reference": {"sub": "K7QX2M"},
    "a number": {"sub": 1},
    "SQL as the session": {"sid": "' OR '1'='1"},
    "not yet": {"nbf": NOW + 3600},
    "from the future": {"iat": NOW + 3600},
    "an end in words": {"exp": "never"},
    "an end with digits": {"exp": str(NOW + 900)},
    "an end in infinity": {"exp": float("inf")},
    "an end that is true": {"exp": True},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS.keys())
async def test_claims_that_are_not_ours_are_refused(api: Client, traveller: Client, claims: Row) -> None:
    """Missing ones too."""
    answer = await present(api, made(traveller.user["id"], claims=claims))

    assert (answer.status, answer.code) == (401, "invalid_token")


async def test_a_role_in_a_token_is_nobodys_role(api: Client, traveller: Client) -> None:
    """What a token says beyond its claims is not looked at."""
    token = made(traveller.user["id"], claims={"role": "admin", "scope": "admin", "admin": True})
    answer = await api.get("/admin/jobs", headers={"Authorization": f"Bearer {token}"})

    assert (answer.status, answer.code) == (403, "admins_only")


async def test_an_expired_token_is_refused(api: Client, traveller: Client) -> None:
    """Six seconds after its end."""
    answer = await present(api, made(traveller.user["id"], claims={"exp": int(time()) - 6}))

    assert answer.code == "token_expired"


async def test_a_key_that_is_not_the_keys_is_none(api: Client, traveller: Client) -> None:
    """The secret of other things, none, and another hash of the right one."""
    user = traveller.user["id"]
    forged = [made(user, secret=secret) for secret in ("", "secret", settings().secret_keys[-1])]
    forged += [made(user, digest=digest) for digest in ("sha512", "sha1")]

    assert {(await present(api, token)).code for token in forged} == {"invalid_token"}


def _every_spelling(token: str) -> list[str]:
    """The same bytes, written otherwise: a signature's last character has four spellings for a careless reader."""
    head, _, signature = token.rpartition(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(signature[-1])
    others = [alphabet[last ^ bits] for bits in (1, 2, 3)]
    return [f"{head}.{signature[:-1]}{other}" for other in others] + [token + "=", token + "A", token[:-1]]


TAMPERED: dict[str, Callable[[str], list[str]]] = {
    "another spelling": _every_spelling,
    "no signature": lambda token: [token.rpartition(".")[0] + ".", token.rpartition(".")[0]],
    "a part too many": lambda token: [token + ".x", "." + token],
    "spaces": lambda token: [token.replace(".", ". ", 1), token.replace(".", ".%0a", 1)],
    "a changed claim": lambda token: [
        ".".join([token.split(".")[0], encoded(b'{"sub":"x"}'), token.split(".")[2]]),
        token[:60] + ("A" if token[60] != "A" else "B") + token[61:],
    ],
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED.keys())
async def test_a_token_that_was_touched_is_refused(
    api: Client, traveller: Client, tamper: Callable[[str], list[str]]
) -> None:
    """In every part, and in the bits that carry nothing."""
    assert traveller.token is not None

    for token in tamper(traveller.token):
        assert (await present(api, token)).code == "invalid_token", token


async def test_a_signature_goes_with_its_own_claims(api: Client, traveller: Client) -> None:
    """Two good tokens do not make a third."""
    other = await api.signed_up()
    mine, theirs = (traveller.token or "").split("."), (other.token or "").split(".")

    answer = await present(api, ".".join([mine[0], theirs[1], mine[2]]))

    assert answer.code == "invalid_token"


async def test_a_guests_token_is_no_access_token(api: Client) -> None:
    """Nor the other way round: an access token opens no booking of which it is not the owner's."""
    guest = tokens.sign(guests._KIND, "K7QX2M", 60)

    assert (await present(api, guest)).code == "invalid_token"
    assert (await api.get("/bookings", headers={"Authorization": f"Bearer {guest}"})).code == "invalid_token"
    assert guests.guest(tokens.issue(uuid.uuid4(), uuid.uuid4())) is None


async def test_other_signed_things_are_no_tokens(api: Client, traveller: Client) -> None:
    """A refresh token, the key for metrics, an offer's id."""
    things = [
        traveller.user["refresh_token"],
        settings().admin_metrics_token,
        "off_W1tbMTJd",
        hashlib.sha256().hexdigest(),
    ]

    assert {(await present(api, thing)).code for thing in things} == {"invalid_token"}


@pytest.mark.parametrize("name", ["access_token", "token", "api_key", "authorization", "jwt"])
async def test_a_token_in_the_address_is_not_read(api: Client, traveller: Client, name: str) -> None:
    """Addresses end up in logs."""
    answer = await api.get("/auth/me", **{name: traveller.token})

    assert (answer.status, answer.code) == (401, "unauthorized")


async def test_a_token_in_a_cookie_is_not_read(api: Client, traveller: Client) -> None:
    """A browser would send it for anybody's page."""
    cookies = "; ".join(f"{name}={traveller.token}" for name in ("access_token", "token", "session"))
    answer = await api.get("/auth/me", headers={"Cookie": cookies})

    assert (answer.status, answer.code) == (401, "unauthorized")
