"""The operator's commands, run as `python -m app <command>`.

prepare            read the reference data, make the demo account if one is set; --ask-provider: its airlines too
create-admin       make an administrator; the password comes from ADMIN_PASSWORD or is asked for; --promote: of an
                   existing account, without asking
import-schedules   load a schedule, SSIM chapter 7 or CSV; --dry-run tells what would come of it
rules              list, export or publish the rules that operators edit, such as fares
webhooks           what waits to be delivered and who fails; --follow: a line for each attempt
erasures           who was erased; --again FILE: erase them once more, after a restore
rotate-encryption  seal everything that is encrypted in the database with the newest key
alive              0 if the worker or the Beat of this very host gets on, for probes of containers
metrics            print `docs/metrics.md`
env-example        print `.env.example`
error-codes        print `docs/errors.md`
openapi            print the OpenAPI description
"""

import argparse
import asyncio
import getpass
import json
import os
import sys
from collections.abc import Awaitable, Callable

from app.airlines import service as airlines
from app.airports import service as airports
from app.auth import passwords, users
from app.auth import service as accounts
from app.core import crypto, db, env_example, http, logging, redis
from app.core.errors import AppError
from app.extras import service as _extras  # noqa: F401  Each registers its kind of rules.
from app.offers import service as offers
from app.ops import metrics_page
from app.privacy import console as privacy_console
from app.providers import registry
from app.providers.base import ProviderError
from app.rights import service as _rights  # noqa: F401
from app.rules import console as rules_console
from app.rules import service as rules
from app.schedules import console as schedules_console
from app.timetable import service as _timetable  # noqa: F401
from app.webhooks import console as webhooks_console

_RESEALED_A_BATCH = 500
# What a shell gives for a program that was stopped with Ctrl-C.
_INTERRUPTED = 130


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app", description="Jetway's operator commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    prepare = commands.add_parser(
        "prepare", help="load reference data and, if DEMO_EMAIL is set, a demo account"
    )
    prepare.add_argument("--ask-provider", action="store_true", help="fetch the provider's airlines now")
    admin = commands.add_parser("create-admin", help="make an administrator account")
    admin.add_argument("email")
    admin.add_argument(
        "--promote", action="store_true", help="do not ask before an existing account is made one"
    )
    schedules_console.add_arguments(
        commands.add_parser("import-schedules", help="load a schedule from a file")
    )
    rules_console.add_arguments(commands.add_parser("rules", help="list, export or publish rules"))
    webhooks_console.add_arguments(commands.add_parser("webhooks", help="watch what is delivered"))
    privacy_console.add_arguments(
        commands.add_parser("erasures", help="who was erased, or erase them once more")
    )
    commands.add_parser("rotate-encryption", help="seal encrypted fields with the newest key")
    # Answered in `__main__`, before any of this is loaded.
    alive = commands.add_parser("alive", help="whether the worker or the Beat of this host gets on")
    alive.add_argument("process", choices=("worker", "beat"))
    commands.add_parser("metrics", help="print docs/metrics.md")
    commands.add_parser("env-example", help="print .env.example")
    commands.add_parser("error-codes", help="print docs/errors.md")
    commands.add_parser("openapi", help="print the OpenAPI description")
    arguments = parser.parse_args()
    if arguments.command == "env-example":
        _print(env_example.text())
    elif arguments.command == "metrics":
        _print(metrics_page.text())
    elif arguments.command == "openapi":
        # The whole of the API takes a while to load, and no other command needs it.
        from app.main import create_api

        _print(json.dumps(create_api().openapi(), indent=2))
    elif arguments.command == "error-codes":
        # A refusal is known once its feature is loaded.
        from app import api, openapi  # noqa: F401

        _print(openapi.error_codes())
    elif arguments.command == "create-admin":
        logging.configure()
        asyncio.run(_connected(lambda: _create_admin(arguments.email, arguments.promote)))
    elif arguments.command == "import-schedules":
        logging.configure()
        sys.exit(_import_schedules(arguments))
    elif arguments.command == "rules":
        logging.configure()
        sys.exit(_exit_code(lambda: rules_console.run(arguments)))
    elif arguments.command == "erasures":
        logging.configure()
        sys.exit(_exit_code(lambda: privacy_console.run(arguments)))
    elif arguments.command == "webhooks":
        sys.exit(_watch_webhooks(arguments))
    elif arguments.command == "rotate-encryption":
        logging.configure()
        asyncio.run(_connected(_rotate_encryption))
    else:
        logging.configure()
        asyncio.run(_connected(lambda: _prepare(arguments.ask_provider)))


async def _connected(command: Callable[[], Awaitable[None]]) -> None:
    db.connect()
    redis.connect()
    http.connect()
    try:
        await command()
    finally:
        await http.disconnect()
        await redis.disconnect()
        await db.disconnect()


def _exit_code(command: Callable[[], Awaitable[int]]) -> int:
    codes: list[int] = []

    async def run() -> None:
        codes.append(await command())

    asyncio.run(_connected(run))
    return codes[0]


async def _prepare(ask_provider: bool) -> None:
    await airports.load(complete=True)
    await airlines.load()
    await rules.load()
    await offers.describe_aircraft()
    if ask_provider:
        await _fetch_airlines()
    email, password = os.environ.get("DEMO_EMAIL"), os.environ.get("DEMO_PASSWORD")
    if email and password:
        await accounts.ensure_account(email, password, "Demo Traveller")


async def _fetch_airlines() -> None:
    """For the sandbox, whose airlines nobody else knows; a real vendor's are synced by an operator's order."""
    source = registry.schedules()
    offset: int | None = 0
    try:
        while offset is not None:
            page = await source.airlines_page(offset)
            async with db.transaction() as session:
                await airlines.store(session, page.records, source.name)
            offset = page.next_offset
    except ProviderError as error:
        _print(f"The airlines could not be fetched ({error.code}); they will be learned from schedules.")


async def _create_admin(email: str, promote: bool) -> None:
    async with db.transaction() as session:
        known = await users.exists(session, email)
    if known:
        await _promote(email, asked=promote)
        return
    password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass("Password: ")
    try:
        passwords.require_strong(password, about=(email,))
    except AppError as error:
        sys.exit(error.detail)
    if not await accounts.ensure_account(email, password, "Administrator", role="admin"):
        sys.exit(f"There is an account {email} already.")
    _print(f"{email} is an administrator now.")


async def _promote(email: str, *, asked: bool) -> None:
    """Their sessions end, so that they sign in as what they are now."""
    if not asked and not _agreed(f"There is an account {email} already. Make it an administrator's?"):
        sys.exit(f"There is an account {email} already; --promote makes it an administrator's.")
    async with db.transaction() as session:
        await users.promote(session, email)
    _print(f"{email} is an administrator now.")


def _agreed(question: str) -> bool:
    """Where nobody can be asked, nobody has agreed."""
    return sys.stdin.isatty() and input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


async def _rotate_encryption() -> None:
    """Batch by batch, each in a transaction of its own: what was sealed before an interruption stays so."""
    resealed = 0
    from app.auth import second_factor
    from app.bookings import documents
    from app.notifications import devices
    from app.webhooks import secrets

    # What seals a batch of a feature's fields anew, and tells how many.
    for reseal in (documents.reseal, devices.reseal, secrets.reseal, second_factor.reseal):
        while True:
            try:
                async with db.transaction() as session:
                    batch = await reseal(session, _RESEALED_A_BATCH)
            except crypto.CannotOpen as error:
                sys.exit(
                    f"Stopped after {resealed} fields: {error}. Is a former key missing in ENCRYPTION_KEY?"
                )
            if not batch:
                break
            resealed += batch
    _print(f"{resealed} fields are sealed with the newest key now.")


def _watch_webhooks(arguments: argparse.Namespace) -> int:
    logging.configure()
    try:
        return _exit_code(lambda: webhooks_console.run(arguments))
    except KeyboardInterrupt:
        return _INTERRUPTED


def _import_schedules(arguments: argparse.Namespace) -> int:
    try:
        return _exit_code(lambda: schedules_console.run(arguments))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. What was stored stays; run it again for the rest.\n")
        return _INTERRUPTED


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
