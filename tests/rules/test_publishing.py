"""Publishing rules: versions, and what is in force."""

import asyncio
from typing import Any

import pytest

from app.core import copies, db
from app.rules import service
from app.rules.errors import RulesChanged, RulesRefused
from app.rules.kinds import Kind, built_from_package
from tests.rules.conftest import weights
from tests.support.client import Client


async def publish(kind: Kind[Any], tables: Any, by: str = "console", **more: Any) -> tuple[Any, bool]:
    async with db.transaction() as session:
        return await service.publish(session, kind.name, tables, by, "because", **more)


def in_force(kind: Kind[Any]) -> tuple[int, dict[str, int]]:
    found = service.in_force(kind)
    return found["version"], found["weights"]


async def test_the_packaged_rules_are_the_first_version(kind: Kind[Any]) -> None:
    """And serve before anything was read, for whatever runs without a database."""
    assert in_force(kind) == (0, {"feather": 1})
    await service.load()

    assert in_force(kind) == (1, {"feather": 1})


async def test_what_is_published_is_in_force_at_once_where_it_was_published(kind: Kind[Any]) -> None:
    """And numbered after what was before."""
    await service.load()
    stored, is_new = await publish(kind, weights(feather=2))

    assert (is_new, stored["version"], stored["published_by"], stored["note"]) == (
        True,
        2,
        "console",
        "because",
    )
    assert in_force(kind) == (2, {"feather": 2})


async def test_the_tables_in_force_make_no_other_version(kind: Kind[Any]) -> None:
    """So that who sends twice, because an answer was lost, has published once."""
    await service.load()
    first, was_new = await publish(kind, weights(feather=2))
    swapped = {"notes": [], "weights": [{"grams": "2", "thing": "feather"}]}
    second, is_new = await publish(kind, swapped)

    assert (was_new, is_new) == (True, False)
    assert second == first


async def test_an_earlier_version_is_published_again(kind: Kind[Any]) -> None:
    """Rolling back is a new version, so nothing of what was in force is lost."""
    await service.load()
    await publish(kind, weights(feather=900))
    async with db.transaction() as session:
        earlier = await service.read(session, kind.name, 1)
    stored, is_new = await publish(kind, earlier["tables"])

    assert (is_new, stored["version"], stored["checksum"]) == (True, 3, earlier["checksum"])
    assert in_force(kind) == (3, {"feather": 1})


async def test_what_makes_no_sense_is_not_published(kind: Kind[Any]) -> None:
    """Every fault is named, and what was in force stays."""
    await service.load()
    with pytest.raises(RulesRefused) as refused:
        await publish(kind, weights(feather=2, lead="much", gold="more"))

    pointers = [fault["pointer"] for fault in refused.value.errors or []]
    assert pointers == ["/tables/weights/1/grams", "/tables/weights/2/grams"]
    assert in_force(kind) == (1, {"feather": 1})


async def test_publishers_at_the_same_time_get_consecutive_versions(kind: Kind[Any]) -> None:
    """They wait for each other; the last one is in force."""
    await service.load()
    done = await asyncio.gather(*(publish(kind, weights(feather=number)) for number in range(10, 18)))

    assert sorted(stored["version"] for stored, _ in done) == list(range(2, 10))
    async with db.transaction() as session:
        last = await service.read(session, kind.name)
    assert last["version"] == 9
    await service._copy(kind).refresh()
    assert in_force(kind) == (9, {"feather": int(last["tables"]["weights"][0]["grams"])})


async def test_who_edited_an_older_version_is_told(kind: Kind[Any]) -> None:
    """So that nobody undoes unknowingly what somebody else has published meanwhile."""
    await service.load()
    await publish(kind, weights(feather=2), based_on=1)
    with pytest.raises(RulesChanged) as refused:
        await publish(kind, weights(feather=3), based_on=1)

    assert refused.value.members == {"version": 2}
    assert in_force(kind) == (2, {"feather": 2})


async def test_a_new_release_brings_its_own_rules(kind: Kind[Any]) -> None:
    """As long as no operator has chosen others; and once, so that an older process does not take them back."""
    await service.load()
    older = (kind.folder / "weights.csv").read_text()
    newer = "thing,grams\nfeather,5\n"
    (kind.folder / "weights.csv").write_text(newer)
    await service.load()
    after_release = in_force(kind)
    (kind.folder / "weights.csv").write_text(older)
    await service.load()
    after_older = in_force(kind)
    await publish(kind, weights(feather=7))
    (kind.folder / "weights.csv").write_text("thing,grams\nfeather,6\n")
    await service.load()

    assert after_release == after_older == (2, {"feather": 5})
    assert in_force(kind) == (3, {"feather": 7})


async def test_a_running_process_learns_of_a_version_that_another_published(
    kind: Kind[Any], sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the next look, which comes every few seconds; nothing is restarted."""
    monkeypatch.setattr(copies, "_SECONDS_BETWEEN_LOOKS", 0.01)
    await service.load()
    async with copies.kept_fresh(*service.copies()):
        await sql(
            """
            INSERT INTO rule_books (kind, version, tables, checksum, published_by, note)
            VALUES (:kind, 2, '{"weights": [{"thing": "lead", "grams": "9"}], "notes": []}', 'x', 'console', 'n')
            """,
            kind=kind.name,
        )
        async with asyncio.timeout(10):
            while in_force(kind)[0] == 1:  # noqa: ASYNC110  A copy tells nobody that it was read.
                await asyncio.sleep(0.01)

    assert in_force(kind) == (2, {"lead": 9})


async def test_a_version_that_a_process_cannot_use_leaves_the_one_it_has(kind: Kind[Any], sql: Any) -> None:
    """A newer release may have published it, with tables that this one does not know."""
    await service.load()
    await sql(
        """
        INSERT INTO rule_books (kind, version, tables, checksum, published_by, note)
        VALUES (:kind, 2, '{"weights": [{"thing": "lead", "grams": "?"}]}', 'x', 'console', 'n')
        """,
        kind=kind.name,
    )
    with pytest.raises(RulesRefused):
        await service._copy(kind).refresh()

    assert in_force(kind) == (1, {"feather": 1})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rule_books SET note = 'another' WHERE kind = :kind",
        "DELETE FROM rule_books WHERE kind = :kind",
        "TRUNCATE rule_books",
    ],
)
async def test_what_was_published_is_never_changed(kind: Kind[Any], sql: Any, statement: str) -> None:
    """The database refuses it, to whomever."""
    await service.load()
    parameters = {"kind": kind.name} if ":kind" in statement else {}
    with pytest.raises(Exception, match="rows of rule_books are only ever added"):
        await sql(statement, **parameters)

    assert await sql("SELECT note FROM rule_books WHERE kind = :kind", kind=kind.name) == [
        {"note": "As packaged with the product."}
    ]


async def test_the_packaged_rules_are_built_once(kind: Kind[Any]) -> None:
    """They are asked for by every search of a process that has read no others."""
    assert built_from_package(kind.name) is built_from_package(kind.name)


async def test_rules_of_everything_are_in_force(api: Client) -> None:
    """Of the product's own kinds, as a running API has read them."""
    async with db.transaction() as session:
        found = {one["kind"]: one for one in await service.every(session)}

    assert {"fares", "connections"} <= set(found)
    assert all(one["version"] >= 1 for one in found.values())
