"""For operators and orchestrators: health, readiness, metrics, and a page that says where things are."""

import secrets
import uuid
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from app.auth.dependencies import NOT_AN_ADMIN, AdminUser, caller_of, require_admin
from app.core import gathering, replica
from app.core.config import settings
from app.core.errors import Unauthorized, Unavailable
from app.core.shapes import Instant
from app.core.web.ending import ending
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.ops import measuring, service
from app.ops.schemas import AuditLog, Health, Providers

router = APIRouter(tags=["Operations"])

_HOME = (Path(__file__).parent / "home.html").read_text()
_bearer = HTTPBearer(
    auto_error=False, description="`ADMIN_METRICS_TOKEN`, or an administrator's access token."
)

_WORD = r"^[\x21-\x7e]+$"


@router.get("/", include_in_schema=False)
async def home() -> HTMLResponse:
    return HTMLResponse(_HOME)


@router.get("/livez", response_model=dict[str, str])
async def livez() -> JSONResponse:
    """The process runs; restart it if this fails."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", response_model=dict[str, str])
async def readyz(
    exclude: Annotated[
        Literal["postgres"] | None,
        Query(
            description="What is not asked: `postgres` where all processes have the same one, which then all know less "
            "without it, but still answer."
        ),
    ] = None,
) -> JSONResponse:
    """The process can serve; send it no requests while this is 503, because it cannot or because it ends."""
    status = "ending" if ending.begun else "ok" if exclude or await service.ready() else "down"
    return JSONResponse({"status": status}, 200 if status == "ok" else 503)


@router.get("/admin/health", response_model=Health)
async def health() -> JSONResponse:
    """Every dependency, asked now; 503 when nothing can be served."""
    found = await service.health()
    return JSONResponse(found, 503 if found["status"] == "down" else 200)


@router.get("/admin/providers", response_model=Providers, responses=problems(*NOT_AN_ADMIN))
async def providers(_: AdminUser) -> JSONResponse:
    """Budgets and what is left of them, and how each vendor's endpoints do, for all processes together."""
    return JSONResponse({"data": await service.providers()})


@router.get("/admin/audit", response_model=AuditLog, responses=problems(*NOT_AN_ADMIN))
async def read_audit_log(
    _: AdminUser,
    action: Annotated[str | None, Query(pattern=_WORD, max_length=64, examples=["payment.succeeded"])] = None,
    actor: Annotated[uuid.UUID | None, Query(description="The user or key that acted.")] = None,
    subject: Annotated[str | None, Query(pattern=_WORD, max_length=100, examples=["booking:K7QX2M"])] = None,
    since: Annotated[Instant | None, Query(description="From then on.")] = None,
    until: Annotated[Instant | None, Query(description="Before then.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JSONResponse:
    """Who did what to whom, newest first; nobody can change what is in it."""
    wanted = {"action": action, "actor": actor, "subject": subject, "since": since, "until": until}
    return JSONResponse(await replica.read(service.audited, cursor, limit, wanted))


@router.get(
    "/admin/metrics", response_class=PlainTextResponse, responses=problems(*NOT_AN_ADMIN, Unavailable)
)
async def metrics(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Response:
    """Prometheus metrics: of this process, or of all that share its port, and of what they stand on."""
    if credentials is None:
        raise Unauthorized("Send ADMIN_METRICS_TOKEN or an administrator's token.")
    token, expected = credentials.credentials, settings().admin_metrics_token
    if not (expected and secrets.compare_digest(token.encode(), expected.encode())):
        await require_admin(await caller_of(request, token))
    await measuring.measure()
    return Response(await gathering.text(), media_type=CONTENT_TYPE_LATEST)
