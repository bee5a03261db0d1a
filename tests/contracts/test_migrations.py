"""Migrations: from nothing, back, and forth again, and equal to the models."""

import asyncio
import os
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command as alembic_command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from app.core.config import settings
from tests.support.migrations import ONE_MORE
from tests.support.stack import ROOT, migrate, run

_SNAPSHOT = """
    SELECT 'column' AS kind, table_name || '.' || column_name AS name,
           concat_ws(' ', data_type, is_nullable, column_default, character_maximum_length) AS how
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    ORDER BY 1, 2
"""


def ask(url: str, statement: str) -> list[Any]:
    """Run a statement on a database and forget the connection."""

    async def run() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    with asyncio.Runner() as runner:
        return runner.run(run())


@pytest.fixture
def alembic(empty: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run commands on the database, within this process; gives what they said."""
    monkeypatch.setattr(settings(), "database_url", empty)

    def run(*commands: str) -> str:
        said = StringIO()
        for command in commands:
            name, *arguments = command.split()
            getattr(alembic_command, name)(Config(ROOT / "alembic.ini", stdout=said), *arguments)
        return said.getvalue()

    return run


@pytest.fixture
def empty() -> Iterator[str]:
    """A database with nothing in it."""
    base, name = os.environ["DATABASE_URL"], f"jetway_scratch_{uuid.uuid4().hex}"
    ask(base, f"CREATE DATABASE {name}")
    yield re.sub(r"/[^/?]*(\?|$)", f"/{name}\\1", base, count=1) if base.count("/") > 2 else f"{base}/{name}"
    ask(base, f"DROP DATABASE {name} WITH (FORCE)")


def test_an_empty_database_becomes_what_the_models_say(empty: str) -> None:
    """Nothing is left for a new migration: tables, columns, types, defaults, indexes, constraints.

    In a process of its own, which knows no models but those that the environment of migrations names.
    """
    code = "from alembic.config import main; main(['upgrade', 'head']); main(['check'])"
    done = run("-c", code, DATABASE_URL=empty)

    assert done.returncode == 0, (done.stdout + done.stderr)[-9000:]
    assert "No new upgrade operations detected" in done.stdout + done.stderr


def test_the_check_would_notice_a_difference(empty: str, alembic: Callable[..., str]) -> None:
    """The negative control."""
    alembic("upgrade head")
    ask(empty, "ALTER TABLE bookings ALTER fare_brand DROP NOT NULL")

    with pytest.raises(CommandError, match="New upgrade operations detected"):
        alembic("check")


def test_back_to_nothing_and_forth_again_is_the_same(empty: str, alembic: Callable[..., str]) -> None:
    """Step by step down; what was there before is there again."""
    alembic("upgrade head")
    before = ask(empty, _SNAPSHOT)

    alembic("downgrade -1", "upgrade head")
    assert ask(empty, _SNAPSHOT) == before
    alembic("downgrade base")
    tables = ask(empty, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    assert tables == [("alembic_version",)]

    alembic("upgrade head")
    assert ask(empty, _SNAPSHOT) == before


def test_a_second_upgrade_changes_nothing(empty: str, alembic: Callable[..., str]) -> None:
    """Every deployment runs it; rows stay as they are."""
    alembic("upgrade head")
    ask(empty, "UPDATE aircraft_cabins SET seats = 77 WHERE aircraft_type = 'A320' AND cabin = 'economy'")
    snapshot, cabins = ask(empty, _SNAPSHOT), ask(empty, "SELECT * FROM aircraft_cabins ORDER BY 1, 2")

    alembic("upgrade head")

    assert ask(empty, _SNAPSHOT) == snapshot
    assert ask(empty, "SELECT * FROM aircraft_cabins ORDER BY 1, 2") == cabins
    assert any(seats == 77 for *_, seats in cabins)


BESIDE_THE_TRAFFIC = """
    with op.get_context().autocommit_block():
        op.create_index("ix_new", "bookings", ["fare_brand"], postgresql_concurrently=True)"""
A_COLUMN = 'op.add_column("bookings", sa.Column("new", sa.Text(), nullable=True))'


def upgrade_with_one_more(folder: Path, does: str, *options: str) -> tuple[str, ...]:
    """The command that brings a database to a version after ours."""
    head = ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head()
    (folder / "one_more.py").write_text(ONE_MORE.format(head=head, does=does.strip()))
    versions = f"version_locations = {ROOT}/migrations/versions{os.pathsep}{folder}"
    settings = (ROOT / "alembic.ini").read_text().replace("%(here)s", str(ROOT))
    (folder / "alembic.ini").write_text(settings.replace("[alembic]", f"[alembic]\n{versions}"))
    return "-m", "alembic", "-c", str(folder / "alembic.ini"), *options, "upgrade", "head"


def test_two_deployments_at_once_migrate_once(empty: str, tmp_path: Path) -> None:
    """The second waits and finds nothing to do, also where an index is built that waits for all who look on."""
    upgrade = upgrade_with_one_more(tmp_path, BESIDE_THE_TRAFFIC)

    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda _: run(*upgrade, DATABASE_URL=empty), range(2)))

    assert [one.returncode for one in done] == [0, 0], done[0].stderr + done[1].stderr
    assert ask(empty, "SELECT version_num FROM alembic_version") == [("one_more",)]
    assert ask(empty, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_new'::regclass") == [(True,)]


def test_a_migration_gives_up_on_a_table_that_is_in_use(empty: str, tmp_path: Path) -> None:
    """Everybody else would have to wait behind it. What came before it stays done, and it can be tried again."""
    migrate(DATABASE_URL=empty)
    before = ask(empty, _SNAPSHOT)
    upgrade = upgrade_with_one_more(tmp_path, A_COLUMN, "-x", "lock_timeout=50ms")

    async def meanwhile() -> subprocess.CompletedProcess[str]:
        user = await asyncpg.connect(empty)
        async with user.transaction():
            await user.fetch("SELECT FROM bookings")
            done = await asyncio.to_thread(run, *upgrade, DATABASE_URL=empty)
        await user.close()
        return done

    done = asyncio.run(meanwhile())

    assert done.returncode != 0
    assert "lock timeout" in done.stderr
    assert ask(empty, _SNAPSHOT) == before
    assert run(*upgrade, DATABASE_URL=empty).returncode == 0
