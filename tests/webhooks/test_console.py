"""`python -m app webhooks`: an operator sees what is delivered, what is not, and to whom."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from app.core import db
from app.core.config import settings
from app.webhooks import console
from tests.support.stack import free_port
from tests.webhooks.support import Hooks

# The exit code, and the lines that went to stdout.
Run = Callable[..., Awaitable[tuple[int, list[str]]]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    parser = argparse.ArgumentParser()
    console.add_arguments(parser)

    async def here(*arguments: str) -> tuple[int, list[str]]:
        code = await console.run(parser.parse_args(arguments))
        return code, capsys.readouterr().out.splitlines()

    return here


async def test_what_waits_and_who_fails_is_summed_up(hooks: Hooks, run: Run) -> None:
    """One that fails keeps its place in the list until it answers."""
    failing = await hooks.subscribed("webhook.test", path="/failing?key=secret")
    hooks.receiver.answer(500, "/failing")
    await hooks.subscribed("booking.held", path="/well")
    await hooks.traveller.post("/webhooks/test", {"subscription_id": failing["id"]})
    await hooks.delivered()
    await hooks.booked()
    await hooks.relayed()

    code, lines = await run()

    assert code == 0
    assert lines[0] == "sending: 0, of them 0 by a sender that was lost"
    assert any(
        line.startswith("pending: 1 for 1 healthy subscriptions, the oldest due for") for line in lines
    )
    assert "pending: 1 for 1 failing subscriptions, the oldest due for 0 s" in lines
    [line] = [line for line in lines if line.startswith("failing since")]
    assert f"{failing['id']} of {hooks.traveller.user['email']} at 127.0.0.1, 1 waiting" in line


async def test_each_attempt_is_a_line(hooks: Hooks, run: Run) -> None:
    """With what came back and what follows; of the URL only the host, for the rest may be a secret."""
    well = await hooks.subscribed("webhook.test", path="/well?key=secret")
    ill = await hooks.subscribed("webhook.test", path="/ill")
    hooks.receiver.answer(500, "/ill")
    for subscription in (well, ill):
        await hooks.traveller.post("/webhooks/test", {"subscription_id": subscription["id"]})
    await hooks.delivered()
    [delivery] = await hooks.deliveries(well)

    mine = ("--since", "1", "--user", hooks.traveller.user["email"].upper())
    _, everything = await run(*mine)
    _, pending = await run(*mine, "--state", "pending")
    _, one = await run("--since", "1", "--subscription", well["id"])
    _, nobodys = await run("--since", "1", "--user", "nobody@example.com")

    assert len(attempts(everything)) == 2
    [line] = attempts(pending)
    assert f"{ill['id']} {hooks.traveller.user['email']} 127.0.0.1:" in line
    assert "attempt 1: 500, " in line
    assert ", pending until 20" in line
    [line] = attempts(one)
    assert f"webhook.test {delivery['event_id']} attempt 1: 200, " in line
    assert line.endswith(", delivered")
    assert "secret" not in "".join(everything)
    assert attempts(nobodys) == []


async def test_attempts_are_followed_as_they_happen(
    hooks: Hooks, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each once, though each look goes back a little."""
    subscription = await hooks.subscribed("webhook.test")
    following = asyncio.create_task(run("--follow", "--subscription", subscription["id"]))
    seen: list[str] = []
    for expected in (1, 2):
        await hooks.traveller.post("/webhooks/test", {"subscription_id": subscription["id"]})
        await hooks.delivered()
        async with asyncio.timeout(10):
            while len(attempts(seen)) < expected:
                await asyncio.sleep(0.05)
                seen += capsys.readouterr().out.splitlines()
    await asyncio.sleep(0.6)  # One more look, which finds nothing new.
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following

    assert len(attempts(seen + capsys.readouterr().out.splitlines())) == 2


async def test_what_is_no_id_is_refused(run: Run) -> None:
    code, _ = await run("--subscription", "whs_nothing")

    assert code == 2


def attempts(lines: list[str]) -> list[str]:
    return [line for line in lines if " attempt " in line]


async def test_following_goes_on_when_the_database_is_back(
    hooks: Hooks, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said once that it is away and once that it answers; no attempt is missed."""
    subscription = await hooks.subscribed("webhook.test")
    monkeypatch.setattr(console, "_LOOKS_SECONDS", 0.05)
    said: dict[str, str] = {"out": "", "err": ""}

    async def told(stream: str, text: str) -> None:
        async with asyncio.timeout(10):
            while text not in said[stream]:
                await asyncio.sleep(0.02)
                heard = capsys.readouterr()
                said["out"], said["err"] = said["out"] + heard.out, said["err"] + heard.err

    parser = argparse.ArgumentParser()
    console.add_arguments(parser)
    following = asyncio.create_task(console.run(parser.parse_args(["--follow"])))
    await told("out", "pending:")
    with monkeypatch.context() as patch:
        patch.setattr(settings(), "database_url", f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
        patch.setattr(db, "_engine", None)
        db.connect()
        await told("err", "The database does not answer (ConnectionRefusedError); waiting for it.\n")
        await asyncio.sleep(0.3)
        away = db.engine()
    await told("err", "The database answers again.\n")
    await hooks.traveller.post("/webhooks/test", {"subscription_id": subscription["id"]})
    await hooks.delivered()
    await told("out", subscription["id"])
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await away.dispose()

    assert said["err"].count("\n") == 2


async def test_a_look_at_a_database_that_is_away_is_one_line(
    run: Run, api: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no traceback: who only looks once may look again."""
    with monkeypatch.context() as patch:
        patch.setattr(settings(), "database_url", f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
        patch.setattr(db, "_engine", None)
        db.connect()
        with pytest.raises(SystemExit, match=r"^The database does not answer \(ConnectionRefusedError\)\.$"):
            await run()
        await db.disconnect()
