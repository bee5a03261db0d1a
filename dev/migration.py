"""`make migration m="what it does"`: compares models with a fresh, migrated database."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.environment import ROOT
from dev.servers import Postgres


def main(message: str) -> int:
    """The exit code of Alembic."""
    alembic = [sys.executable, "-m", "alembic"]
    with tempfile.TemporaryDirectory() as directory, Postgres(Path(directory), durable=False) as postgres:
        environment = {**os.environ, "DATABASE_URL": postgres.url}
        subprocess.run([*alembic, "upgrade", "head"], cwd=ROOT, env=environment, check=True)
        write = [*alembic, "revision", "--autogenerate", "-m", message]
        return subprocess.run(write, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
