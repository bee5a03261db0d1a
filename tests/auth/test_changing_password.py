"""A new password for who is signed in."""

import asyncio
from collections import Counter

from tests.auth.support import NEW_PASSWORD, Mailbox, is_signed_in, log_in, signed_in
from tests.support.client import PASSWORD, Answer, Client


async def change(client: Client, current: str = PASSWORD, new: str = NEW_PASSWORD) -> Answer:
    return await client.post("/auth/password/change", {"current_password": current, "new_password": new})


async def test_the_other_sessions_end(mailbox: Mailbox, api: Client) -> None:
    """This one goes on, the old password is none any more, and the owner is told."""
    traveller = await api.signed_up()
    other = await signed_in(api, traveller.user["email"])

    assert (await change(traveller)).status == 204

    assert (await is_signed_in(traveller), await is_signed_in(other)) == (True, False)
    assert (await log_in(api, traveller.user["email"])).status == 401
    assert (await log_in(api, traveller.user["email"], NEW_PASSWORD)).status == 200
    assert "Your password has been changed" in await mailbox.subjects(traveller.user["email"])


async def test_links_that_were_mailed_before_are_void(mailbox: Mailbox, api: Client) -> None:
    """One of them may be what made the owner change it."""
    traveller = await api.signed_up()
    email = traveller.user["email"]
    await api.post("/auth/password/forgot", {"email": email})
    verifies, resets = [await mailbox.token(email, f"account/{page}") for page in ("verify", "reset")]

    await change(traveller)

    reset = await api.post("/auth/password/reset", {"token": resets, "new_password": "taken over by mail"})
    verified = await api.post("/auth/verify", {"token": verifies})
    assert (reset.code, verified.code) == ("link_not_valid", "link_not_valid")


async def test_without_the_current_password_nothing_changes(api: Client, traveller: Client) -> None:
    """A stolen session is not enough to keep it."""
    answer = await change(traveller, "not the password")

    assert (answer.status, answer.code) == (403, "not_confirmed")
    assert (await log_in(api, traveller.user["email"])).status == 200


async def test_a_thief_of_the_session_has_five_guesses(traveller: Client) -> None:
    """However many are made at once."""
    answers = await asyncio.gather(*(change(traveller, f"guess number {n}") for n in range(9)))

    assert Counter(answer.status for answer in answers) == {403: 5, 429: 4}
    assert (await change(traveller)).status == 429


async def test_the_new_one_is_judged_as_at_signup(traveller: Client) -> None:
    """With the person's own data in mind."""
    for weak in ("short", "password123", traveller.user["email"], "ada lovelace!"):
        answer = await change(traveller, new=weak)
        assert (answer.code, answer.body["errors"][0]["pointer"]) == ("weak_password", "/new_password")


async def test_who_is_not_signed_in_changes_nothing(api: Client) -> None:
    """They can ask for a link."""
    assert (await change(api)).status == 401
