"""`make run`: servers, migrations, sandbox, API, worker and Beat, in order, until Ctrl-C."""

import asyncio
import http.client
import os
import signal
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from dev.environment import (
    ROOT,
    CannotRunError,
    Settings,
    keep_secrets,
    lock,
    read_environment,
    read_settings,
    write_shell_file,
)
from dev.leash import die_with
from dev.processes import Process, Supervisor
from dev.servers import Postgres, Redis, Server, ServerError
from dev.terminal import Output

# Celery's warning about root, which says nothing new to who works in a container.
AS_ROOT = "ignore:You're running the worker with superuser privileges"

BANNER = """
Jetway is ready.

  API            {url}
  documentation  {url}/docs
  health         {url}/admin/health
  metrics        {url}/admin/metrics   (bearer: ADMIN_METRICS_TOKEN in {env_file})
  sandbox        {sandbox}
  mail           {mail}
  phones         {phones}
  webhooks       {hooks}
  demo account   {email}   password {password}

  Find flights:

    curl -s '{url}/flights/search?origin=JFK&destination=LHR&departure_date={date}&adults=1' \\
      | python3 -m json.tool | head -40

  Other commands against the same servers:  set -a; . {env_file}; set +a
  Logs:  {logs}     Stop:  Ctrl-C
"""


def main() -> int:
    """Run until asked to stop; the exit code tells a requested stop from a failure."""
    if "MAKELEVEL" in os.environ:
        # A killed make cannot pass the news on.
        die_with(os.getppid(), signal.SIGTERM)
    os.chdir(ROOT)
    try:
        given = read_environment()
        settings = read_settings(given)
        with lock(settings):
            return asyncio.run(_run(settings, given))
    except (CannotRunError, ServerError) as problem:
        print(problem, file=sys.stderr)
        return 1


async def _run(settings: Settings, given: dict[str, str]) -> int:
    servers: list[Server] = []
    if "DATABASE_URL" not in given:
        servers.append(Postgres(settings.data / "postgres", durable=True))
    if "REDIS_URL" not in given:
        servers.append(Redis(settings.data / "redis"))
    with_sandbox = "AVIATIONSTACK_KEY" not in given
    with_cards = "STRIPE_SECRET_KEY" not in given
    values = _values(settings, given, servers, with_sandbox)
    env_file = settings.data / "jetway.env"
    write_shell_file(env_file, values)
    table = _table(settings, servers, with_sandbox, with_cards)
    output = Output(settings.data / "logs", [process.name for process in table])
    print(
        "Starting " + ", ".join(process.name for process in table) + ". The first time takes longest.",
        flush=True,
    )
    banner = BANNER.format(
        url=settings.url,
        env_file=_short(env_file),
        logs=_short(output.logs),
        sandbox=f"{settings.sandbox_url}/_sandbox"
        if with_sandbox or with_cards
        else "off, because AVIATIONSTACK_KEY and STRIPE_SECRET_KEY are set",
        mail=f"{settings.sandbox_url}/_sandbox/inbox"
        if values.get("SMTP_URL") == _smtp_url(settings)
        else "goes to SMTP_URL; nothing is sent without one",
        phones=f"{settings.sandbox_url}/_sandbox/screens"
        if values.get("FCM_BASE_URL") == settings.sandbox_url
        else "by FCM_SERVICE_ACCOUNT; nothing is pushed without one",
        hooks=f"{settings.sandbox_url}/_sandbox/hooks   (subscribe to …/hooks/mine and see them arrive)"
        if with_sandbox or with_cards
        else "wherever you subscribe",
        email=values["DEMO_EMAIL"],
        password=values["DEMO_PASSWORD"],
        date=(datetime.now(UTC) + timedelta(days=30)).date(),
    )
    environment = {**given, **values, "PYTHONUNBUFFERED": "1"}
    supervisor = Supervisor(table, output, environment, lambda: output.say(banner))
    following = asyncio.create_task(_follow_make(os.getppid(), supervisor.stop))
    try:
        return await supervisor.run()
    finally:
        following.cancel()


async def _follow_make(parent: int, stop: Callable[[], None]) -> None:
    """Stop when make alone got a SIGINT.

    It passes a SIGTERM on but leaves a SIGINT to the terminal, which sends Ctrl-C to both; sent by a
    program to make only, make would wait for us for ever. What shows is that it gave up its handler.
    """
    if "MAKELEVEL" not in os.environ or not _handles_interrupt(parent):
        return
    while _handles_interrupt(parent):  # noqa: ASYNC110 - nobody could set an event
        await asyncio.sleep(0.5)
    stop()


def _handles_interrupt(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGINT - 1) & 1)


def _values(
    settings: Settings, given: dict[str, str], servers: list[Server], with_sandbox: bool
) -> dict[str, str]:
    """What we decide for the children; anything the user has set stays as it is."""
    values = {"APP_ENV": "development", **keep_secrets(settings.data)}
    values |= {"DATABASE_URL" if server.name == "postgres" else "REDIS_URL": server.url for server in servers}
    if with_sandbox:
        values |= {"AVIATIONSTACK_BASE_URL": f"{settings.sandbox_url}/v1", "AVIATIONSTACK_KEY": "sandbox"}
        # Calls cost nothing here, so news may come at the speed of somebody who tries things out.
        values |= {"AVIATIONSTACK_CALLS_PER_MONTH": "1000000", "FLIGHT_WATCH_MINUTES": "0.5"}
        values |= _opensky(settings.sandbox_url)
    if "STRIPE_SECRET_KEY" not in given:
        values |= {"STRIPE_API_BASE": settings.sandbox_url, "STRIPE_SECRET_KEY": "sk_test_sandbox"}
        values |= {"PAYMENT_RETURN_URL": settings.url}
        values |= {"SMTP_URL": _smtp_url(settings)}
        if "FCM_SERVICE_ACCOUNT" not in given:
            values |= {
                "FCM_BASE_URL": settings.sandbox_url,
                "FCM_SERVICE_ACCOUNT": str(_push_account(settings)),
            }
    values |= {"TIMETABLE_DIR": str(settings.data / "timetable")}
    values |= {"PUBLIC_URL": settings.url}
    values |= {"HOST": settings.host, "PORT": str(settings.port), "DATA_DIR": str(settings.data)}
    return {name: given.get(name, value) for name, value in values.items()}


def _smtp_url(settings: Settings) -> str:
    return f"smtp://127.0.0.1:{settings.smtp_port}"


def _push_account(settings: Settings) -> Path:
    """The key with which the sandbox takes pushes; it names the sandbox's address, so each address has its own."""
    return settings.data / f"push-account-{settings.sandbox_port}.json"


def _opensky(sandbox_url: str) -> dict[str, str]:
    return {
        "OPENSKY_BASE_URL": f"{sandbox_url}/api",
        "OPENSKY_TOKEN_URL": f"{sandbox_url}/auth/realms/opensky-network/protocol/openid-connect/token",
        "OPENSKY_USER": "sandbox",
        "OPENSKY_PASS": "sandbox",
        "OPENSKY_CREDITS_PER_DAY": "1000000",
    }


def _table(settings: Settings, servers: list[Server], with_sandbox: bool, with_cards: bool) -> list[Process]:
    names = tuple(server.name for server in servers)
    database = tuple(name for name in names if name == "postgres")
    table = [_server_process(server) for server in servers]
    if with_sandbox or with_cards:
        table.append(_sandbox_process(settings, with_cards))
        names += ("sandbox",)
    address = ["--host", settings.host, "--port", str(settings.port)]
    api = _python(
        "-m",
        "uvicorn",
        "app.main:app",
        *address,
        "--no-access-log",
        "--log-level=warning",
        "--no-server-header",
        "--no-proxy-headers",
        "--timeout-graceful-shutdown",
        "3",
    )
    celery = ("-W", AS_ROOT, "-m", "celery", "--quiet", "-A", "app.worker")
    schedule = str(settings.data / "celerybeat-schedule")
    prepare = _python("-m", "app", "prepare", *(["--ask-provider"] if with_sandbox else []))
    beat = _python(*celery, "beat", "--loglevel=WARNING", "--schedule", schedule)
    partners = _python("-m", "dev.partners", str(settings.data / "connections"))
    if with_sandbox:
        table.append(Process("partners", partners, after=("prepare",), once=True, quiet=True))
    return [
        *table,
        Process(
            "migrate", _python("-m", "alembic", "upgrade", "head"), after=database, once=True, quiet=True
        ),
        Process("prepare", prepare, after=(*names, "migrate"), once=True),
        Process("api", api, after=("prepare",), ready=_answers(f"{settings.url}/readyz")),
        Process(
            "worker",
            _python(
                *celery,
                "worker",
                "--loglevel=WARNING",
                "--concurrency=2",
                "--without-mingle",
                "--without-gossip",
            ),
            after=("prepare",),
        ),
        Process("beat", beat, after=("prepare",)),
    ]


def _sandbox_process(settings: Settings, with_cards: bool) -> Process:
    """Its card processor tells the API what becomes of payments, signed with STRIPE_WEBHOOK_SECRET."""
    told = ["--card-webhook-url", f"{settings.url}/payments/stripe/events"] if with_cards else []
    ports = ("--port", str(settings.sandbox_port), "--smtp-port", str(settings.smtp_port))
    account = ("--push-account", str(_push_account(settings)))
    argv = _python("-m", "sandbox", "--host", "127.0.0.1", *ports, *account, *told)
    return Process("sandbox", argv, ready=_listens("127.0.0.1", settings.sandbox_port))


def _server_process(server: Server) -> Process:
    return Process(
        server.name,
        server.argv,
        prepare=server.prepare,
        ready=server.is_ready,
        quiet=True,
        stop_signal=server.stop_signal,
        death_signal=server.stop_signal,
        account=server.account,
    )


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _listens(host: str, port: int) -> Callable[[], bool]:
    def ask() -> bool:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            return False
        return True

    return ask


def _answers(url: str) -> Callable[[], bool]:
    address = urlsplit(url)

    def ask() -> bool:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=2)
        try:
            connection.request("GET", address.path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
