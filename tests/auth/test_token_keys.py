"""The keys that sign tokens are rotated without anybody being signed out."""

import json
from base64 import urlsafe_b64decode
from typing import Any

import jwt
import pytest

from app.auth import tokens
from app.auth.errors import InvalidToken
from app.bookings import guests
from app.core.config import settings
from tests.support.client import Client

OLD, NEW = "the-first-key-0123456789abcdef-xyz", "the-second-key-0123456789abcdef-xyz"
USER = "6f1c1a52-6f4e-4d0c-9a51-1b2c3d4e5f60"


def signed(monkeypatch: pytest.MonkeyPatch, secrets: str) -> str:
    monkeypatch.setattr(settings(), "jwt_secret", secrets)
    return tokens.sign(tokens.ACCESS, USER, 60, sid=USER)


def test_the_last_key_signs_and_all_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a new key is added at the end, and the old one taken out when its tokens have expired."""
    before = signed(monkeypatch, OLD)
    after = signed(monkeypatch, f"{OLD}, {NEW}")

    assert {str(tokens.read(token).user_id) for token in (before, after)} == {USER}
    jwt.decode(after, NEW, ["HS256"], audience="jetway-api")


def test_a_key_that_was_taken_out_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor do tokens that were found good while it counted, and not under the id of another key."""
    before = signed(monkeypatch, OLD)
    tokens.read(before)
    claims = jwt.decode(before, options={"verify_signature": False})
    renamed = jwt.encode(claims, OLD, "HS256", {"typ": "at+jwt", "kid": tokens.key_id(NEW)})
    signed(monkeypatch, NEW)

    for token in (before, renamed):
        with pytest.raises(InvalidToken):
            tokens.read(token)


def test_guests_tokens_are_signed_with_the_same_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """And survive a rotation as well."""
    monkeypatch.setattr(settings(), "jwt_secret", OLD)
    token = tokens.sign(guests._KIND, "K7QX2M", 60)
    monkeypatch.setattr(settings(), "jwt_secret", f"{OLD},{NEW}")

    guest = guests.guest(token)

    assert guest is not None
    assert guest.pnr == "K7QX2M"


def test_a_token_holds_ids_and_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No role and nobody's data; the id of its key tells nothing of the key."""
    header, claims, _ = signed(monkeypatch, OLD).split(".")
    decoded: list[dict[str, Any]] = [json.loads(urlsafe_b64decode(part + "==")) for part in (header, claims)]

    assert decoded[0].keys() == {"alg", "typ", "kid"}
    assert decoded[1].keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "nbf", "exp"}
    assert decoded[0]["kid"] not in OLD


async def test_a_rotation_signs_nobody_out(
    traveller: Client, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the old key signed works on, and whoever refreshes meanwhile has a token of the new one."""
    monkeypatch.setattr(settings(), "jwt_secret", f"{settings().jwt_secret},{NEW}")
    assert (await traveller.get("/auth/me")).status == 200
    refreshed = await api.post("/auth/refresh", {"refresh_token": traveller.user["refresh_token"]})

    monkeypatch.setattr(settings(), "jwt_secret", NEW)

    assert (await traveller.get("/auth/me")).code == "invalid_token"
    newer = Client(api.session, api.base, refreshed.body["access_token"])
    assert (await newer.get("/auth/me")).body["id"] == traveller.user["id"]
