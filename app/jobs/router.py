"""For operators: how the work they asked for goes."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import JSONResponse

from app.auth.dependencies import NOT_AN_ADMIN, AdminUser
from app.core.db import Row
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.jobs import service
from app.jobs.errors import JobNotFound
from app.jobs.schemas import JobList, JobOut, RefusalList

router = APIRouter(prefix="/admin/jobs", tags=["Operations"])


JobId = Annotated[str, Path(max_length=40, examples=["3f0c6a1e-6f0b-4a34-9d6e-0c9f5a5d7b11"])]


def accepted(job: Row) -> JSONResponse:
    """The answer of a route that asks for a job: 202, and where to look."""
    headers = {"Location": f"{router.prefix}/{job['id']}"}
    return JSONResponse({"id": str(job["id"]), "status": job["status"]}, 202, headers)


@router.get("", response_model=JobList, responses=problems(*NOT_AN_ADMIN))
async def list_jobs(
    _: AdminUser, session: SessionDep, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """Work that operators asked for, newest first."""
    return JSONResponse(await service.page(session, cursor, limit))


@router.get("/{job_id}", response_model=JobOut, responses=problems(*NOT_AN_ADMIN, JobNotFound))
async def read_job(_: AdminUser, session: SessionDep, job_id: JobId) -> JSONResponse:
    """One job: its progress while it runs, its result when it is done."""
    return JSONResponse(await service.read(session, job_id))


@router.get("/{job_id}/refusals", response_model=RefusalList, responses=problems(*NOT_AN_ADMIN, JobNotFound))
async def list_refusals(
    _: AdminUser, session: SessionDep, job_id: JobId, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """What a job did not use and why, in the order of its input."""
    return JSONResponse(await service.refusals(session, job_id, cursor, limit))
