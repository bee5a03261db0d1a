"""Another address for an account."""

import asyncio
import uuid
from collections import Counter
from typing import Any

from tests.auth.support import Mailbox, is_signed_in, log_in, signed_in, user_id
from tests.support.client import PASSWORD, Answer, Client

PAGE = "account/email"


def new_address() -> str:
    return f"{uuid.uuid4().hex}@example.com"


async def ask(client: Client, email: str, password: str = PASSWORD) -> Answer:
    return await client.post("/auth/email/change", {"new_email": email, "current_password": password})


async def test_the_new_address_has_to_answer_first(mailbox: Mailbox, api: Client, traveller: Client) -> None:
    """Then it is the account's, the old one is told, and one stays signed in where the link was followed."""
    old, new = traveller.user["email"], new_address()
    other = await signed_in(api, old)
    assert (await ask(traveller, new)).status == 202
    assert (await traveller.get("/auth/me")).body["email"] == old
    token = await mailbox.token(new, PAGE)

    assert (await traveller.post("/auth/email/confirm", {"token": token})).status == 204

    me = (await traveller.get("/auth/me")).body
    assert (me["email"], me["email_verified"]) == (new, True)
    assert (await is_signed_in(traveller), await is_signed_in(other)) == (True, False)
    assert (await log_in(api, old)).status == 401
    assert (await log_in(api, new)).status == 200
    assert (await mailbox.subjects(old))[1:] == ["Your account has another address now"]
    assert await mailbox.subjects(new) == ["Confirm your new address"]


async def test_who_follows_the_link_elsewhere_ends_all_sessions(
    mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """A device that is not signed in keeps none alive, nor does somebody else's session."""
    new = new_address()
    await ask(traveller, new)
    somebody = await api.signed_up()

    answer = await somebody.post("/auth/email/confirm", {"token": await mailbox.token(new, PAGE)})

    assert answer.status == 204
    assert (await is_signed_in(traveller), await is_signed_in(somebody)) == (False, True)
    assert (await somebody.get("/auth/me")).body["email"] == somebody.user["email"]


async def test_an_address_that_somebody_has_is_answered_alike(
    mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """And gets no mail."""
    taken = await api.signed_up()
    [told] = await mailbox.subjects(taken.user["email"])

    answers = [await ask(traveller, email) for email in (taken.user["email"], new_address())]

    assert len({(answer.status, answer.raw) for answer in answers}) == 1
    assert await mailbox.subjects(taken.user["email"]) == [told]


async def test_an_address_that_was_taken_meanwhile_stays_where_it_is(
    mailbox: Mailbox, api: Client, traveller: Client
) -> None:
    """Two asked for it, both follow their links at once, and one has it."""
    new, other = new_address(), await api.signed_up()
    tokens = []
    for client in (traveller, other):
        await ask(client, new)
        tokens.append(await mailbox.token(new, PAGE))

    answers = await asyncio.gather(*(api.post("/auth/email/confirm", {"token": token}) for token in tokens))

    assert Counter(answer.status for answer in answers) == {204: 1, 409: 1}
    assert {answer.code for answer in answers} == {None, "email_taken"}


async def test_without_the_password_nothing_is_mailed(mailbox: Mailbox, traveller: Client) -> None:
    """A stolen session cannot take the account away."""
    new = new_address()

    answer = await ask(traveller, new, "not the password")

    assert (answer.status, answer.code) == (403, "not_confirmed")
    assert await mailbox.mails(new) == []


async def test_five_addresses_a_day_are_asked(traveller: Client) -> None:
    """Or an account could mail to the whole world."""
    answers = [await ask(traveller, new_address()) for _ in range(6)]

    assert [answer.status for answer in answers] == [202] * 5 + [429]


async def test_the_link_lives_an_hour_and_once(
    mailbox: Mailbox, api: Client, traveller: Client, sql: Any
) -> None:
    """By the database's clock."""
    new = new_address()
    await ask(traveller, new)
    token = await mailbox.token(new, PAGE)
    [asked] = await sql(
        "SELECT expires_at - created_at AS lives FROM challenges WHERE user_id = :id AND purpose = 'change_email'",
        id=user_id(traveller),
    )
    assert asked["lives"].total_seconds() == 3600
    await api.post("/auth/email/confirm", {"token": token})

    assert (await api.post("/auth/email/confirm", {"token": token})).code == "link_not_valid"
