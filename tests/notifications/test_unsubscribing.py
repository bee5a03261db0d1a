"""Whoever has an alert's mail can have no more of them, without signing in."""

import pytest

from app.core.config import settings
from tests.notifications.people import People, Person


async def link(people: People, person: Person) -> tuple[str, str]:
    """An alert's mail to somebody: the path of its link, and all that it says."""
    flight = await people.flight()
    await people.follow(person, flight)
    await people.wants(person, flight_alerts={"email": True})
    await people.delayed(flight, 45)
    await people.told()
    [mail] = await people.mails(person)
    headers = dict(mail["headers"])
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = headers["List-Unsubscribe"].strip("<>").replace(" ", "")
    assert url.startswith(f"{settings().public_url}/notifications/unsubscribe?token=")
    assert url in mail["text"]
    return url.removeprefix(settings().public_url), mail["html"]


async def wants_mail(person: Person) -> bool:
    answer = await person.client.get("/notifications/preferences")
    wants: bool = answer.body["flight_alerts"]["email"]
    return wants


async def test_one_click_is_enough(people: People) -> None:
    """In the reader's own program, which posts; following the link only asks, in the account's language."""
    ada = await people.nobody()
    await people.wants(ada, locale="fr")
    path, html = await link(people, ada)
    assert "Ne plus recevoir" in html

    page = await people.api.get(path)
    assert (page.status, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert b'<form method="post">' in page.raw
    assert await wants_mail(ada)

    for _ in range(2):
        answer = await people.api.send("POST", path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status == 200
        assert "réactiver" in answer.raw.decode()
    assert not await wants_mail(ada)


@pytest.mark.parametrize("token", ["", "x", "IjAwMDAi.c2lnbmVk"])
async def test_a_link_that_is_not_ours_does_nothing(people: People, token: str) -> None:
    """However it looks."""
    path = f"/notifications/unsubscribe?token={token}"

    assert (await people.api.get(path)).code == "unsubscribe_link_invalid"
    assert (await people.api.send("POST", path)).code == "unsubscribe_link_invalid"


async def test_a_booking_s_mail_has_no_such_link(people: People) -> None:
    """It cannot be switched off."""
    await people.book(await people.nobody(), await people.bookable())
    await people.told()

    [line] = (await people.sandbox.control("GET", "/mail"))["mails"]
    mail = await people.sandbox.control("GET", f"/mail/{line['id']}")

    assert "List-Unsubscribe" not in dict(mail["headers"])
    assert "unsubscribe" not in mail["text"] + mail["html"]
