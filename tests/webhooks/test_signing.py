"""Signatures are those of Standard Webhooks, to the byte."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.webhooks import signing
from tests.support.client import Client

_FIRST = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
_SECOND = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
_ID, _AT = "evt_01JD9Z3K7Q8M4N5P6R7S8T9V0W", 1767225600
_BODY = (
    '{"type":"booking.confirmed","timestamp":"2026-01-01T00:00:00.000000Z","sequence":3,'
    '"data":{"booking_id":"bkg_01JD9Z3K7Q8M4N5P6R7S8T9V0X","pnr":"K7QX2M",'
    '"total":{"amount":"412.50","currency":"EUR"},"lead_passenger":"Zoë Ångström"}}'
).encode()
_BY_FIRST = "v1,zMQplDcJhSjgsj+FcE21VFb6wQ05Fa4n4N1srZTahXk="
_BY_SECOND = "v1,zVJNaAdMG6h6xu74yDJLW7BiZW9owD5f4ECatFRAW0w="


@pytest.mark.parametrize(
    ("secrets", "message_id", "at", "body", "signature"),
    [
        ([_FIRST], _ID, _AT, _BODY, _BY_FIRST),
        ([_SECOND, _FIRST], _ID, _AT, _BODY, f"{_BY_SECOND} {_BY_FIRST}"),
        # The specification's own example.
        (
            ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ],
    ids=["one secret", "during a rotation", "the specification's"],
)
def test_known_signatures(secrets: list[str], message_id: str, at: int, body: bytes, signature: str) -> None:
    """Made by three programs that know nothing of ours."""
    keys = [signing.key_of(secret) for secret in secrets]

    assert signing.sign(keys, message_id, at, body) == signature


@given(
    body=st.text(st.characters(exclude_categories=["Cs"])),
    message_id=st.from_regex(r"evt_[0-9a-f]{32}", fullmatch=True),
    later=st.integers(-250, 250),
)
def test_the_specifications_library_verifies_what_is_signed(body: str, message_id: str, later: int) -> None:
    """And refuses it when a letter of the body, the id or the time is another."""
    secret, other = signing.new_secret(), signing.new_secret()
    at = int(datetime.now(UTC).timestamp()) + later
    encoded = f'"{body}"'.encode()
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signing.sign(
            [signing.key_of(other), signing.key_of(secret)], message_id, at, encoded
        ),
    }

    def verified(body: bytes = encoded, **changed: str) -> bool:
        sent = headers | {name.replace("_", "-"): one for name, one in changed.items()}
        try:
            Webhook(secret).verify(body, sent, json_parse=False)
        except WebhookVerificationError:
            return False
        return True

    assert verified()
    assert not verified(encoded + b" ")
    assert not verified(webhook_id=message_id + "0")
    assert not verified(webhook_timestamp=str(at + 1))


def test_secrets_are_new_and_long() -> None:
    """32 random bytes each."""
    secrets = {signing.new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert {len(signing.key_of(secret)) for secret in secrets} == {32}
    assert all(re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret) for secret in secrets)


@pytest.mark.parametrize("text", ["whsec_not base64!", "whsec_AAA"])
def test_what_is_no_secret_is_refused(text: str) -> None:
    """Rather than signing with whatever could be read of it."""
    with pytest.raises(ValueError, match="not a webhook secret"):
        signing.key_of(text)


async def test_the_test_vector_is_good_for_each_of_its_secrets(api: Client, monkeypatch: Any) -> None:
    """By the specification's library; the vector's age is what it would refuse."""
    vector = (await api.get("/webhooks/test-vector")).body

    for secret in vector["secrets"]:
        with pytest.raises(WebhookVerificationError, match="too old"):
            Webhook(secret).verify(vector["body"].encode(), vector["headers"])
        monkeypatch.setattr(
            Webhook, "_Webhook__verify_timestamp", lambda _, at: datetime.fromtimestamp(int(at), UTC)
        )
        assert (
            Webhook(secret).verify(vector["body"].encode(), vector["headers"])["id"]
            == vector["headers"]["webhook-id"]
        )
        assert vector["expected"]["signatures"][secret] in vector["headers"]["webhook-signature"]
        monkeypatch.undo()
