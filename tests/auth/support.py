"""People who read their mail, have an authenticator, and are somewhere."""

import uuid
from base64 import b32decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from app import subscribers
from app.core import clock
from app.notifications import service
from tests.support.client import PASSWORD, Answer, Client, Sandbox

NEW_PASSWORD = "an aisle seat this time"


class Mailbox:
    """What the product mails."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def mails(self, email: str) -> list[dict[str, Any]]:
        """What has come to an address until now, oldest first."""
        await subscribers.relay()
        await service.send_due()
        listed = (await self.sandbox.control("GET", f"/mail?to={email}"))["mails"]
        return [await self.sandbox.control("GET", f"/mail/{mail['id']}") for mail in reversed(listed)]

    async def subjects(self, email: str) -> list[str]:
        return [mail["subject"] for mail in await self.mails(email)]

    async def token(self, email: str, page: str) -> str:
        """The token of the last link to one of the front end's pages, such as `account/reset`."""
        links = [
            word
            for mail in await self.mails(email)
            for word in mail["text"].split()
            if urlsplit(word).path == f"/{page}"
        ]
        return urlsplit(links[-1]).fragment.removeprefix("token=")

    async def code(self, email: str) -> str:
        """The code of the last mail that had one."""
        found = [
            word
            for mail in await self.mails(email)
            for word in mail["text"].split()
            if word.isdigit() and len(word) == 8
        ]
        return found[-1]


@asynccontextmanager
async def coming_from(api: Client, address: str) -> AsyncIterator[Client]:
    """Nobody in particular, at another address of this machine."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield Client(session, api.base)


async def log_in(api: Client, email: str, password: str = PASSWORD, **more: Any) -> Answer:
    return await api.post("/auth/login", {"email": email, "password": password, **more})


async def signed_in(api: Client, email: str, password: str = PASSWORD, **more: Any) -> Client:
    answer = await log_in(api, email, password, **more)
    assert answer.status == 200, answer.body
    client = Client(api.session, api.base, answer.body["access_token"])
    client.user = {**answer.body["user"], "refresh_token": answer.body["refresh_token"]}
    return client


async def is_signed_in(client: Client) -> bool:
    """Whether the session goes on."""
    answer = await client.post("/auth/refresh", {"refresh_token": client.user["refresh_token"]})
    if answer.status == 200:
        client.user["refresh_token"] = answer.body["refresh_token"]
    return answer.status == 200


def code_of(secret: str, steps: int = 0) -> str:
    """What an authenticator shows, so many half minutes from now."""
    at = int(clock.now().timestamp()) + 30 * steps
    return TOTP(b32decode(secret), 6, SHA1(), 30).generate(at).decode()


class Enrolled:
    """Somebody with a second factor; `client` is the session that switched it on."""

    def __init__(self, client: Client, secret: str, recovery_codes: list[str]) -> None:
        self.client, self.secret, self.recovery_codes = client, secret, recovery_codes
        self.email: str = client.user["email"]

    def code(self, steps: int = 1) -> str:
        """One that has not been used: that of now was, when it was switched on."""
        return code_of(self.secret, steps)


async def enrolled(client: Client) -> Enrolled:
    begun = await client.post("/auth/totp", {"password": PASSWORD})
    assert begun.status == 200, begun.body
    secret = begun.body["secret"]
    done = await client.post("/auth/totp/confirm", {"code": code_of(secret)})
    assert done.status == 200, done.body
    return Enrolled(client, secret, done.body["recovery_codes"])


def user_id(client: Client) -> uuid.UUID:
    return uuid.UUID(client.user["id"])
