"""The OpenAPI description: what FastAPI finds, plus the problem schema and examples that work today."""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from app.auth.schemas import Login
from app.core import clock
from app.core.web.problems import Problem

DESCRIPTION = """
Search flights, hold seats, read bookings.

* Money is `{"amount": "123.45", "currency": "EUR"}`: a decimal string, never a float.
* Flight times carry the airport's UTC offset on that date; audit times are UTC.
* Every refusal is `application/problem+json` (RFC 9457) with a stable `code`.
* `POST /bookings` takes an `Idempotency-Key`: the same key and body give the first answer again.
"""

_DAYS_AHEAD = 30


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
        for operations in schema["paths"].values():
            for operation in operations.values():
                _freshen(operation, day.isoformat(), (day + timedelta(days=7)).isoformat())
        return schema

    app.openapi = described  # type: ignore[method-assign]


def _freshen(operation: dict[str, Any], departure: str, back: str) -> None:
    """422 is a problem document like every refusal; dates of examples are moved ahead."""
    invalid = operation["responses"].get("422")
    if invalid is not None and "application/json" in invalid.get("content", {}):
        reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
        invalid.update(description="`validation_error`", content={"application/problem+json": reference})
    for parameter in operation.get("parameters", ()):
        if parameter["name"] == "departure_date":
            parameter["example"] = departure
        if parameter["name"] == "return_date":
            parameter["examples"] = {"one way": {"value": ""}, "return": {"value": back}}
