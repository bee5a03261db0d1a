"""`python -m app rules`: for operators at a console."""

import argparse
import sys
from pathlib import Path

from app.core import db
from app.core.errors import AppError
from app.core.logging import logger
from app.rules import folders, service
from app.rules.errors import RulesRefused
from app.rules.folders import UnreadableRules

# Exit codes.
_REFUSED, _UNREADABLE, _STOPPED = 1, 2, 3

log = logger("jetway.rules")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="which version of each kind is in force")
    export = actions.add_parser("export", help="write the tables as CSV files into a folder")
    export.add_argument("kind", metavar="KIND")
    export.add_argument("folder", type=Path, metavar="DIR")
    export.add_argument("--version", type=int, help="an earlier version; left out, the one in force")
    publish = actions.add_parser("publish", help="put tables in force")
    publish.add_argument("kind", metavar="KIND")
    publish.add_argument("source", type=Path, metavar="DIR_OR_JSON")
    publish.add_argument("--note", required=True, metavar="TEXT", help="why; it is kept with the version")
    publish.add_argument(
        "--based-on", type=int, metavar="VERSION", help="refuse if another version is in force by now"
    )
    publish.add_argument("--dry-run", action="store_true", help="only check")


async def run(arguments: argparse.Namespace) -> int:
    """The exit code: 1 where rules are refused, 2 where files cannot be used, 3 where it broke off."""
    actions = {"list": _list, "export": _export, "publish": _publish}
    try:
        return await actions[arguments.action](arguments)
    except UnreadableRules as error:
        sys.stderr.write(f"{error}\n")
        return _UNREADABLE
    except AppError as error:
        sys.stderr.write(f"{error.detail}\n")
        return _REFUSED
    except Exception:
        log.exception("rules not handled")
        sys.stderr.write("It broke off; nothing was published.\n")
        return _STOPPED


async def _list(_: argparse.Namespace) -> int:
    await service.publish_packaged()
    async with db.transaction() as session:
        found = await service.every(session)
    for one in found:
        _tell("{kind}: version {version}, {published_at}, by {published_by}: {note}".format(**one))
    return 0


async def _export(arguments: argparse.Namespace) -> int:
    kind = service.find(arguments.kind)
    await service.publish_packaged()
    async with db.transaction() as session:
        found = await service.read(session, kind.name, arguments.version)
    folders.write(kind, found["tables"], arguments.folder)
    _tell(f"Version {found['version']} of the rules {kind.name} is in {arguments.folder}.")
    return 0


async def _publish(arguments: argparse.Namespace) -> int:
    kind = service.find(arguments.kind)
    given = folders.read(kind, arguments.source)
    try:
        if arguments.dry_run:
            await service.check(kind.name, given.tables, arguments.note)
            _tell("Nothing was published: this was a dry run. These rules can be.")
            return 0
        await service.publish_packaged()
        async with db.transaction() as session:
            stored, is_new = await service.publish(
                session, kind.name, given.tables, service.CONSOLE, arguments.note, arguments.based_on
            )
    except RulesRefused as refused:
        for fault in refused.errors or []:
            _tell(given.told(fault))
        raise
    version = stored["version"]
    _tell(
        f"Version {version} is in force." if is_new else f"These are in force already, as version {version}."
    )
    return 0


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
