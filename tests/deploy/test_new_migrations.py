"""New migrations lock nobody out: squawk reads the SQL of each that came after the first release's.

Those of the first release ran on tables that nobody used yet, and are not judged. A later one that does on purpose what
squawk warns of, such as dropping a column that no running code reads any more, says so in its file, as
`squawk_allows = {"ban-drop-column": "nobody has read it since 1.4"}`.
"""

import os
import tomllib
from io import StringIO
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from tests.support.migrations import ONE_MORE
from tests.support.programs import ran
from tests.support.stack import ROOT

FIRST_RELEASE = "5d0a7c41e8b3"
VERSIONS = ROOT / "migrations/versions"


def config(*more: Path) -> Config:
    found = Config(ROOT / "alembic.ini", output_buffer=StringIO())
    found.set_main_option("version_locations", os.pathsep.join(map(str, [VERSIONS, *more])))
    return found


def warnings(settings: Config, migration: Script) -> str:
    """What squawk has against a migration; nothing is well."""
    command.upgrade(settings, f"{migration.down_revision}:{migration.revision}", sql=True)
    rules = tomllib.loads((ROOT / "migrations/squawk.toml").read_text())["excluded_rules"]
    # What is said here takes the place of what the file says.
    excluded = ",".join([*rules, *getattr(migration.module, "squawk_allows", ())])
    told = ["--config=migrations/squawk.toml", "--reporter=gcc", f"--exclude={excluded}"]
    done = ran("squawk", *told, input=settings.output_buffer.getvalue())  # type: ignore[union-attr]
    return "" if done.returncode == 0 else done.stdout + done.stderr


def later(settings: Config) -> list[Script]:
    """The migrations after the first release's, oldest first."""
    scripts = ScriptDirectory.from_config(settings)
    return [*scripts.iterate_revisions("heads", FIRST_RELEASE)][::-1]


def one_more(folder: Path, does: str, allows: str = "") -> str:
    """What squawk says of a migration after the newest of ours."""
    (head,) = ScriptDirectory.from_config(config()).get_heads()
    source = ONE_MORE.format(head=head, does=does.strip().replace("\n", "\n    "))
    (folder / "one_more.py").write_text(source + allows)
    settings = config(folder)
    (found,) = ScriptDirectory.from_config(settings).get_revisions("one_more")
    assert found is not None
    return warnings(settings, found)


def test_every_migration_since_the_first_release_lets_others_work() -> None:
    """Each is judged by itself."""
    found = {one.revision: said for one in later(config()) if (said := warnings(config(), one))}

    assert found == {}


LOCKS = {
    "require-concurrent-index-creation": 'op.create_index("ix_new", "bookings", ["fare_brand"])',
    "ban-concurrent-index-creation-in-transaction": """
op.create_index("ix_new", "bookings", ["fare_brand"], postgresql_concurrently=True)""",
    "constraint-missing-not-valid": 'op.create_check_constraint("new", "bookings", "total_minor > 0")',
    "adding-foreign-key-constraint": """
op.create_foreign_key("fk_new", "bookings", "users", ["user_id"], ["id"])""",
    "adding-not-nullable-field": 'op.alter_column("bookings", "fare_brand", nullable=False)',
    "adding-field-with-default": """
op.add_column("bookings", sa.Column("new", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))""",
    "changing-column-type": 'op.alter_column("bookings", "fare_brand", type_=sa.Text())',
    "renaming-column": 'op.alter_column("bookings", "fare_brand", new_column_name="brand")',
    "renaming-table": 'op.rename_table("bookings", "reservations")',
    "ban-drop-column": 'op.drop_column("bookings", "fare_brand")',
    "ban-drop-table": 'op.drop_table("bookings")',
}


@pytest.mark.parametrize("rule", LOCKS)
def test_one_that_locks_others_out_or_breaks_running_code_is_found(rule: str, tmp_path: Path) -> None:
    """The negative controls."""
    assert rule in one_more(tmp_path, LOCKS[rule])


def test_the_same_in_steps_that_let_others_work_is_fine(tmp_path: Path) -> None:
    """As the guide to upgrades shows: each on its own, what takes long beside the traffic."""
    assert (
        one_more(tmp_path, 'op.add_column("bookings", sa.Column("new", sa.String(20), nullable=True))') == ""
    )
    assert one_more(tmp_path, BESIDE_THE_TRAFFIC) == ""
    assert (
        one_more(tmp_path, 'op.create_check_constraint("new", "bookings", "true", postgresql_not_valid=True)')
        == ""
    )
    assert one_more(tmp_path, 'op.execute("ALTER TABLE bookings VALIDATE CONSTRAINT ck_bookings_new")') == ""


BESIDE_THE_TRAFFIC = """
with op.get_context().autocommit_block():
    op.create_index("ix_new", "bookings", ["fare_brand"], postgresql_concurrently=True, if_not_exists=True)
"""


def test_what_is_meant_is_said_with_its_reason(tmp_path: Path) -> None:
    """And nothing else is let through by it."""
    allows = 'squawk_allows = {"ban-drop-column": "nobody reads it"}'

    assert one_more(tmp_path, 'op.drop_column("bookings", "fare_brand")', allows) == ""
    assert one_more(tmp_path, 'op.drop_table("bookings")', allows) != ""
