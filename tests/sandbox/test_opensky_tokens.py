"""Who may ask OpenSky, and for how long."""

from __future__ import annotations

import aiohttp
import pytest

from tests.sandbox.conftest import TOKENS, Client


async def test_a_client_with_its_secret_gets_a_token(client: Client) -> None:
    """For half an hour, in the words of Keycloak."""
    granted = await client.grant("user")
    assert granted.status == 200
    token = granted.json
    assert (token["token_type"], token["expires_in"], token["refresh_expires_in"]) == ("Bearer", 1800, 0)
    assert (await client.sky("states/all", token["access_token"])).status == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "user"}, 401, "unauthorized_client"),
    ],
)
async def test_a_bad_form_gets_an_error(
    client: Client, form: dict[str, str], status: int, error: str
) -> None:
    """With a code and a sentence."""
    refused = await client.send("POST", TOKENS, data=form)
    assert (refused.status, refused.json["error"]) == (status, error)
    assert refused.json["error_description"]


async def test_only_a_posted_form_counts(client: Client) -> None:
    """Not JSON, and not an address with parameters."""
    form = {"grant_type": "client_credentials", "client_id": "user", "client_secret": "user"}
    assert (await client.send("POST", TOKENS, json=form)).json["error"] == "invalid_request"
    assert (await client.send("GET", TOKENS, params=form)).status == 405
    assert (await client.grant("user", "wrong")).json["error"] == "unauthorized_client"


async def test_a_token_expires_by_the_sandboxs_clock(client: Client) -> None:
    """And another one works."""
    token = await client.token()
    await client.control("POST", "/clock", {"advance_seconds": 1700})
    assert (await client.sky("states/all", token)).status == 200
    await client.control("POST", "/clock", {"advance_seconds": 101})
    expired = await client.sky("states/all", token)
    assert (expired.status, expired.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert (await client.sky("states/all", await client.token())).status == 200


async def test_tokens_can_be_made_short_lived(client: Client) -> None:
    """For tokens that end in the middle of things."""
    await client.switch(token_seconds=2)
    granted = (await client.grant("sandbox")).json
    assert granted["expires_in"] == 2
    await client.control("POST", "/clock", {"advance_seconds": 2})
    assert (await client.sky("states/all", granted["access_token"])).status == 401


async def test_nothing_but_a_known_token_opens_the_door(client: Client) -> None:
    """Whoever shows something wrong is not taken for anonymous, and a name with a password is not enough."""
    assert (await client.sky("states/all", "nonsense")).status == 401
    basic = aiohttp.encode_basic_auth("user", "user")
    assert (await client.send("GET", "/api/states/all", headers={"Authorization": basic})).status == 401
    assert (await client.sky("states/all")).status == 200


async def test_a_reset_forgets_tokens_and_settings(client: Client) -> None:
    """As after a start."""
    token = await client.token()
    await client.switch(token_seconds=5, extra_aircraft=3, daily={"user": 7})
    await client.control("POST", "/reset")
    assert (await client.sky("states/all", token)).status == 401
    settings = (await client.control("GET", "/settings"))["opensky"]
    assert (settings["token_seconds"], settings["extra_aircraft"]) == (1800, 0)
    assert settings["credits"]["user"] == {"states": 4000, "tracks": 4000, "flights": 4000}


async def test_the_journal_names_the_caller_and_keeps_no_secret(client: Client) -> None:
    """Neither the secret, nor the token, nor a client id that is none."""
    token = await client.token("feeder")
    await client.grant("hush", "whisper")
    await client.sky("states/all", token, icao24="4066a1", lamin=1, lomin=1, lamax=2, lomax=2)
    await client.sky("states/all", access_token=token)
    await client.sky("states/all", "stolen")
    journal = await client.control("GET", "/journal")
    seen = [
        (entry["method"], entry["path"], entry["profile"], entry["status"]) for entry in journal["requests"]
    ]
    assert seen == [
        ("POST", TOKENS, "feeder", 200),
        ("POST", TOKENS, "unknown", 401),
        ("GET", "/api/states/all", "feeder", 200),
        ("GET", "/api/states/all", "anonymous", 200),
        ("GET", "/api/states/all", "unknown", 401),
    ]
    assert journal["requests"][0]["params"] == {"grant_type": "client_credentials"}
    assert journal["requests"][2]["params"]["icao24"] == "4066a1"
    for secret in (token, "hush", "whisper", "stolen"):
        assert secret not in str(journal)
