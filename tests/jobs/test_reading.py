"""Operators see what they asked for."""

from typing import Any

import pytest

from tests.jobs.support import Jobs
from tests.support.client import Client


async def test_jobs_are_listed_newest_first(admin: Client, jobs: Jobs) -> None:
    """A page at a time, each once, also while new ones come in."""
    ids = [str(await jobs.ask("test.listed")) for _ in range(5)]

    first = (await admin.get("/admin/jobs", limit=2)).body
    await jobs.ask("test.listed")
    second = (await admin.get("/admin/jobs", limit=2, cursor=first["next_cursor"])).body
    third = (await admin.get("/admin/jobs", limit=2, cursor=second["next_cursor"])).body

    listed = [job["id"] for page in (first, second, third) for job in page["data"]]
    assert listed == ids[::-1]
    assert third["next_cursor"] is None
    assert first["data"][0] == (await admin.get(f"/admin/jobs/{ids[-1]}")).body


@pytest.mark.parametrize("job_id", ["00000000-0000-4000-8000-000000000000", "nonsense", "%1F"])
@pytest.mark.parametrize("below", ["", "/refusals"])
async def test_a_job_that_is_not_there(admin: Client, job_id: str, below: str) -> None:
    """Whether its id could be one or not."""
    answer = await admin.get(f"/admin/jobs/{job_id}{below}")

    assert (answer.status, answer.code) == (404, "job_not_found")


@pytest.mark.parametrize("below", ["", "/{id}/refusals"])
async def test_a_cursor_of_somebody_elses_is_refused(admin: Client, jobs: Jobs, below: str) -> None:
    """As in every list."""
    job_id = await jobs.ask("test.listed")

    answer = await admin.get(f"/admin/jobs{below.format(id=job_id)}", cursor="bm9uc2Vuc2U")

    assert (answer.status, answer.body["errors"][0]["code"]) == (422, "invalid_cursor")


async def test_nothing_about_jobs_is_cached(admin: Client, jobs: Jobs) -> None:
    """A progress that stands still would look like a worker that does."""
    job_id = await jobs.ask("test.listed")

    for path in ("/admin/jobs", f"/admin/jobs/{job_id}", f"/admin/jobs/{job_id}/refusals"):
        answer: Any = await admin.get(path)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
