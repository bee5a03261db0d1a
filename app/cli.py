"""The operator's commands, run as `python -m app <command>`.

prepare            read the airports, ask AviationStack for its airlines, make the demo account if one is set
create-admin       make an administrator; the password comes from ADMIN_PASSWORD or is asked for
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

from app import openapi
from app.airlines import service as airlines
from app.airports import service as airports
from app.auth import passwords
from app.auth import service as accounts
from app.core import db, http, logging, redis
from app.core.config import env_example
from app.core.errors import AppError
from app.main import create_app
from app.providers import registry
from app.providers.base import ProviderError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app", description="Jetway's operator commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="load reference data and, if DEMO_EMAIL is set, a demo account")
    admin = commands.add_parser("create-admin", help="make an administrator account")
    admin.add_argument("email")
    commands.add_parser("env-example", help="print .env.example")
    commands.add_parser("error-codes", help="print docs/errors.md")
    commands.add_parser("openapi", help="print the OpenAPI description")
    arguments = parser.parse_args()
    if arguments.command == "env-example":
        _print(env_example())
    elif arguments.command == "openapi":
        _print(json.dumps(create_app().openapi(), indent=2))
    elif arguments.command == "error-codes":
        _print(openapi.error_codes())
    elif arguments.command == "create-admin":
        logging.configure()
        asyncio.run(_connected(lambda: _create_admin(arguments.email)))
    else:
        logging.configure()
        asyncio.run(_connected(_prepare))


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


async def _prepare() -> None:
    await airports.load()
    try:
        known = await registry.schedules().airlines()
        async with db.transaction() as session:
            await airlines.store(session, known)
    except ProviderError as error:
        _print(f"The airlines could not be fetched ({error.code}); they will be learned from schedules.")
    email, password = os.environ.get("DEMO_EMAIL"), os.environ.get("DEMO_PASSWORD")
    if email and password:
        await accounts.ensure_account(email, password, "Demo Traveller")


async def _create_admin(email: str) -> None:
    password = os.environ.get("ADMIN_PASSWORD") or getpass.getpass("Password: ")
    try:
        passwords.require_strong(password, about=(email,))
    except AppError as error:
        sys.exit(error.detail)
    if not await accounts.ensure_account(email, password, "Administrator", role="admin"):
        sys.exit(f"There is an account {email} already.")
    _print(f"{email} is an administrator now.")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
