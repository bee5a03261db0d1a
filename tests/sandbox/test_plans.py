"""Keys, plans, quotas and the shapes of refusal."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Client

LHR = {"iataCode": "LHR", "type": "departure", "date": "2026-12-24"}


async def refused(client: Client, function: str, key: str | None, **params: Any) -> tuple[int, str]:
    status, payload = await client.get(function, key=key, **params)
    assert payload["error"].keys() >= {"code", "message"}
    return status, payload["error"]["code"]


async def test_a_key_is_required_and_must_be_known(client: Client) -> None:
    """What does not even look like a key is turned away without the envelope."""
    assert await refused(client, "flights", None) == (401, "missing_access_key")
    assert await refused(client, "flights", "0123456789abcdef" * 2) == (401, "invalid_access_key")
    assert await refused(client, "flights", "inactive") == (401, "inactive_user")
    assert await client.get("flights", key="nonsense") == (401, {"message": "Unauthorized"})


async def test_an_unknown_function_is_not_found(client: Client) -> None:
    """Before anybody looks at the key."""
    assert await refused(client, "fares", "sandbox") == (404, "invalid_api_function")


@pytest.mark.parametrize(
    ("key", "function", "params"),
    [
        ("free", "flights", {"flight_date": "2026-11-24"}),
        ("free", "routes", {}),
        ("free", "airports", {"search": "LHR"}),
        ("free_strict", "airports", {}),
        ("free_strict", "timetable", {"iataCode": "LHR", "type": "departure"}),
        ("expired", "flights", {}),
    ],
)
async def test_a_plan_gates_functions_and_parameters(
    client: Client, key: str, function: str, params: dict[str, str]
) -> None:
    """With a 403 that says so."""
    assert await refused(client, function, key, **params) == (403, "function_access_restricted")


async def test_the_free_plan_still_reaches_some_functions(client: Client) -> None:
    """Live flights, reference data and the future."""
    for function, params in (("flights", {}), ("airports", {}), ("flightsFuture", LHR)):
        status, _ = await client.get(function, key="free", **params)
        assert status == 200


@pytest.mark.parametrize(("key", "seconds"), [("basic", 10), ("free", 60)])
async def test_boards_are_rationed(client: Client, key: str, seconds: int) -> None:
    """One call in ten seconds, or in a minute; the clock may be moved instead of waiting."""
    assert (await client.get("flightsFuture", key=key, **LHR))[0] == 200
    assert await refused(client, "flightsFuture", key, **LHR) == (429, "rate_limit_reached")
    await client.control("POST", "/clock", {"advance_seconds": seconds - 2})
    assert await refused(client, "flightsFuture", key, **LHR) == (429, "rate_limit_reached")
    await client.control("POST", "/clock", {"advance_seconds": 2})
    assert (await client.get("flightsFuture", key=key, **LHR))[0] == 200


async def test_other_functions_take_five_calls_a_second(client: Client) -> None:
    """The demo key takes any number."""
    answers = [(await client.get("airlines", key="professional"))[0] for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert [(await client.get("airlines"))[0] for _ in range(8)] == [200] * 8


async def test_a_free_quota_lasts_for_a_month(client: Client) -> None:
    """A hundred calls; the next month begins anew. A paid plan runs on."""
    await client.control("POST", "/settings", {"keys": {"mine": "free"}})
    for _ in range(100):
        await client.control("POST", "/clock", {"advance_seconds": 1})
        assert (await client.get("taxes", key="mine"))[0] == 200
    assert await refused(client, "taxes", "mine") == (429, "usage_limit_reached")
    await client.control("POST", "/clock", {"now": "2026-12-01T00:00:00Z"})
    assert (await client.get("taxes", key="mine"))[0] == 200


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"limit": "many"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"flight_date": "2026-13-01"}, "flight_date"),
        ({"flight_status": "lost"}, "flight_status"),
        ({"min_delay_dep": "long"}, "min_delay_dep"),
    ],
)
async def test_a_bad_parameter_is_named_in_the_context(
    client: Client, params: dict[str, str], field: str
) -> None:
    """Each problem has a key and a message."""
    status, payload = await client.get("flights", **params)
    assert (status, payload["error"]["code"]) == (400, "validation_error")
    [problem] = payload["error"]["context"][field]
    assert problem.keys() == {"key", "message"}
