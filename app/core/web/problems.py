"""Every refusal as RFC 9457 `application/problem+json`, in one shape, never echoing what was sent."""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from app.core.config import settings
from app.core.errors import (
    AppError,
    BadRequest,
    CardNumberRefused,
    FieldProblem,
    NotFound,
    Unavailable,
    Unprocessable,
)
from app.core.logging import logger
from app.core.metrics import INVENTORY_CONFLICTS
from app.core.text import CARD_NUMBER

log = logger("jetway.problems")

_TYPE = "urn:jetway:problem:"
# Refusals because somebody or something else was faster.
INVENTORY_RACES = frozenset(
    ("sold_out", "seat_taken", "price_changed", "hold_expired", "flight_not_on_sale", "duplicate_trip")
)
_LOCKS = {"55P03": "lock_timeout", "40P01": "deadlock"}
# Deadlock, serialisation failure, lock timeout: the same request may well succeed a moment later.
_TRY_AGAIN = ("40P01", "40001", "55P03", "57014", "57P01", "57P03", "53300")


class FieldProblemOut(BaseModel):
    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """The body of every refusal."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable; programs decide by it.")
    request_id: str
    retryable: bool
    errors: list[FieldProblemOut] | None = None


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    title = "The database does not answer"


class TryAgain(Unavailable):
    code = "try_again"
    title = "Too many at once; try again"


class MalformedJson(BadRequest):
    code = "malformed_json"
    title = "The body is not JSON"


class MalformedRequest(BadRequest):
    code = "malformed_request"
    title = "The request can be understood in more than one way"


class AddressTooLong(AppError):
    status = 414
    code = "uri_too_long"
    title = "The address is too long"


class HeadersTooLarge(AppError):
    status = 431
    code = "headers_too_large"
    title = "The headers are too large"


class RequestTimeout(AppError):
    status = 408
    code = "request_timeout"
    title = "The body did not arrive in time"
    retryable = True


class MethodNotAllowed(AppError):
    status = 405
    code = "method_not_allowed"
    title = "This path does not take that method"


class BodyTooLarge(AppError):
    status = 413
    code = "body_too_large"
    title = "The request is too large"


class UnsupportedMediaType(AppError):
    status = 415
    code = "unsupported_media_type"
    title = "Send JSON"


# The framework has no other reason for 400 than a body that it cannot parse.
_BY_STATUS: dict[int, type[AppError]] = {
    error.status: error
    for error in (MalformedJson, NotFound, MethodNotAllowed, BodyTooLarge, UnsupportedMediaType)
}


def problems(*errors: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """What a route can refuse, for its OpenAPI description."""
    described: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        entry = described.setdefault(
            error.status,
            {
                "description": "",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        )
        entry["description"] += f"{' · ' if entry['description'] else ''}`{error.code}`"
    return described


def answer(request: Request, error: AppError) -> Response:
    """One refusal, rendered."""
    if error.code in INVENTORY_RACES:
        INVENTORY_CONFLICTS.labels(error.code).inc()
    body = {
        "type": error.type or _TYPE + error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request.scope.get("state", {}).get("request_id", ""),
        "retryable": error.retryable,
        **({"errors": error.errors} if error.errors else {}),
        **error.members,
    }
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(body), error.status, headers, "application/problem+json")


def install(app: FastAPI) -> None:
    for kind, handler in _handlers().items():
        app.add_exception_handler(kind, handler)


async def answered(request: Request, error: Exception) -> Response:
    """What FastAPI would answer to this error, for what is answered before FastAPI is entered."""
    handlers = _handlers()
    return await next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)(request, error)


def _handlers() -> dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    return {
        AppError: _refused,
        RequestValidationError: _invalid,
        HTTPException: _http,
        PoolTimeout: _busy,
        DBAPIError: _database,
        OSError: _unreachable,
        Exception: _unexpected,
    }


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)  # noqa: S101
    error.errors = error.errors and [_placed(one, request.path_params) for one in error.errors]
    return answer(request, error)


def _placed(problem: FieldProblem, path: dict[str, Any]) -> FieldProblem:
    """A service names a member of a body; where the path holds what it means, the name alone is the pointer."""
    name = problem["pointer"].removeprefix("/")
    return FieldProblem(name, problem["code"], problem["message"]) if name in path else problem


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return answer(request, MalformedJson("The body could not be parsed as JSON."))
    fields = [FieldProblem(_pointer(one["loc"]), one["type"], _message(one)) for one in found]
    refused = CardNumberRefused if any(field["code"] == CARD_NUMBER for field in fields) else Unprocessable
    return answer(request, refused("See `errors` for what to change.", errors=fields))


def _pointer(location: tuple[int | str, ...]) -> str:
    """RFC 6901 into the body; a query, path or header parameter is pointed at by its name."""
    place, *path = location
    if place != "body":
        return str(path[0]) if path else str(place)
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _message(one: dict[str, Any]) -> str:
    # A validator of ours raises ValueError with a message made for readers; pydantic prefixes it.
    return (
        str(one["msg"]).removeprefix("Value error, ")[:300]
        if one["type"] != "enum"
        else "Not one of the allowed values"
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    response = answer(request, _BY_STATUS.get(error.status_code, BadRequest)())
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    if error.status_code == MethodNotAllowed.status:
        response.headers["Allow"] = ", ".join(_allowed(request))
    return response


def _allowed(request: Request) -> list[str]:
    """The methods that this path takes; the router would tell those of the first route that has it."""
    routes = request.app.router.routes
    return [
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] == Match.FULL for route in routes)
    ]


async def _busy(request: Request, _: Exception) -> Response:
    return answer(request, TryAgain("Every database connection is in use.", retry_after=1))


async def _database(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)  # noqa: S101
    state = getattr(error.orig, "sqlstate", None) or ""
    if state in _LOCKS:
        INVENTORY_CONFLICTS.labels(_LOCKS[state]).inc()
    if state in _TRY_AGAIN:
        return answer(request, TryAgain(retry_after=1))
    if error.connection_invalidated or isinstance(error, InterfaceError | OperationalError):
        return answer(request, DatabaseUnavailable(retry_after=2))
    return await _unexpected(request, error)


async def _unreachable(request: Request, error: Exception) -> Response:
    log.warning("dependency unreachable", kind=type(error).__name__)
    return answer(request, DatabaseUnavailable(retry_after=2))


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    # Production refuses to start with DEBUG, so no stranger is told.
    explained = f"{type(error).__name__}: {error}" if settings().debug else ""
    return answer(request, AppError(explained or "The error has been logged under this request id."))
