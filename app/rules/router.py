"""For operators: the rules that they edit, such as fares."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import JSONResponse

from app.auth.dependencies import NOT_AN_ADMIN, AdminUser
from app.core.web.dependencies import SessionDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import BodyTooLarge, problems
from app.rules import service
from app.rules.errors import RulesChanged, RulesNotFound, RulesRefused
from app.rules.kinds import KINDS
from app.rules.schemas import RulesHistory, RulesIn, RulesList, RulesOut, RulesPublished

router = APIRouter(prefix="/admin/rules", tags=["Operations"])

MOST_BYTES = 8 * 1024 * 1024

KindName = Annotated[str, Path(alias="kind", max_length=32, examples=["fares"])]
Version = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Left out, it is the one in force.", examples=[1])
]


def paths() -> list[str]:
    """Where rules are published."""
    return [f"{router.prefix}/{name}" for name in KINDS]


@router.get("", response_model=RulesList, responses=problems(*NOT_AN_ADMIN))
async def list_rules(_: AdminUser, session: SessionDep) -> JSONResponse:
    """Every kind of rules: which version is in force, since when, and by whose hand."""
    return JSONResponse({"data": await service.every(session)})


@router.get("/{kind}", response_model=RulesOut, responses=problems(*NOT_AN_ADMIN, RulesNotFound))
async def read_rules(
    _: AdminUser, session: SessionDep, name: KindName, version: Version = None
) -> JSONResponse:
    """The tables of a version, ready to be edited and published, or to be published again as they are."""
    return JSONResponse(await service.read(session, name, version))


@router.get("/{kind}/history", response_model=RulesHistory, responses=problems(*NOT_AN_ADMIN, RulesNotFound))
async def list_versions(
    _: AdminUser, session: SessionDep, name: KindName, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """Every version there ever was, newest first: who published it, when and why."""
    return JSONResponse(await service.history(session, name, cursor, limit))


@router.post(
    "/{kind}",
    status_code=201,
    response_model=RulesPublished,
    responses=problems(*NOT_AN_ADMIN, RulesNotFound, RulesChanged, BodyTooLarge, RulesRefused),
)
async def publish_rules(admin: AdminUser, session: SessionDep, name: KindName, body: RulesIn) -> JSONResponse:
    """Put rules in force, within seconds and without a restart; `errors` names every cell that makes no sense."""
    if body.dry_run:
        await service.check(name, body.tables, body.note)
        return JSONResponse(await service.newest(session, name) | {"published": False}, 201)
    by = str(admin.user_id)
    stored, is_new = await service.publish(session, name, body.tables, by, body.note, body.based_on)
    return JSONResponse(stored | {"published": is_new}, 201)
