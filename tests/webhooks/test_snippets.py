"""What the guide shows receivers: run against what the product sends, and word for word what the guide says.

JavaScript is run where there is `node`. Dart is not run: nothing here can.
"""

import asyncio
import base64
import importlib.util
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.stack import ROOT, free_port
from tests.webhooks.support import Hooks

SNIPPETS = ROOT / "docs/snippets/webhooks"
NODE = shutil.which("node")
TOLD = 1767225600  # When the test vector was signed.

# A secret, headers, the body, and what time it is; None for the present.
Case = tuple[str, dict[str, str], bytes, float | None]


async def by_hand(cases: list[Case]) -> list[Any]:
    verified = _loaded("verify").verified
    return [verified(*case) for case in cases]


async def by_library(cases: list[Case]) -> list[Any]:
    """The library looks at the clock itself: only what is new can be shown to it."""
    verified = _loaded("verify_with_library").verified
    return [verified(*case[:3]) for case in cases]


async def in_node(cases: list[Case]) -> list[Any]:
    given = [[secret, headers, base64.b64encode(body).decode(), now] for secret, headers, body, now in cases]
    code = (
        f'import {{ readFileSync }} from "node:fs"; import {{ verified }} from "{SNIPPETS}/verify.mjs";'
        "const cases = JSON.parse(readFileSync(0));"
        "console.log(JSON.stringify(cases.map(([secret, headers, body, now]) =>"
        ' verified(secret, headers, Buffer.from(body, "base64"), now ?? undefined))));'
    )
    node = await asyncio.create_subprocess_exec(
        *(str(NODE), "--input-type=module", "--eval", code),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await node.communicate(json.dumps(given).encode())
    answers: list[Any] = json.loads(out)
    return answers


LANGUAGES: list[Callable[..., Any]] = [by_hand, in_node] if NODE else [by_hand]


def _loaded(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"snippet_{name}", SNIPPETS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", [*LANGUAGES, by_library])
async def test_a_real_delivery_is_verified(hooks: Hooks, language: Callable[..., Any]) -> None:
    """And nothing else is: not by another secret, not with another body, not with a header of garbage."""
    subscription = await hooks.subscribed("booking.held")
    await hooks.booked(given_name="Zoë")
    await hooks.delivered()
    [arrival] = hooks.receiver.arrivals
    secret, good, body = subscription["secret"], arrival.headers, arrival.body
    other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    bad: list[Case] = [
        (other, good, body, None),
        (secret, good, body.replace(b'"held"', b'"paid"'), None),
        (secret, good, body + b" ", None),
        (secret, {**good, "webhook-id": "evt_1"}, body, None),
        (secret, {**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) - 1)}, body, None),
        *(
            (secret, {**good, "webhook-signature": garbage}, body, None)
            for garbage in ("garbage", "v1", "v1,a,b", "v1,", "", good["webhook-signature"][:-1])
        ),
        (secret, {**good, "webhook-timestamp": "soon"}, body, None),
        (secret, {}, body, None),
    ]
    answers = await language([(secret, good, body, None), *bad])

    assert answers == [arrival.event] + [None] * len(bad)


@pytest.mark.parametrize("language", [*LANGUAGES, by_library])
async def test_while_a_secret_is_replaced_both_fit(hooks: Hooks, language: Callable[..., Any]) -> None:
    """A receiver changes over when it likes."""
    subscription = await hooks.subscribed("webhook.test")
    path = f"/webhooks/subscriptions/{subscription['id']}/rotate-secret"
    renewed = (await hooks.traveller.post(path)).body["secret"]
    await hooks.traveller.post("/webhooks/test", {"subscription_id": subscription["id"]})
    await hooks.delivered()
    [arrival] = hooks.receiver.arrivals
    assert arrival.headers["webhook-signature"].count("v1,") == 2

    answers = await language(
        [(secret, arrival.headers, arrival.body, None) for secret in (subscription["secret"], renewed)]
    )

    assert answers == [arrival.event, arrival.event]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_vectors_that_everybody_knows_are_verified(hooks: Hooks, language: Callable[..., Any]) -> None:
    """Ours and that of Standard Webhooks, at their time and for five minutes before and after it."""
    vector = (await hooks.traveller.get("/webhooks/test-vector")).body
    ours = [(secret, vector["headers"], vector["body"].encode()) for secret in vector["secrets"]]
    official = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    theirs = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", official, b'{"test": 2432232314}', 1614265330)
    times = {TOLD: True, TOLD + 300: True, TOLD - 300: True, TOLD + 301: False, TOLD - 301: False}

    answers = await language([theirs] + [(*one, now) for one in ours for now in times] + [(*ours[0], None)])

    event = json.loads(vector["body"])
    expected = [event if good else None for _ in ours for good in times.values()]
    assert answers == [{"test": 2432232314}, *expected, None]


@asynccontextmanager
async def serving(*command: str, out: Path, **environment: str) -> AsyncIterator[int]:
    """A receiver of the guide's on a port of its own, as somebody would start it; what it prints is in a file."""
    port = free_port()
    with out.open("wb") as printed:
        process = await asyncio.create_subprocess_exec(
            *command,
            str(port),
            cwd=SNIPPETS,
            env=environment,
            stdout=printed,
            stderr=asyncio.subprocess.DEVNULL,
        )
    async with asyncio.timeout(10):
        while True:
            try:
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            except OSError:
                await asyncio.sleep(0.02)
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()


RECEIVERS = [(sys.executable, "-B", "receiver.py")] + ([(NODE, "receiver.mjs")] if NODE else [])


@pytest.mark.parametrize("command", RECEIVERS, ids=lambda command: command[-1])
async def test_a_receiver_takes_what_is_genuine_once(
    hooks: Hooks, command: tuple[str, ...], tmp_path: Path
) -> None:
    """And refuses what is not; what is sent again it has already."""
    subscription = await hooks.subscribed("webhook.test")
    inbox, out = tmp_path / "inbox.db", tmp_path / "out"
    environment = {"JETWAY_WEBHOOK_SECRET": subscription["secret"], "INBOX": str(inbox)}
    async with serving(*command, out=out, **environment) as port:
        url = f"http://127.0.0.1:{port}/"
        path = f"/webhooks/subscriptions/{subscription['id']}"
        assert (await hooks.traveller.send("PATCH", path, json={"url": url})).status == 200
        await hooks.traveller.post("/webhooks/test", {"subscription_id": subscription["id"]})
        await hooks.delivered()
        [delivery] = await hooks.deliveries(subscription)
        await hooks.traveller.post(f"/webhooks/deliveries/{delivery['id']}/redeliver")
        await hooks.delivered()
        details = await hooks.details(delivery)
        async with hooks.traveller.session.post(url, data=b"{}") as forged:
            refused = forged.status
    taken = out.read_text().splitlines()
    if inbox.exists():
        with sqlite3.connect(inbox) as kept:
            taken += [body.decode() for (body,) in kept.execute("SELECT body FROM events")]

    assert [attempt["status"] for attempt in details["attempt_history"]] == [204, 204]
    assert refused == 401
    assert len(taken) == 1
    assert "webhook.test" in taken[0]


def test_the_guide_shows_these_files() -> None:
    """Each whole and word for word."""
    guide = (ROOT / "docs/guides/webhooks.md").read_text()
    shown = re.findall(r"^```(?:python|js|dart)\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)

    assert sorted(shown) == sorted(path.read_text() for path in SNIPPETS.iterdir() if path.is_file())
