"""Rules in force, in memory; publishing them, and every version that there ever was."""

import asyncio
import hashlib
import uuid
from functools import partial
from typing import Any, TypeVar, cast

import orjson

from app.core import audit, cursors, db
from app.core.clock import rfc3339
from app.core.copies import Copy
from app.core.db import Row, Session
from app.rules import checks, repository
from app.rules.errors import RulesChanged, RulesNotFound
from app.rules.kinds import KINDS, Book, Kind, Tables, built_from_package

T = TypeVar("T")

PACKAGED = "packaged"
CONSOLE = "console"
_LAST_VERSION = 2**31 - 1

_copies: dict[str, Copy[Any]] = {}


def in_force(kind: Kind[T]) -> T:
    """What the rules in force were built into; before anything was loaded, the packaged ones."""
    copy = _copies.get(kind.name)
    built = copy.value if copy is not None and copy.is_read else built_from_package(kind.name)
    return cast("T", built)


def copies() -> list[Copy[Any]]:
    """One for each kind, to be kept fresh."""
    return [_copy(kind) for kind in KINDS.values()]


async def ready(kind: Kind[Any]) -> None:
    """Have the rules of a kind in memory as they are now; for tasks, which a process may run before anything else."""
    await _copy(kind).refresh()


async def ready_all() -> None:
    """`ready` for every kind."""
    for copy in copies():
        await copy.refresh()


async def load() -> None:
    """Read all rules into memory, after publishing the packaged ones where those in force are older packaged ones."""
    await publish_packaged()
    await ready_all()


async def publish_packaged() -> None:
    """Every kind has a version from then on, and one that no operator chose follows the product.

    Packaged tables are published once: while two releases run, the older one does not take the newer one's back.
    """
    for kind in KINDS.values():
        await _publish_packaged(kind)


async def every(session: Session) -> list[Row]:
    """The version in force of each kind."""
    known = {row["kind"]: row for row in await repository.about_newest(session)}
    return [about(known[name]) for name in sorted(KINDS) if name in known]


async def newest(session: Session, name: str) -> Row:
    """The version in force of one kind. Raises RulesNotFound."""
    kind = find(name)
    return about((await repository.newest(session, kind.name))[0])


async def read(session: Session, name: str, version: int | None = None) -> Row:
    """A version with its tables, by default the one in force. Raises RulesNotFound."""
    kind = find(name)
    row = await repository.one(session, kind.name, version)
    if row is None:
        raise RulesNotFound(f"There is no version {version} of the rules {kind.name}.")
    return about(row) | {"tables": _in_order(kind, row["tables"])}


async def history(session: Session, name: str, cursor: str | None, limit: int) -> Row:
    """Every version without its tables, newest first. Raises RulesNotFound."""
    kind = find(name)
    found = await repository.history(session, kind.name, cursors.decode(cursor, _LAST_VERSION), limit + 1)
    following = cursors.encode(found[limit - 1]["version"]) if len(found) > limit else None
    return {"data": [about(row) for row in found[:limit]], "next_cursor": following}


async def check(name: str, tables: Any, note: str) -> None:
    """Raises RulesNotFound, and RulesRefused with every fault."""
    kind = find(name)
    checks.note(note)
    # Beside the loop, which has requests to answer.
    await asyncio.to_thread(_built, kind, tables)


async def publish(
    session: Session, name: str, tables: Any, by: str, note: str, based_on: int | None = None
) -> tuple[Row, bool]:
    """The version that is in force then, and whether it is new: the tables in force make no other version.

    `by` is an account's id or `console`. With `based_on`, rules that somebody has published since that version are
    not overwritten. Raises RulesNotFound, RulesRefused, RulesChanged.
    """
    await check(name, tables, note)
    kind = find(name)
    await repository.lock(session, kind.name)
    newest = await repository.newest(session, kind.name)
    if newest and newest[0]["checksum"] == checksum(tables):
        return about(newest[0]), False
    version = newest[0]["version"] if newest else 0
    if based_on is not None and based_on != version:
        raise RulesChanged(f"Version {version} is in force, not {based_on}.", version=version)
    stored = await _add(session, kind, tables, version + 1, by, note)
    admin = None if by == CONSOLE else uuid.UUID(by)
    await audit.record(
        session,
        "rules.published",
        by="admin" if admin else "operator",
        actor=admin,
        subject=f"rules:{kind.name}",
        version=version + 1,
    )
    return stored, True


def find(name: str) -> Kind[Any]:
    """Raises RulesNotFound."""
    if name not in KINDS:
        raise RulesNotFound(f"There are rules about: {', '.join(sorted(KINDS))}.")
    return KINDS[name]


def about(row: Row) -> Row:
    return {
        "kind": row["kind"],
        "version": row["version"],
        "checksum": row["checksum"],
        "published_at": rfc3339(row["published_at"]),
        "published_by": row["published_by"],
        "note": row["note"],
    }


def checksum(tables: Tables) -> str:
    """The same for the same tables, in whatever order their columns are written."""
    return hashlib.sha256(orjson.dumps(tables, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _built(kind: Kind[Any], tables: Any) -> Any:
    checks.tables(kind, tables)
    return kind.build(Book(0, tables))


async def _publish_packaged(kind: Kind[Any]) -> None:
    packaged = kind.packaged().tables
    digest = checksum(packaged)
    async with db.transaction() as session:
        if await repository.was_published_by(session, kind.name, PACKAGED, digest):
            return
        await repository.lock(session, kind.name)
        newest = await repository.newest(session, kind.name)
        if newest and (newest[0]["published_by"] != PACKAGED or newest[0]["checksum"] == digest):
            return
        version = newest[0]["version"] + 1 if newest else 1
        await _add(session, kind, packaged, version, PACKAGED, "As packaged with the product.")


async def _add(session: Session, kind: Kind[Any], tables: Tables, version: int, by: str, note: str) -> Row:
    stored = await repository.add(
        session,
        {
            "kind": kind.name,
            "version": version,
            "tables": tables,
            "checksum": checksum(tables),
            "published_by": by,
            "note": note.strip(),
        },
    )
    if kind.name in _copies:
        db.after_commit(session, _copies[kind.name].refresh)
    return about(stored)


def _copy(kind: Kind[Any]) -> Copy[Any]:
    if kind.name not in _copies:
        stamp = partial(repository.newest_version, kind=kind.name)
        _copies[kind.name] = Copy(stamp, partial(repository.newest, kind=kind.name), partial(_build, kind))
    return _copies[kind.name]


def _build(kind: Kind[Any], found: list[Row]) -> Any:
    if not found:
        return built_from_package(kind.name)
    return kind.build(Book(found[0]["version"], found[0]["tables"]))


def _in_order(kind: Kind[Any], tables: Tables) -> Row:
    """Tables and columns as they are named, which the database does not remember; older ones may have others."""
    return {
        name: [
            {column: row[column] for column in (*kind.columns.get(name, ()), *row) if column in row}
            for row in tables[name]
        ]
        for name in (*kind.columns, *tables)
        if name in tables
    }
