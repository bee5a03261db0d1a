"""The OpenAPI description: what FastAPI finds, plus the problem schema and examples that work today."""

import os
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from app.auth.schemas import Login
from app.core import clock
from app.core.config import settings
from app.core.errors import AppError, TooManyRequests
from app.core.web.context import UNLIMITED
from app.core.web.problems import (
    AddressTooLong,
    BodyTooLarge,
    HeadersTooLarge,
    MalformedJson,
    MalformedRequest,
    Problem,
    RequestTimeout,
    UnsupportedMediaType,
    problems,
)
from app.offers import answers

DESCRIPTION = """
Search flights, hold seats, pay, change, cancel, check in.

* Money is `{"amount": "123.45", "currency": "EUR"}`: a decimal string, never a float.
* Flight times carry the airport's UTC offset on that date; audit times are UTC.
* Every refusal is `application/problem+json` (RFC 9457) with a stable `code`.
* Who asks too often gets 429 with `Retry-After`; `RateLimit` tells in every answer what is left.
* `POST /bookings` takes an `Idempotency-Key`: the same key and body give the first answer again.
"""

_DAYS_AHEAD = 30
_LIMIT_HEADERS = {
    "Retry-After": ("Seconds to wait.", "17"),
    "RateLimit-Policy": ("Each limit with its requests and its window in seconds.", '"anonymous";q=60;w=60'),
    "RateLimit": (
        "What is left of each, and the seconds until all of it is there again.",
        '"anonymous";r=0;t=17',
    ),
}

# What can be refused before a route has seen it: any request, and any that has a body.
_UNREADABLE = problems(MalformedRequest, AddressTooLong, HeadersTooLarge)
_UNREADABLE_BODY = problems(
    MalformedRequest,
    MalformedJson,
    RequestTimeout,
    BodyTooLarge,
    AddressTooLong,
    UnsupportedMediaType,
    HeadersTooLarge,
)


def install(app: FastAPI) -> None:
    """Replace the app's OpenAPI function; dates in examples are always some weeks ahead."""
    generate = app.openapi

    def described() -> dict[str, Any]:
        schema = generate()
        schemas = schema["components"]["schemas"]
        for model in (Problem, Login):
            definition = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(definition.pop("$defs", {}))
            schemas[model.__name__] = definition
        day = clock.now().date() + timedelta(days=_DAYS_AHEAD)
        for path, operations in schema["paths"].items():
            for operation in operations.values():
                _freshen(operation, day.isoformat())
                if path not in UNLIMITED:
                    _limit(operation)
                unreadable = _UNREADABLE_BODY if "requestBody" in operation else _UNREADABLE
                for status, refusal in unreadable.items():
                    operation["responses"].setdefault(str(status), refusal)
        if settings().app_env != "production":
            _show_what_works_here(schema)
        return schema

    app.openapi = described  # type: ignore[method-assign]


def _limit(operation: dict[str, Any]) -> None:
    """Any of them can be refused to somebody who asks too often."""
    refusal = operation["responses"].setdefault("429", problems(TooManyRequests)[429])
    refusal["headers"] = {
        name: {"description": description, "schema": {"type": "string"}, "example": example}
        for name, (description, example) in _LIMIT_HEADERS.items()
    }


def _freshen(operation: dict[str, Any], departure: str) -> None:
    """422 is a problem document like every refusal; dates of examples are moved ahead."""
    invalid = operation["responses"].get("422")
    if invalid is not None and "application/json" in invalid.get("content", {}):
        reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
        invalid.update(description="`validation_error`", content={"application/problem+json": reference})
    for parameter in operation.get("parameters", ()):
        if examples := parameter["schema"].get("examples"):
            parameter.setdefault("example", examples[0])
        if parameter["name"] == "departure_date":
            parameter["example"] = departure


def _show_what_works_here(schema: dict[str, Any]) -> None:
    """Examples that can be sent as they are: the demo account, and what the last search of this process found.

    Try a search in /docs and reload: `POST /bookings` and `GET /flights/{flight_id}` have its best offer then.
    """
    schemas = schema["components"]["schemas"]
    if "DEMO_EMAIL" in os.environ and "DEMO_PASSWORD" in os.environ:
        demo = {"email": os.environ["DEMO_EMAIL"], "password": os.environ["DEMO_PASSWORD"]}
        schemas["Login"]["examples"] = [demo]
    latest = answers.latest_offer()
    if latest is None:
        return
    schemas["BookingIn"]["examples"][0]["offer_id"] = latest["id"]
    for parameter in schema["paths"]["/flights/{flight_id}"]["get"]["parameters"]:
        if parameter["name"] == "flight_id":
            parameter["example"] = latest["slices"][0]["segments"][0]["flight_id"]


def error_codes() -> str:
    """`docs/errors.md`: every code, its status, and whether asking again can help."""
    lines = [
        "# Error codes",
        "",
        "Every refusal is `application/problem+json` with one of these in `code`. Made by `python -m app error-codes`.",
        "",
        "| code | status | meaning | retry |",
        "| --- | --- | --- | --- |",
    ]
    # Where several errors share a code, the most general one gives its meaning.
    special_first = sorted(_all(AppError), key=lambda error: (-len(error.__mro__), error.__name__))
    codes = {(error.status, error.code): error for error in special_first}
    lines += [
        f"| `{code}` | {status} | {error.title} | {'yes' if error.retryable else 'no'} |"
        for (status, code), error in sorted(codes.items())
    ]
    return "\n".join(lines)


def _all(error: type[AppError]) -> set[type[AppError]]:
    return {error}.union(*(_all(kind) for kind in error.__subclasses__()))
