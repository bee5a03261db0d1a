"""`python -m dev.image`: carries out the Dockerfile where there is no Docker, and starts what comes of it.

Each stage is a layer over this machine's own system, with the Python of PYTHON_HOME as its /usr/local, in mounts that
nobody else sees and that are gone with this process. So every step is run as it is written, only what COPY names is
there, and the product runs as the image's user in a tree that nobody can write to. What the base image has and lacks
cannot be seen here. It wants Linux, root, and some 2 GB of memory.
"""

import json
import os
import re
import shlex
import shutil
import signal
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from dev.environment import ROOT
from dev.server import free_port
from dev.servers import embedded_servers

_MEMORY = Path("/mnt")
_WITHIN_SECONDS = 60.0
_ALL_ALIVE = """
import json, urllib.request
checks = json.load(urllib.request.urlopen({url!r}))["checks"]
raise SystemExit(any(checks[name]["status"] != "ok" for name in ("postgres", "redis", "worker", "beat")))
"""


@dataclass
class Stage:
    """A tree, and how its processes are started."""

    root: Path
    environment: dict[str, str] = field(
        default_factory=lambda: {
            "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/bin",
            "LD_LIBRARY_PATH": "/usr/local/lib",
        }
    )
    folder: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)
    check: list[str] = field(default_factory=list)

    def inside(self, path: str) -> Path:
        return Path(f"{self.root}{path}")

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """This command inside, as its user, who gains no rights."""
        uid, _, gid = self.user.partition(":")
        account = ["--reuid", uid, "--regid", gid, "--clear-groups", "--no-new-privs"]
        inside = f"cd {self.folder} && exec {shlex.join(command)}"
        argv = ["chroot", str(self.root), "/usr/bin/setpriv", *account, "/bin/sh", "-c", inside]
        return subprocess.Popen(argv, env=self.environment | more)

    def run(self, *command: str, **more: str) -> None:
        if code := self.start(*command, **more).wait():
            sys.exit(f"{shlex.join(command)[:200]} ended with {code}")


def main() -> None:
    if os.environ.get("JETWAY_IMAGE") != "inside":
        os.environ["JETWAY_IMAGE"] = "inside"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, "-m", "dev.image"])  # noqa: S606
    _mount("-t", "tmpfs", "tmpfs", _MEMORY)
    image = _built((ROOT / "Dockerfile").read_text(), _context())
    for tree in ("/opt/jetway", image.folder):
        print(f"{tree}: {_megabytes(image.inside(tree))} MB")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", image.root / "tmp")
    _mount("-o", "remount,ro", image.root)
    with embedded_servers(_MEMORY / "servers", durable=False) as servers:
        image.environment |= {"DATABASE_URL": servers.postgres.url, "REDIS_URL": servers.redis.url}
        _try_out(image)


def _context() -> Path:
    """What a build is sent, with .dockerignore as Docker reads it: the last line that matches a path decides."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    context = _MEMORY / "context"
    for path in sent(ROOT, rules):
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, context / path)
    return context


def sent(root: Path, rules: list[str]) -> Iterator[Path]:
    """The files below `root` that these rules let through."""
    for folder, folders, names in os.walk(root):
        # Large, and never let through by any rule that could stand there.
        folders[:] = [name for name in folders if name not in (".git", ".venv", ".tools", ".data")]
        for path in sorted(Path(folder, name).relative_to(root) for name in names):
            decided = [rule for rule in rules if _matches(path, rule.removeprefix("!"))]
            if not decided or decided[-1].startswith("!"):
                yield path


def _matches(path: Path, pattern: str) -> bool:
    """Whether the pattern names the path, or a folder that it is in."""
    wanted = pattern.removeprefix("**/").split("/")
    for one in (path, *path.parents):
        parts = one.parts[-len(wanted) :] if pattern.startswith("**/") else one.parts
        if len(parts) == len(wanted) and all(map(fnmatch, parts, wanted)):
            return True
    return False


def _built(dockerfile: str, context: Path) -> Stage:
    """The last stage, with all that it needs; as Docker does, without those that it does not."""
    parts = {
        text.partition("\n")[0].split()[-1]: text
        for text in re.split(r"^FROM ", _code(dockerfile), flags=re.M)[1:]
    }
    made: dict[str, Stage] = {}

    def make(name: str) -> Stage:
        if name not in made:
            first, _, rest = parts[name].partition("\n")
            before = first.split()[0]
            made[name] = replace(make(before)) if before in parts else _begun(name)
            for line in rest.splitlines():
                _carry_out(made[name], line, context, make)
        return made[name]

    return make(list(parts)[-1])


def _code(dockerfile: str) -> str:
    """One line for each instruction."""
    lines = "\n".join(line for line in dockerfile.splitlines() if not line.startswith("#"))
    return re.sub(r"\\\n\s*", "", lines)


def _begun(name: str) -> Stage:
    """This machine with another Python, and without what a base image has not."""
    stage = Stage(_MEMORY / name)
    _layer(Path("/"), stage.root)
    _layer(Path(os.environ.get("PYTHON_HOME", sys.base_prefix)), stage.root / "usr/local")
    for hidden in {"tmp", "root", "mnt", "work", ROOT.parts[1]}:
        if (stage.root / hidden).is_dir():
            _mount("-t", "tmpfs", "tmpfs", stage.root / hidden)
    for shared in ("proc", "dev"):
        _mount("--rbind", f"/{shared}", stage.root / shared)
    return stage


def _layer(below: Path, above: Path) -> None:
    """What is written above stays out of what is below."""
    kept = _MEMORY / "layers" / str(above).replace("/", "-")
    for folder in (above, kept / "upper", kept / "work"):
        folder.mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={below},upperdir={kept}/upper,workdir={kept}/work"
    _mount("-t", "overlay", "-o", options, "overlay", above)


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


def _carry_out(stage: Stage, instruction: str, context: Path, stage_of: Callable[[str], Stage]) -> None:
    word, _, rest = instruction.partition(" ")
    match word:
        case "ENV":
            for one in shlex.split(rest):
                name, _, value = one.partition("=")
                stage.environment |= {name: string.Template(value).substitute(stage.environment)}
        case "WORKDIR":
            stage.folder = rest
            stage.inside(rest).mkdir(parents=True, exist_ok=True)
        case "USER":
            stage.user = rest
        case "COPY":
            *options, source, target = rest.split()
            came = stage_of(options[0].partition("=")[2]).inside(source) if options else context / source
            _copy(came, stage.inside(str(Path(stage.folder, target))))
        case "RUN":
            print(f"RUN {rest[:100]} …", flush=True)
            stage.run("/bin/sh", "-ec", rest)
        case "CMD":
            stage.command = json.loads(rest)
        case "HEALTHCHECK":
            stage.check = json.loads(rest.partition(" CMD ")[2])


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _try_out(image: Stage) -> None:
    """Each of the image's commands does its work, and ends when it is told to."""
    port = str(free_port())
    api = [port if one == "8000" else one for one in image.command]
    check = [one.replace("8000", port) for one in image.check]
    image.run("alembic", "upgrade", "head")
    image.run("python", "-m", "app", "prepare")
    image.run("/bin/sh", "-c", "! touch /srv/jetway/app/mine /opt/jetway/mine /usr/local/mine 2>/dev/null")
    celery = ("celery", "--quiet", "-A", "app.worker")
    running = [
        image.start(*api),
        image.start(*celery, "worker", "--concurrency=1", "--loglevel=WARNING"),
        image.start(
            *celery, "beat", "--loglevel=WARNING", "--schedule=/tmp/celerybeat-schedule", "--pidfile="
        ),
    ]
    try:
        _wait_for(image, check)
        told = f"http://127.0.0.1:{port}/admin/health"
        _wait_for(image, ["python", "-c", _ALL_ALIVE.format(url=told)])
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
    print(
        "The API answered, worker and Beat did their work; they ended with", [one.wait(60) for one in running]
    )


def _wait_for(image: Stage, command: list[str]) -> None:
    deadline = time.monotonic() + _WITHIN_SECONDS
    while image.start("/bin/sh", "-c", f"{shlex.join(command)} 2>/dev/null").wait():
        if time.monotonic() > deadline:
            sys.exit(f"{shlex.join(command)} fails")
        time.sleep(1)


def _megabytes(tree: Path) -> int:
    return sum(path.lstat().st_size for path in tree.rglob("*")) // 1_000_000


if __name__ == "__main__":
    main()
