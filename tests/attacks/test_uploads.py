"""Attack: files. Only operators send any; what they were given by others may be bad all the same."""

import gzip
import io
import zipfile
from typing import Any

import pytest

from tests.schedules.support import row, table
from tests.support.client import Answer, Client

PATH = "/admin/schedules/import"
MEBI = 1024 * 1024


@pytest.fixture(autouse=True)
async def no_jobs(sql: Any) -> Any:
    yield
    await sql("DELETE FROM jobs")


async def upload(client: Client, content: bytes, kind: str = "text/csv", **headers: str) -> Answer:
    return await client.send("POST", PATH, data=content, headers={"Content-Type": kind, **headers})


async def test_a_traveller_uploads_a_schedule(traveller: Client, sql: Any) -> None:
    """Whatever it is called; nothing of it is kept."""
    before = await sql("SELECT id FROM jobs")
    for kind in ("text/csv", "application/octet-stream", "multipart/form-data", "image/svg+xml"):
        assert (await upload(traveller, table(row()), kind)).code == "admins_only"
    assert await sql("SELECT id FROM jobs") == before


@pytest.mark.parametrize("packed", ["gzip", "zip"])
async def test_a_bomb(admin: Client, packed: str) -> None:
    """Nothing is unpacked, so nothing grows."""
    content = io.BytesIO()
    if packed == "gzip":
        content.write(gzip.compress(b"0" * 50 * MEBI))
    else:
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("schedule.csv", b"0" * 50 * MEBI)

    plain = await upload(admin, content.getvalue())
    encoded = await upload(admin, content.getvalue(), **{"Content-Encoding": packed})

    assert plain.status in (415, 422)
    assert encoded.status in (415, 422)


@pytest.mark.parametrize(
    "formula", ["=cmd|'/C calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "=HYPERLINK(0)"]
)
async def test_formulas_in_a_table(admin: Client, formula: str) -> None:
    """They are no carriers, days or numbers: no line with one becomes a flight that somebody would export."""
    for field in ("carrier", "number", "days"):
        answer = await upload(admin, table(row(**{field: formula})))
        assert answer.status in (202, 422), field


@pytest.mark.parametrize(
    "content",
    [
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>",
        b"%PDF-1.7\n",
        b"\x7fELF" + bytes(2000),
        b"#!/bin/sh\nid\n",
        b"GIF89a<script>alert(1)</script>",
        bytes(10_000),
        b"",
    ],
    ids=["xml", "pdf", "program", "script", "picture", "zeros", "nothing"],
)
async def test_what_is_no_schedule(admin: Client, content: bytes) -> None:
    """Refused when it is sent, in the product's own words."""
    answer = await upload(admin, content)

    assert answer.status == 422
    assert b"root:" not in answer.raw


@pytest.mark.parametrize("name", ["../../etc/passwd", "x; rm -rf /", "a\\b.csv"])
async def test_a_name_of_a_file_is_nothing(admin: Client, name: str) -> None:
    """It is neither read nor kept."""
    answer = await upload(admin, table(row()), **{"Content-Disposition": f'attachment; filename="{name}"'})

    assert answer.status == 202
    assert name.encode() not in answer.raw
