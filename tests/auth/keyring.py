"""API keys of a test's people."""

from typing import Any

from tests.support.client import PASSWORD, Answer, Client

ALL = ["bookings:write", "webhooks:write", "notifications:write"]


async def asked(user: Client, *scopes: str, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    body = {"name": "Nightly export", "scopes": list(scopes or ALL), "password": PASSWORD, **more}
    return await user.post("/auth/api-keys", body, headers)


async def made(user: Client, *scopes: str, **more: Any) -> Client:
    """A client that speaks with a new key; `user` is the key as its owner sees it."""
    answer = await asked(user, *scopes, **more)
    assert answer.status == 201, answer.body
    client = Client(user.session, user.base, answer.body["key"])
    client.user = answer.body
    return client
