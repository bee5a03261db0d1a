"""An administrator uploads a schedule: it is kept in pieces, loaded by a job, and reported line by line."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio

from app.jobs import service as jobs
from app.schedules import service
from tests.schedules.support import one_leg, row, table
from tests.support.client import Answer, Client

PATH = "/admin/schedules/import"
MEBI = 1024 * 1024


@pytest_asyncio.fixture(autouse=True)
async def no_jobs(sql: Any) -> None:
    """Other tests' jobs are done by nobody here."""
    await sql("DELETE FROM jobs")


async def upload(client: Client, content: Any, kind: str = "text/csv", **params: str) -> Answer:
    return await client.send("POST", PATH, data=content, params=params, headers={"Content-Type": kind})


async def done(client: Client, asked: Answer) -> dict[str, Any]:
    """The job once workers have had all the time they need."""
    assert asked.status == 202, asked.body
    while (await client.get(asked.headers["Location"])).body["status"] in ("queued", "running"):
        assert await jobs.run_one()
    job: dict[str, Any] = (await client.get(asked.headers["Location"])).body
    return job


async def test_an_upload_is_accepted_and_loaded(admin: Client, sql: Any, carrier: str) -> None:
    """The job tells how far it is, what came of the file, and which lines were refused."""
    content = table(row(carrier=carrier), row(carrier=carrier, number="2", days="x"), row(carrier="?"))

    asked = await upload(admin, content)

    assert asked.body.keys() == {"id", "status"}
    assert asked.headers["Location"] == f"/admin/jobs/{asked.body['id']}"
    job = await done(admin, asked)
    assert (job["kind"], job["status"], job["error"]) == ("schedules.import", "succeeded", None)
    assert job["progress"] == {"done": len(content), "total": len(content)}
    told = ("lines", "flights", "added", "changed", "unchanged", "refused", "withdrawn")
    assert [job["result"][name] for name in told] == [3, 7, 7, 0, 0, 2, 0]
    refusals = (await admin.get(f"/admin/jobs/{asked.body['id']}/refusals")).body["data"]
    assert [(one["line"], one["code"]) for one in refusals] == [(3, "bad_days"), (4, "bad_carrier")]
    assert all(one["message"].endswith(".") for one in refusals)
    assert len(await sql("SELECT 1 FROM flights WHERE carrier = :carrier", carrier=carrier)) == 7


@pytest.mark.parametrize("kind", ["text/csv", "text/plain; charset=utf-8", "application/octet-stream"])
async def test_the_format_is_seen_from_the_file(admin: Client, carrier: str, kind: str) -> None:
    """Or named."""
    for content, name in ((one_leg(carrier=carrier), "ssim"), (table(row(carrier=carrier)), "csv")):
        assert (await upload(admin, content, kind)).status == 202
        assert (await upload(admin, content, kind, format=name)).status == 202


async def test_replacing_is_asked_for(admin: Client, sql: Any, carrier: str) -> None:
    """Else nothing is withdrawn."""
    both, one = table(row(carrier=carrier), row(carrier=carrier, number="2")), table(row(carrier=carrier))
    await done(admin, await upload(admin, both))

    added = await done(admin, await upload(admin, one))
    replaced = await done(admin, await upload(admin, one, replace="true"))

    assert (added["result"]["withdrawn"], replaced["result"]["withdrawn"]) == (0, 7)


async def test_a_large_file_is_kept_in_pieces(admin: Client, sql: Any, carrier: str) -> None:
    """In its order, whatever it came in; its sender need not know how long it is."""
    # The rows that a spreadsheet leaves behind below the last one.
    content = table(row(carrier=carrier)) + (b"," * 127 + b"\n") * (5 * MEBI // 128)

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    asked = await upload(admin, slowly())

    [kept] = await sql(
        "SELECT string_agg(data, '' ORDER BY position) AS file, max(length(data)) AS longest"
        " FROM job_inputs WHERE job_id = CAST(:id AS uuid)",
        id=asked.body["id"],
    )
    assert bytes(kept["file"]) == content
    assert kept["longest"] <= MEBI / 4
    assert (await done(admin, asked))["result"]["flights"] == 7


async def test_a_job_that_is_handed_on_at_every_step_ends_the_same(
    admin: Client, sql: Any, carrier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if its workers were killed or had other things to do."""
    monkeypatch.setattr(service, "BATCH", 3)
    lines = [row(carrier=carrier, number=str(number)) for number in range(1, 7)]
    content = table(*lines, lines[0], row(carrier=carrier, number="8", days="x"))
    asked, slices = await upload(admin, content), 0

    while (await admin.get(asked.headers["Location"])).body["status"] == "queued":
        await jobs.run_one(seconds=0)
        slices += 1

    result = (await admin.get(asked.headers["Location"])).body["result"]
    assert slices > 6
    assert [result[name] for name in ("lines", "flights", "added", "refused")] == [8, 42, 42, 2]
    refusals = await sql("SELECT line, code FROM job_refusals ORDER BY line")
    assert refusals == [{"line": 8, "code": "listed_twice"}, {"line": 9, "code": "bad_days"}]


async def test_only_administrators_may(api: Client, traveller: Client, sql: Any) -> None:
    """Nothing is kept of what others send."""
    nobody, user = await upload(api, table(row())), await upload(traveller, table(row()))

    assert (nobody.status, nobody.code) == (401, "unauthorized")
    assert (user.status, user.code) == (403, "admins_only")
    assert await sql("SELECT 1 FROM jobs") == []


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "image/png", ""])
async def test_other_types_are_refused(admin: Client, kind: str) -> None:
    """A file is sent as it is."""
    answer = await upload(admin, table(row()), kind)

    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert "text/csv" in answer.body["title"]


@pytest.mark.parametrize(
    ("content", "params"),
    [
        (b"", {}),
        (b"\n\n\n", {}),
        (b"hello", {}),
        (one_leg(), {"format": "csv"}),
        (table(row()), {"format": "ssim"}),
        (table(row()).replace(b"days", b"when"), {}),
    ],
    ids=["empty", "blank", "a greeting", "SSIM as CSV", "CSV as SSIM", "another column"],
)
async def test_what_is_no_schedule_is_refused_at_once(
    admin: Client, sql: Any, content: bytes, params: dict[str, str]
) -> None:
    """Before anything is kept, and why is said."""
    answer = await upload(admin, content, **params)

    assert (answer.status, answer.code) == (422, "unreadable_schedule")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["detail"].endswith(".")
    assert await sql("SELECT 1 FROM jobs") == []


async def test_a_format_nobody_knows_is_refused(admin: Client) -> None:
    """There are two."""
    answer = await upload(admin, table(row()), format="xml")

    assert (answer.status, answer.code) == (422, "validation_error")


async def test_a_file_without_one_good_line_fails(admin: Client, carrier: str) -> None:
    """Its lines are named all the same."""
    job = await done(admin, await upload(admin, table(row(carrier=carrier, origin="QQQ"))))

    assert (job["status"], job["error"], job["result"]["refused"]) == ("failed", "nothing_readable", 1)


@pytest.mark.parametrize("declared", [True, False])
async def test_the_largest_file_has_64_mebibytes(admin: Client, sql: Any, declared: bool) -> None:
    """Whether its sender says how large it is or not."""
    size = 64 * MEBI + 1

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield bytes(MEBI)

    answer = await upload(admin, BytesIO(bytes(size)) if declared else endless())

    assert (answer.status, answer.code) == (413, "body_too_large")
    assert await sql("SELECT 1 FROM jobs") == []


@pytest.mark.parametrize("path", ["/auth/login", "/bookings", "/airports/sync", PATH + "/", PATH + "s"])
async def test_everything_else_takes_no_more_than_it_did(admin: Client, path: str) -> None:
    """One mebibyte."""
    body = BytesIO(bytes(MEBI + 1))
    answer = await admin.send("POST", path, data=body, headers={"Content-Type": "text/csv"})

    assert (answer.status, answer.code) == (413, "body_too_large")


async def test_the_upload_is_described(api: Client) -> None:
    """For those who read the OpenAPI description."""
    operation = (await api.get("/openapi.json")).body["paths"][PATH]["post"]

    assert set(operation["requestBody"]["content"]) == {"text/csv", "text/plain", "application/octet-stream"}
    assert {"202", "401", "403", "413", "415", "422"} <= operation["responses"].keys()
    assert {one["name"] for one in operation["parameters"]} == {"format", "replace"}
