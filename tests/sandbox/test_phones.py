"""The push service: who may send, what it takes, what it refuses, and what phones show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from sandbox.phones.account import GRANT, SCOPE, Account
from sandbox.phones.service import FAILURES
from sandbox.server import Sandbox
from tests.sandbox.conftest import NOON, Client, Reply

MESSAGE = {"token": "phone", "notification": {"title": "Late", "body": "By 20 minutes"}}


def assertion(served: Sandbox, client: Client, **changes: Any) -> str:
    account = served.fcm.account.described(f"{client.base}/token")
    now = int(NOON.timestamp())
    claims = {
        "iss": account["client_email"],
        "scope": SCOPE,
        "aud": account["token_uri"],
        "iat": now,
        "exp": now + 3600,
    }
    return jwt.encode({**claims, **changes}, account["private_key"], "RS256")


async def granted(client: Client, signed: str) -> Reply:
    return await client.send("POST", "/token", data={"grant_type": GRANT, "assertion": signed})


@pytest.fixture
async def access(served: Sandbox, client: Client) -> str:
    answer = await granted(client, assertion(served, client))
    assert answer.status == 200, answer.body
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 3599)
    token: str = answer.json["access_token"]
    return token


async def sent(client: Client, access: str, **changes: Any) -> Reply:
    headers = {"Authorization": f"Bearer {access}"}
    body = {"message": {**MESSAGE, **changes}}
    return await client.send("POST", "/v1/projects/sandbox/messages:send", json=body, headers=headers)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant"),
        ({"iss": "somebody@example.com"}, "invalid_grant"),
        ({"exp": int(NOON.timestamp()) - 1}, "invalid_grant"),
        ({"exp": int(NOON.timestamp()) + 7200}, "invalid_grant"),
        ({"iat": int(NOON.timestamp()) + 3000}, "invalid_grant"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope"),
    ],
)
async def test_only_the_account_s_own_word_opens(
    served: Sandbox, client: Client, changes: dict[str, Any], error: str
) -> None:
    """For an hour, for this service, and for nothing else."""
    answer = await granted(client, assertion(served, client, **changes))

    assert (answer.status, answer.json["error"]) == (400, error)


async def test_a_message_is_shown_until_a_newer_one_takes_its_place(client: Client, access: str) -> None:
    """By its tag; everything that came is still told."""
    for minutes in (20, 35):
        text = {"title": "Late", "body": f"By {minutes} minutes"}
        answer = await sent(
            client, access, notification=text, android={"notification": {"tag": "a"}, "ttl": "3.5s"}
        )
        assert answer.json["name"].startswith("projects/sandbox/messages/")
    await sent(client, access, notification={"title": "<i>Gate</i>", "body": "B2"})
    await sent(client, access, token="another")

    [phone] = (await client.control("GET", "/phones?token=phone"))["phones"]
    assert [one["body"] for one in phone["screen"]] == ["B2", "By 35 minutes"]
    assert [one["body"] for one in phone["received"]] == ["B2", "By 35 minutes", "By 20 minutes"]
    page = (await client.send("GET", "/_sandbox/screens")).body.decode()
    assert "By 35 minutes" in page
    assert "By 20 minutes&lt;" not in page
    assert "&lt;i&gt;Gate" in page
    assert len((await client.control("GET", "/phones"))["phones"]) == 2
    assert (await client.control("DELETE", "/phones"))["phones"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": ""},
        {"topik": "x"},
        {"data": {"minutes": 20}},
        {"data": {"text": "x" * 4096}},
        {"android": {"ttl": "PT1H"}},
        {"apns": {"headers": {"apns-collapse-id": "x" * 65}}},
    ],
)
async def test_what_the_vendor_would_not_take_is_not_taken(
    client: Client, access: str, wrong: dict[str, Any]
) -> None:
    """With the field that is wrong, in the vendor's shape."""
    answer = await sent(client, access, **wrong)

    error = answer.json["error"]
    assert (answer.status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert error["details"][0]["fieldViolations"][0]["field"].startswith("message")
    assert (await client.control("GET", "/phones"))["phones"] == []


async def test_nobody_sends_without_a_token_that_is_good(client: Client, access: str) -> None:
    """It is for an hour of the sandbox's clock."""
    assert (await sent(client, "ya29.nonsense")).status == 401
    await client.control("POST", "/clock", {"advance_seconds": 3600})

    answer = await sent(client, access)

    assert (answer.status, answer.json["error"]["status"]) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("push_unregistered", 404, "UNREGISTERED"),
        ("push_not_a_token", 400, "INVALID_ARGUMENT"),
        ("push_another_project", 403, "SENDER_ID_MISMATCH"),
        ("push_quota", 429, "QUOTA_EXCEEDED"),
        ("push_unavailable", 503, "UNAVAILABLE"),
    ],
)
async def test_one_phone_fails_alone(client: Client, access: str, fault: str, status: int, code: str) -> None:
    """As the vendor says it; others are served."""
    await client.control("POST", "/faults", {"fault": fault, "path": "/fcm/phone"})

    answer = await sent(client, access)

    assert (answer.status, answer.json["error"]["details"][0]["errorCode"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status in (429, 503))
    assert (await sent(client, access, token="another")).status == 200


async def test_every_fault_is_in_the_guide(client: Client) -> None:
    """With what it does."""
    assert (await client.control("GET", ""))["faults"].items() >= FAILURES.items()


def test_the_key_is_kept_in_a_file_that_nobody_else_reads(tmp_path: Path) -> None:
    """A sandbox that is started again takes what was signed with it before."""
    file = tmp_path / "keys" / "account.json"
    Account().keep_in(file, "http://127.0.0.1:1/token")
    account = json.loads(file.read_text())
    again = Account()
    again.keep_in(file, "http://127.0.0.1:1/token")

    now = int(NOON.timestamp())
    claims = {"iss": account["client_email"], "scope": SCOPE, "aud": "here", "iat": now, "exp": now + 60}
    signed = jwt.encode(claims, account["private_key"], "RS256")

    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text()) == account
    assert again.granted({"grant_type": GRANT, "assertion": signed}, "here", NOON)
