"""`/admin/rules`: reading, checking and publishing rules over HTTP."""

import json
from io import BytesIO
from typing import Any

import pytest

from app.rules import checks, service
from app.rules.kinds import Kind
from tests.rules.conftest import weights
from tests.support.client import Client


@pytest.fixture
async def path(kind: Kind[Any]) -> str:
    await service.load()
    return f"/admin/rules/{kind.name}"


async def test_an_administrator_publishes(admin: Client, path: str) -> None:
    """Who, when, why and what are kept."""
    answer = await admin.post(path, {"tables": weights(feather=3), "note": " Feathers got heavier. "})
    tables = (await admin.get(path)).body
    history = (await admin.get(path + "/history")).body["data"]

    assert answer.status == 201
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.body["version"], answer.body["published"]) == (2, True)
    assert answer.body["published_by"] == admin.user["email"]
    assert tables["tables"] == weights(feather=3)
    assert [(one["version"], one["published_by"], one["note"]) for one in history] == [
        (2, admin.user["email"], "Feathers got heavier."),
        (1, "packaged", "As packaged with the product."),
    ]
    assert history[0]["checksum"] == answer.body["checksum"] == tables["checksum"]


async def test_every_kind_is_listed_with_its_version_in_force(admin: Client, path: str) -> None:
    """Since when, and by whose hand."""
    await admin.post(path, {"tables": weights(feather=4), "note": "n"})
    found = {one["kind"]: one for one in (await admin.get("/admin/rules")).body["data"]}

    assert found[path.rpartition("/")[2]]["version"] == 2
    assert found["fares"]["published_at"].endswith("Z")


async def test_a_dry_run_publishes_nothing(admin: Client, path: str) -> None:
    """But says whether it could be."""
    good = await admin.post(path, {"tables": weights(feather=3), "note": "n", "dry_run": True})
    bad = await admin.post(path, {"tables": weights(feather="x"), "note": "n", "dry_run": True})

    assert (good.status, good.body["published"], good.body["version"]) == (201, False, 1)
    assert (bad.status, bad.code) == (422, "rules_refused")
    assert (await admin.get(path)).body["version"] == 1


async def test_the_same_again_is_no_new_version(admin: Client, path: str) -> None:
    """A repeated request is harmless."""
    first = await admin.post(path, {"tables": weights(feather=3), "note": "n"})
    second = await admin.post(path, {"tables": weights(feather=3), "note": "again"})

    assert (second.status, second.body["published"]) == (201, False)
    assert second.body["version"] == first.body["version"]


async def test_rules_that_changed_meanwhile_are_not_overwritten(admin: Client, path: str) -> None:
    """If one says which version was edited."""
    await admin.post(path, {"tables": weights(feather=3), "note": "n", "based_on": 1})
    late = await admin.post(path, {"tables": weights(feather=4), "note": "n", "based_on": 1})

    assert (late.status, late.code, late.body["version"]) == (409, "rules_changed", 2)


async def test_an_earlier_version_is_read(admin: Client, path: str) -> None:
    """By its number; one that never was is not found."""
    await admin.post(path, {"tables": weights(feather=3), "note": "n"})

    assert (await admin.get(path, version=1)).body["tables"] == weights(feather=1)
    assert (await admin.get(path, version=2)).body["tables"] == weights(feather=3)
    assert (await admin.get(path, version=3)).code == "rules_not_found"
    assert (await admin.get(path, version=0)).status == 422


async def test_the_history_is_paged(admin: Client, path: str) -> None:
    """Newest first, each version once."""
    for grams in range(2, 7):
        await admin.post(path, {"tables": weights(feather=grams), "note": "n"})
    versions, cursor = [], None
    while True:
        page = (await admin.get(path + "/history", limit=2, cursor=cursor)).body
        versions += [one["version"] for one in page["data"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert versions == [6, 5, 4, 3, 2, 1]
    assert (await admin.get(path + "/history", cursor="nonsense")).status == 422


@pytest.mark.parametrize(
    ("tables", "pointer", "code"),
    [
        ([], "/tables", "not_tables"),
        ("text", "/tables", "not_tables"),
        ({"weights": []}, "/tables/notes", "missing_table"),
        (weights() | {"a/b": []}, "/tables/a~1b", "unknown_table"),
        (weights() | {"weights": {}}, "/tables/weights", "not_rows"),
        (weights() | {"weights": ["feather"]}, "/tables/weights/0", "not_a_row"),
        (weights() | {"weights": [{"thing": "a"}]}, "/tables/weights/0/grams", "missing_cell"),
        (
            weights() | {"notes": [{"text": "a", "~/": "b"}]},
            "/tables/notes/0/~0~1",
            "unknown_column",
        ),
        (weights() | {"notes": [{"text": 5}]}, "/tables/notes/0/text", "not_text"),
        (weights() | {"notes": [{"text": None}]}, "/tables/notes/0/text", "not_text"),
        (weights() | {"notes": [{"text": "a\nb"}]}, "/tables/notes/0/text", "not_text"),
        (weights() | {"notes": [{"text": "x" * 201}]}, "/tables/notes/0/text", "not_text"),
        (weights(feather="heavy"), "/tables/weights/0/grams", "bad_number"),
    ],
)
async def test_each_fault_is_pointed_at(
    admin: Client, path: str, tables: Any, pointer: str, code: str
) -> None:
    """By a JSON pointer into what was sent; nothing is published."""
    answer = await admin.post(path, {"tables": tables, "note": "n"})

    assert (answer.status, answer.code) == (422, "rules_refused")
    assert [(one["pointer"], one["code"]) for one in answer.body["errors"]] == [(pointer, code)]
    assert (await admin.get(path)).body["version"] == 1


@pytest.mark.parametrize("note", ["", "   ", "x" * 501, "\x1b[2J"])
async def test_a_note_says_why(admin: Client, path: str, note: str) -> None:
    """Rules without a reason are not published."""
    answer = await admin.post(path, {"tables": weights(feather=3), "note": note})

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/note")


async def test_of_many_faults_the_first_are_listed(admin: Client, path: str) -> None:
    """And how many there are is said."""
    tables = weights(**{f"thing{number}": "x" for number in range(250)})
    answer = await admin.post(path, {"tables": tables, "note": "n"})

    assert len(answer.body["errors"]) == 100
    assert "The first 100 of 250" in answer.body["detail"]


async def test_a_table_has_only_so_many_rows(
    admin: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a request could keep a processor busy for long."""
    monkeypatch.setattr(checks, "MOST_ROWS", 3)
    answer = await admin.post(path, {"tables": weights(a=1, b=2, c=3, d=4), "note": "n"})

    assert answer.body["errors"][0]["code"] == "too_many_rows"


@pytest.mark.parametrize(
    "body",
    [{"note": "n"}, {"tables": {}}, {"tables": {}, "note": 5}, {"tables": {}, "note": "n", "x": 1}, []],
)
async def test_a_body_of_another_shape_is_refused(admin: Client, path: str, body: Any) -> None:
    """As everywhere."""
    answer = await admin.post(path, body)

    assert (answer.status, answer.code) == (422, "validation_error")


async def test_unknown_kinds_are_not_found(admin: Client) -> None:
    """Those that there are get named."""
    answers = [
        await admin.get("/admin/rules/weather"),
        await admin.get("/admin/rules/weather/history"),
        await admin.post("/admin/rules/weather", {"tables": {}, "note": "n"}),
        await admin.post("/admin/rules/weather", {"tables": {}, "note": "n", "dry_run": True}),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "rules_not_found")] * 4
    assert "fares" in answers[0].body["detail"]


async def test_only_administrators_read_and_publish(api: Client, traveller: Client, path: str) -> None:
    """Others learn nothing of the rules, not even whether a body is right."""
    for client, status in ((api, 401), (traveller, 403)):
        assert (await client.get("/admin/rules")).status == status
        assert (await client.get(path)).status == status
        assert (await client.get(path + "/history")).status == status
        assert (await client.post(path, {"tables": weights(), "note": "n"})).status == status


async def test_a_large_book_fits_and_a_larger_one_does_not(admin: Client) -> None:
    """Bodies of rules may be larger than others, up to 8 MiB."""

    async def sent(rows: int) -> Any:
        tables = {"book": [{"name": "n" * 150, "value": str(number)} for number in range(rows)]}
        body = json.dumps({"tables": tables, "note": "n", "dry_run": True}).encode()
        headers = {"Content-Type": "application/json"}
        return len(body), await admin.send("POST", "/admin/rules/fares", data=BytesIO(body), headers=headers)

    (size, fits), (_, large) = await sent(40_000), await sent(50_000)

    assert size > 7_000_000
    assert (fits.status, fits.code) == (422, "rules_refused")
    assert (large.status, large.code) == (413, "body_too_large")
