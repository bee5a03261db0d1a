"""Work is asked for by administrators, and once."""

import asyncio
from typing import Any

import pytest

from app.core.config import settings
from app.jobs import service
from tests.jobs.support import Jobs
from tests.support.client import Client

ROUTES = ["/airports/sync", "/airlines/sync"]


@pytest.mark.parametrize("route", ROUTES)
async def test_a_job_is_accepted(admin: Client, route: str) -> None:
    """And can be looked at from then on."""
    asked = await admin.post(route)

    assert (asked.status, asked.body.keys(), asked.body["status"]) == (202, {"id", "status"}, "queued")
    assert asked.headers["Location"] == f"/admin/jobs/{asked.body['id']}"
    seen = (await admin.get(asked.headers["Location"])).body
    assert seen.pop("created_at").endswith("Z")
    assert seen == {
        "id": asked.body["id"],
        "kind": route[1:].replace("/", "."),
        "status": "queued",
        "progress": {"done": 0, "total": None},
        "result": None,
        "error": None,
        "started_at": None,
        "finished_at": None,
        "next_attempt_at": None,
    }


async def test_asking_twice_is_asking_once(admin: Client, sql: Any) -> None:
    """Also at the same moment; another table's sync is another job."""
    asked = await asyncio.gather(*(admin.post("/airports/sync") for _ in range(6)))
    other = await admin.post("/airlines/sync")

    assert {answer.status for answer in asked} == {202}
    assert len({answer.body["id"] for answer in asked}) == 1
    assert other.body["id"] != asked[0].body["id"]
    assert (await sql("SELECT count(*) AS n FROM jobs"))[0]["n"] == 2


async def test_it_can_be_asked_for_again_when_it_is_done(admin: Client, sql: Any) -> None:
    """Whether it went well or not."""
    ids = set()
    for status in ("succeeded", "failed", "queued"):
        ids.add((await admin.post("/airports/sync")).body["id"])
        await sql("UPDATE jobs SET status = :status WHERE status = 'queued'", status=status)

    assert len(ids) == 3


async def test_who_asked_is_kept(admin: Client, jobs: Jobs) -> None:
    """With the job."""
    job = await jobs.row((await admin.post("/airports/sync")).body["id"])

    assert str(job["requested_by"]) == admin.user["id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", route) for route in ROUTES),
        ("GET", "/admin/jobs"),
        ("GET", "/admin/jobs/00000000-0000-4000-8000-000000000000"),
        ("GET", "/admin/jobs/00000000-0000-4000-8000-000000000000/refusals"),
    ],
)
async def test_only_administrators_may(
    api: Client, traveller: Client, sql: Any, method: str, path: str
) -> None:
    """Strangers sign in first, users are refused, and no job comes of it."""
    nobody, user = await api.send(method, path), await traveller.send(method, path)

    assert (nobody.status, nobody.code) == (401, "unauthorized")
    assert (user.status, user.code) == (403, "admins_only")
    assert await sql("SELECT 1 FROM jobs") == []


async def test_a_role_that_was_taken_away_is_gone_at_once(admin: Client, sql: Any) -> None:
    """Though the token still says who it is."""
    await sql("UPDATE users SET role = 'user' WHERE id = CAST(:id AS uuid)", id=admin.user["id"])

    assert (await admin.post("/airports/sync")).status == 403


@pytest.fixture
def unreachable_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens where Redis should be, as far as doorbells are concerned."""
    monkeypatch.setattr(settings(), "redis_url", "redis://127.0.0.1:1/0")


async def test_a_lost_doorbell_loses_no_job(
    unreachable_broker: None, reference_data: None, admin: Client
) -> None:
    """It is accepted without the broker, and the sweep finds it."""
    asked = await admin.post("/airlines/sync")
    assert asked.status == 202

    await service.run_due()

    job = (await admin.get(asked.headers["Location"])).body
    assert (job["status"], job["error"]) == ("succeeded", None)
