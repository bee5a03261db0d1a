"""The logs tell what happened, and nothing of anybody."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import pytest

from tests.support.client import Client, adult, booking, in_days
from tests.support.fleet import Fleet
from tests.support.stack import ROOT, free_port, wait_for


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An API process that logs everything from INFO up into a file."""
    port, output = free_port(), tmp_path / "output"
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)]
    with output.open("wb") as file:
        environment = {**os.environ, "LOG_LEVEL": "INFO"}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT)
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}", output
        finally:
            process.terminate()
            process.wait(10)


async def test_no_canary_is_ever_logged(
    logged: tuple[str, Path], http: aiohttp.ClientSession, fleet: Fleet, sql: Any
) -> None:
    """Passwords, tokens, addresses, names, telephones and references, in what succeeds, fails and breaks."""
    base, output = logged
    api = Client(http, base)
    password, email, phone = "canary-password-71", "canary71@example.com", "+441632960071"
    account = {"email": email, "password": password, "full_name": "Canarina Sang"}
    signed_up = (await api.post("/auth/signup", account)).body
    await api.post("/auth/login", {"email": email, "password": password + "x"})
    await api.send("POST", "/auth/login", data={"username": email, "password": password})
    refreshed = (await api.post("/auth/refresh", {"refresh_token": signed_up["refresh_token"]})).body
    await api.post("/auth/refresh", {"refresh_token": signed_up["refresh_token"]})
    traveller = Client(http, base, signed_up["access_token"])
    flight = await fleet.flight()
    offer = await fleet.offer(traveller, flight)
    passport = {
        "type": "passport",
        "number": "CANARY7171",
        "issuing_country": "GB",
        "expires_on": in_days(900).isoformat(),
    }
    person = adult(
        given_name="Fenchurch", family_name="Kanarievogel", born_on="1971-03-17", document=passport
    )
    data = booking(offer["id"], [person]) | {"contact": {"email": email, "phone": phone}}
    headers = {"Idempotency-Key": "canary-key-71"}
    pnr = (await traveller.post("/bookings", data, headers)).body["pnr"]
    await traveller.get(f"/bookings/{pnr}")
    await traveller.get("/bookings/" + pnr[::-1])
    await traveller.post("/bookings", data)
    await traveller.post("/bookings", data | {"extra": password})
    phone_token = "canary-phone-token-71"
    await traveller.post("/devices", {"token": phone_token, "platform": "ios", "name": "Kanarievogel"})
    await traveller.post("/devices", {"token": phone_token, "platform": "toaster"})
    await traveller.get(f"/nowhere/{email}", q=password)
    # A database error quotes its statement; the values in it must stay out.
    await sql(
        "ALTER TABLE bookings ADD CONSTRAINT breaks CHECK (contact->>'phone' <> '+441632960071') NOT VALID"
    )
    try:
        other = data | {"passengers": [person | {"given_name": "Arthur"}]}
        broken = await traveller.post("/bookings", other)
    finally:
        await sql("ALTER TABLE bookings DROP CONSTRAINT breaks")
    assert broken.status == 500

    deadline = monotonic() + 10
    # Access lines are written in batches, so the last one is waited for.
    while '"status":500,"ms":' not in output.read_text():
        assert monotonic() < deadline
        await asyncio.sleep(0.05)
    text = output.read_text()
    canaries = [password, email, phone, "Canarina", "Fenchurch", "Kanarievogel", "1971-03-17", pnr, pnr[::-1]]
    canaries += [
        signed_up["access_token"],
        signed_up["refresh_token"],
        refreshed["refresh_token"],
        offer["id"],
    ]
    canaries += ["canary-key-71", "CANARY7171", phone_token]
    assert [canary for canary in canaries if canary in text] == []
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert {"/auth/signup", "/auth/login", "/bookings", "/bookings/{pnr}", "/devices", "unmatched"} <= {
        r["route"] for r in requests
    }
    errors = [line for line in lines if line["level"] == "error"]
    assert [error["request_id"] for error in errors] == [broken.body["request_id"]]
