"""What administrators do to accounts."""

import asyncio
import uuid
from typing import Any

import pytest
import pytest_asyncio

from app.auth import repository, sessions
from app.auth.errors import InvalidCredentials
from app.core import db
from tests.auth.keyring import made
from tests.auth.two import at, seconds_until
from tests.support.client import PASSWORD, Answer, Client


@pytest_asyncio.fixture
async def admin(api: Client, sql: Any) -> Client:
    return await administrator(api, sql)


async def administrator(api: Client, sql: Any) -> Client:
    client = await api.signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=client.user["id"])
    return client


async def change(admin: Client, user: Client, **changes: Any) -> Answer:
    return await admin.send("PATCH", f"/admin/users/{user.user['id']}", json=changes)


async def log_in(user: Client) -> Answer:
    return await user.post("/auth/login", {"email": user.user["email"], "password": PASSWORD})


async def noted(sql: Any, user: Client) -> list[tuple[str, str, Any]]:
    found = await sql(
        "SELECT action, actor_kind, actor FROM audit_log WHERE subject = 'user:' || :id AND action LIKE 'user.%'"
        " ORDER BY at",
        id=user.user["id"],
    )
    return [(row["action"], row["actor_kind"], str(row["actor"])) for row in found]


async def test_accounts_are_found_by_their_address(admin: Client, traveller: Client) -> None:
    """However it is written; and nothing is there that opens anything."""
    [found] = (await admin.get("/admin/users", email=traveller.user["email"].upper())).body["data"]
    read = await admin.get(f"/admin/users/{found['id']}")

    assert read.body == found
    assert found.keys() == traveller.user.keys() - {"refresh_token"} | {"suspended_at"}
    assert (found["id"], found["suspended_at"]) == (traveller.user["id"], None)
    assert (await admin.get("/admin/users", email="nobody-at-all@example.com")).body["data"] == []
    assert (await admin.get(f"/admin/users/{uuid.uuid4()}")).code == "user_not_found"


async def test_an_address_that_is_looked_for_need_not_be_in_the_requests(
    admin: Client, traveller: Client
) -> None:
    """Which proxies and browsers write down."""
    found = await admin.post("/admin/users/search", {"email": traveller.user["email"].upper()})
    nobody = await admin.post("/admin/users/search", {"email": "nobody-at-all@example.com"})

    assert [one["id"] for one in found.body["data"]] == [traveller.user["id"]]
    assert (found.body["next_cursor"], nobody.body) == (None, {"data": [], "next_cursor": None})
    assert (await traveller.post("/admin/users/search", {"email": "a@example.com"})).code == "admins_only"


async def test_accounts_come_in_pages(admin: Client, api: Client) -> None:
    """Newest first."""
    made = [(await api.signed_up()).user["id"] for _ in range(3)]
    first = (await admin.get("/admin/users", limit=2)).body
    second = (await admin.get("/admin/users", limit=2, cursor=first["next_cursor"])).body

    assert [one["id"] for one in first["data"] + second["data"]][:3] == made[::-1]


async def test_a_traveller_sees_and_changes_nobody(traveller: Client, api: Client) -> None:
    """Not even themselves."""
    assert (await traveller.get("/admin/users")).code == "admins_only"
    assert (await change(traveller, traveller, role="admin")).code == "admins_only"
    assert (await api.get("/admin/users")).code == "unauthorized"


async def test_a_role_is_given_and_taken(admin: Client, traveller: Client, sql: Any) -> None:
    """The user signs in anew as what they are then; who did it is noted."""
    answer = await change(admin, traveller, role="admin")

    assert (answer.status, answer.body["role"]) == (200, "admin")
    assert (await traveller.get("/admin/users")).code == "invalid_token"
    again = Client(traveller.session, traveller.base, (await log_in(traveller)).body["access_token"])
    assert (await again.get("/admin/users")).status == 200

    assert (await change(admin, traveller, role="user")).status == 200
    assert (await again.get("/bookings")).code == "invalid_token"
    assert await noted(sql, traveller) == [("user.role_changed", "admin", admin.user["id"])] * 2


async def test_what_is_as_it_was_ends_no_session(admin: Client, traveller: Client, sql: Any) -> None:
    """Nothing happened, so nothing is noted."""
    for changes in ({}, {"role": "user"}, {"suspended": False}, {"role": "user", "suspended": False}):
        assert (await change(admin, traveller, **changes)).status == 200

    assert (await traveller.get("/bookings")).status == 200
    assert await noted(sql, traveller) == []


async def test_a_suspended_account_is_closed(
    admin: Client, traveller: Client, second_api: str, sql: Any
) -> None:
    """Its sessions and keys end, in every process, and its password is answered like a wrong one."""
    key = await made(traveller)
    wrong = await traveller.post(
        "/auth/login", {"email": traveller.user["email"], "password": "not the password"}
    )

    answer = await change(admin, traveller, suspended=True)

    assert answer.body["suspended_at"] is not None
    assert (await traveller.get("/bookings")).code == "invalid_token"
    assert (await key.get("/bookings")).code == "invalid_token"
    for one in (traveller, key):
        there = at(second_api, one)
        assert await seconds_until("invalid_token", lambda there=there: there.post("/webhooks/test", {})) <= 1
    token = {"refresh_token": traveller.user["refresh_token"]}
    assert (await traveller.post("/auth/refresh", token)).code == "invalid_token"
    refused = await log_in(traveller)
    assert {**refused.body, "request_id": ""} == {**wrong.body, "request_id": ""}
    assert await noted(sql, traveller) == [("user.suspended", "admin", admin.user["id"])]


async def test_who_comes_back_signs_in_again(admin: Client, traveller: Client, sql: Any) -> None:
    """Sessions and keys of before stay ended."""
    key = await made(traveller)
    await change(admin, traveller, suspended=True)

    answer = await change(admin, traveller, suspended=False)

    assert answer.body["suspended_at"] is None
    assert (await log_in(traveller)).status == 200
    for one in (traveller, key):
        assert (await one.get("/bookings")).code == "invalid_token"
    assert [action for action, *_ in await noted(sql, traveller)] == ["user.suspended", "user.unsuspended"]


async def test_a_login_at_the_moment_of_a_suspension_opens_nothing(traveller: Client) -> None:
    """It waits for the suspension, or is ended by it."""
    user_id = uuid.UUID(traveller.user["id"])

    async def open_one() -> None:
        async with db.transaction() as session:
            user = await repository.user(session, user_id)
            assert user is not None
            await sessions.opened(session, user)

    async with db.transaction() as session:
        await repository.locked_accounts(session, [user_id])
        opening = asyncio.create_task(open_one())
        await asyncio.sleep(0.2)
        assert not opening.done()
        await repository.change_account(session, user_id, "user", True)

    with pytest.raises(InvalidCredentials):
        await opening


async def test_a_suspended_administrator_is_none(admin: Client, api: Client, sql: Any) -> None:
    """Whatever token they still have."""
    await sql("UPDATE users SET suspended_at = now() WHERE id = CAST(:id AS uuid)", id=admin.user["id"])

    assert (await admin.get("/admin/users")).code == "admins_only"


async def test_nobody_changes_themselves(admin: Client) -> None:
    """So nobody locks the last one out by a slip."""
    for changes in ({"role": "user"}, {"suspended": True}):
        answer = await change(admin, admin, **changes)
        assert (answer.status, answer.code) == (409, "own_account")


async def test_of_two_who_demote_each_other_one_remains(admin: Client, api: Client, sql: Any) -> None:
    """Whoever comes second is an administrator no more."""
    other = await administrator(api, sql)

    answers = await asyncio.gather(
        change(admin, other, role="user"), change(other, admin, role="user"), return_exceptions=False
    )

    assert sorted(answer.status for answer in answers)[0] == 200
    assert max(answer.status for answer in answers) in (401, 403)
    roles = await sql(
        "SELECT role FROM users WHERE id = ANY(CAST(:ids AS uuid[]))",
        ids=[uuid.UUID(one.user["id"]) for one in (admin, other)],
    )
    assert sorted(row["role"] for row in roles) == ["admin", "user"]


async def test_an_erased_account_is_nobody(admin: Client, traveller: Client, sql: Any) -> None:
    """It is not listed, and cannot be changed."""
    await sql(
        "UPDATE users SET email = 'erased-' || id || '@erased.invalid', full_name = '', password_hash = '',"
        " erased_at = now() WHERE id = CAST(:id AS uuid)",
        id=traveller.user["id"],
    )

    assert (await admin.get(f"/admin/users/{traveller.user['id']}")).code == "user_not_found"
    assert (await change(admin, traveller, suspended=True)).code == "user_not_found"


@pytest.mark.parametrize("body", [{"role": "owner"}, {"suspended": "yes"}, {"email": "x@example.com"}, []])
async def test_what_is_changed_is_checked(admin: Client, traveller: Client, body: Any) -> None:
    """Nothing else of somebody is an administrator's to change."""
    answer = await admin.send("PATCH", f"/admin/users/{traveller.user['id']}", json=body)

    assert answer.status == 422
