"""Where somebody is signed in, and signing out there."""

import uuid
from typing import Any

from tests.support.client import PASSWORD, Client

PHONE = "Jetway/7.2 (iPhone; iOS 20.1)"


async def signed_in(user: Client, agent: str = PHONE) -> Client:
    """The same person somewhere else."""
    login = {"email": user.user["email"], "password": PASSWORD}
    answer = await user.send("POST", "/auth/login", json=login, headers={"User-Agent": agent})
    assert answer.status == 200, answer.body
    there = Client(user.session, user.base, answer.body["access_token"])
    there.user = {**answer.body["user"], "refresh_token": answer.body["refresh_token"]}
    return there


async def listed(user: Client, **query: Any) -> list[dict[str, Any]]:
    answer = await user.get("/auth/sessions", **query)
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    data: list[dict[str, Any]] = answer.body["data"]
    return data


async def delete(user: Client, path: str) -> tuple[int, str | None]:
    answer = await user.send("DELETE", path)
    return answer.status, answer.code


async def test_sessions_say_where_and_since_when(traveller: Client, api: Client) -> None:
    """Newest first; addresses lack their last part, and only one's own are there."""
    phone = await signed_in(traveller)
    await signed_in(await api.signed_up())

    newest, first = await listed(phone)

    assert newest.keys() == {
        "id", "created_at", "last_used_at", "expires_at", "user_agent", "network", "current"
    }  # fmt: skip
    assert (newest["user_agent"], newest["network"]) == (PHONE, "127.0.0.0/24")
    assert [one["current"] for one in (newest, first)] == [True, False]
    assert [one["current"] for one in await listed(traveller)] == [False, True]


async def test_a_session_that_was_refreshed_was_used(traveller: Client, sql: Any) -> None:
    """It is the same session, and lasts for longer."""
    user = uuid.UUID(traveller.user["id"])
    await sql(
        "WITH s AS (UPDATE sessions SET last_used_at = now() - interval '3 days' WHERE user_id = :user RETURNING id)"
        " UPDATE refresh_tokens SET expires_at = expires_at - interval '3 days' FROM s WHERE session_id = s.id",
        user=user,
    )
    [before] = await listed(traveller)
    await traveller.post("/auth/refresh", {"refresh_token": traveller.user["refresh_token"]})

    [after] = await listed(traveller)

    assert after["id"] == before["id"]
    assert after["last_used_at"] > before["last_used_at"]
    assert after["expires_at"] > before["expires_at"]


async def test_what_a_program_says_it_is_cannot_do_harm(traveller: Client, sql: Any) -> None:
    """It is cut, and what does not print is left out."""
    await signed_in(traveller, "Browser\u202e 1.0 " + "x" * 300)

    shown = (await listed(traveller))[0]["user_agent"]

    assert shown == ("Browser 1.0 " + "x" * 300)[:200]


async def test_signing_out_somewhere_else(traveller: Client, sql: Any) -> None:
    """There, and only there; twice is not there."""
    phone = await signed_in(traveller)
    there = (await listed(phone))[0]["id"]

    assert await delete(traveller, f"/auth/sessions/{there}") == (204, None)

    assert (await phone.get("/bookings")).code == "invalid_token"
    refreshed = await phone.post("/auth/refresh", {"refresh_token": phone.user["refresh_token"]})
    assert refreshed.code == "invalid_token"
    assert len(await listed(traveller)) == 1
    assert await delete(traveller, f"/auth/sessions/{there}") == (404, "session_not_found")
    [noted] = await sql(
        "SELECT data FROM audit_log WHERE action = 'session.revoked' AND actor = :id",
        id=uuid.UUID(traveller.user["id"]),
    )
    assert noted["data"] == {"session_id": there}


async def test_somebody_elses_session_is_not_there(traveller: Client, api: Client) -> None:
    """404, as for one that nobody has, and it goes on."""
    other = await api.signed_up()
    theirs = (await listed(other))[0]["id"]

    assert await delete(traveller, f"/auth/sessions/{theirs}") == (404, "session_not_found")
    assert await delete(traveller, f"/auth/sessions/{uuid.uuid4()}") == (404, "session_not_found")
    assert (await delete(traveller, "/auth/sessions/all"))[0] == 422
    assert len(await listed(other)) == 1


async def test_signing_out_everywhere_else(traveller: Client, api: Client) -> None:
    """One stays where one is, if one says so, and nobody else is signed out."""
    phone, other = await signed_in(traveller), await api.signed_up()

    assert await delete(traveller, "/auth/sessions?keep_current=true") == (204, None)

    assert (await phone.get("/bookings")).code == "invalid_token"
    assert (await traveller.get("/bookings")).status == 200
    assert (await other.get("/bookings")).status == 200


async def test_signing_out_everywhere(traveller: Client) -> None:
    """Here as well; the password opens a new session."""
    phone = await signed_in(traveller)

    assert await delete(traveller, "/auth/sessions") == (204, None)

    for one in (phone, traveller):
        assert (await one.get("/bookings")).code == "invalid_token"
    assert len(await listed(await signed_in(traveller))) == 1


async def test_sessions_that_have_ended_by_themselves_are_not_listed(traveller: Client, sql: Any) -> None:
    """Whose refresh token was not used for too long."""
    phone = await signed_in(traveller)
    await sql(
        "UPDATE refresh_tokens t SET expires_at = now() FROM sessions s WHERE s.id = session_id AND user_agent = :agent"
        " AND user_id = :user",
        agent=PHONE,
        user=uuid.UUID(traveller.user["id"]),
    )

    assert [one["current"] for one in await listed(phone)] == [False]


async def test_there_are_pages(traveller: Client) -> None:
    """One after the other, each session once; a cursor that we did not make is refused."""
    for _ in range(4):
        await signed_in(traveller)
    whole, found, cursor = [one["id"] for one in await listed(traveller)], list[str](), None
    for size in (2, 2, 1):
        page = (await traveller.get("/auth/sessions", limit=2, cursor=cursor)).body
        assert len(page["data"]) == size
        found, cursor = found + [one["id"] for one in page["data"]], page["next_cursor"]

    assert (found, cursor) == (whole, None)
    assert (await traveller.get("/auth/sessions", cursor="x")).status == 422
