"""Phones that pushes go to: each is one account's, and its token is for nobody's eyes."""

import asyncio
import json
from typing import Any

import pytest

from app import cli
from app.core import crypto
from app.core.config import Settings
from app.notifications import devices
from tests.notifications.people import People, Person


async def listed(person: Person) -> list[dict[str, Any]]:
    answer = await person.client.get("/devices")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    found: list[dict[str, Any]] = answer.body["data"]
    return found


async def test_a_phone_is_registered_once(people: People) -> None:
    """An app says so at each start; what has changed since is changed."""
    ada = await people.nobody()
    first = await people.register(ada, "token", time_zone="Europe/Oslo", name=" Ada's phone ")
    again = await people.register(ada, "token", platform="ios", locale="pt-BR")

    assert (first.status, again.status) == (201, 200)
    assert first.body["id"] == again.body["id"]
    assert (first.body["name"], first.body["time_zone"]) == ("Ada's phone", "Europe/Oslo")
    [phone] = await listed(ada)
    assert phone == again.body
    assert (phone["platform"], phone["locale"], phone["time_zone"]) == ("ios", "pt-BR", None)
    assert phone.keys() == {"id", "platform", "name", "locale", "time_zone", "created_at", "last_seen_at"}


async def test_a_phone_that_changes_hands_leaves_its_former_owner(people: People) -> None:
    """With all that still waits to be shown to them; whoever signs in there last has it."""
    ada, bob, flight = await people.somebody(), await people.nobody(), await people.flight()
    await people.follow(ada, flight)
    await people.delayed(flight, 45)
    await people.relayed()

    assert (await people.register(bob, ada.token)).status == 201
    await people.told()

    assert (await listed(ada), len(await listed(bob))) == ([], 1)
    assert await people.received(ada) == []


async def test_a_phone_that_two_register_at_once_is_one_account_s(people: People) -> None:
    """Neither is refused."""
    persons = [await people.nobody() for _ in range(4)]

    answers = await asyncio.gather(*(people.register(person, "one-token") for person in persons))

    assert {answer.status for answer in answers} == {201}
    assert sum([len(await listed(person)) for person in persons]) == 1


async def test_a_phone_is_removed_by_its_owner(people: People) -> None:
    """By nobody else, and once."""
    ada, bob = await people.somebody(), await people.nobody()
    [phone] = await listed(ada)

    async def removed(person: Person, device_id: str) -> tuple[int, str | None]:
        answer = await person.client.send("DELETE", f"/devices/{device_id}")
        return answer.status, answer.code

    unknown = (404, "device_not_found")
    assert await removed(bob, phone["id"]) == unknown
    assert await removed(ada, "dev_nonsense") == unknown
    assert await removed(ada, phone["id"]) == (204, None)
    assert await removed(ada, phone["id"]) == unknown
    assert await listed(ada) == []


async def test_an_account_has_so_many_phones(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted one by one; those it has can still be renewed, and each that is removed makes room."""
    monkeypatch.setattr(devices, "MOST", 2)
    ada = await people.nobody()

    answers = await asyncio.gather(*(people.register(ada, f"phone-{n}") for n in range(4)))

    assert sorted(answer.code or "" for answer in answers) == ["", "", "too_many_devices", "too_many_devices"]
    kept = [n for n, answer in enumerate(answers) if answer.status == 201]
    assert (await people.register(ada, f"phone-{kept[0]}")).status == 200
    await ada.client.send("DELETE", f"/devices/{answers[kept[0]].body['id']}")
    assert (await people.register(ada, "phone-9")).status == 201


async def test_what_is_no_phone_is_refused(people: People) -> None:
    """With the field that is wrong, and without what was in it."""
    ada = await people.nobody()
    for field, value in (
        *(("token", token) for token in ("", "with blanks", "x" * 4097, "é")),
        ("platform", "windows"),
        *(("time_zone", zone) for zone in ("Mars/Olympus", "../../etc/passwd")),
        ("locale", "english please"),
        ("name", "two\nlines"),
        ("owner", "me"),
    ):
        answer = await ada.client.post("/devices", {"token": "token", "platform": "web", field: value})
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, f"/{field}")
        assert len(value) < 3 or value not in answer.body["errors"][0]["message"]


async def test_who_is_not_signed_in_has_no_phones(people: People) -> None:
    """Nor preferences."""
    for method, path in (("GET", "/devices"), ("POST", "/devices"), ("GET", "/notifications/preferences")):
        body = {"token": "token", "platform": "web"} if method == "POST" else None
        assert (await people.api.send(method, path, json=body)).code == "unauthorized"


async def test_a_token_is_kept_sealed_and_keys_are_rotated(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It works as before, and what the database has says nothing of it."""
    ada, flight = await people.somebody(), await people.flight()
    await people.follow(ada, flight)
    [before] = await people.sql("SELECT * FROM devices WHERE user_id = :id", id=ada.client.user["id"])
    assert ada.token not in json.dumps(before, default=str)
    former = crypto.settings().secret_keys[-1]

    def use(*keys: str) -> None:
        chosen = Settings(_env_file=None, encryption_key=",".join(keys))  # type: ignore[call-arg]
        monkeypatch.setattr(crypto, "settings", lambda: chosen)

    try:
        use(former, "n" * 40)
        await cli._rotate_encryption()
        [after] = await people.sql("SELECT * FROM devices WHERE id = :id", id=before["id"])
        assert after["token"].startswith(crypto.newest())
        use("n" * 40)
        await people.delayed(flight, 45)
        await people.told()
        assert len(await people.received(ada)) == 1
    finally:
        use("n" * 40, former)
        await cli._rotate_encryption()
