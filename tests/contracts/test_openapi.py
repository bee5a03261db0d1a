"""The description that clients are generated from."""

import asyncio
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest_asyncio

import app
from app.core.errors import AppError
from tests.support.client import Client
from tests.support.stack import run

# Who has no account proves something else.
GUESTS = {"POST /bookings/lookup", "POST /bookings/lookup/link", "POST /bookings/guest"}
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest_asyncio.fixture
async def document(api: Client) -> dict[str, Any]:
    answer = await api.get("/openapi.json")
    assert answer.status == 200
    described: dict[str, Any] = answer.body
    return described


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in the document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(inner)


def feature_errors(kind: type[AppError] = AppError) -> Iterator[type[AppError]]:
    """What the features can refuse, core's own apart."""
    for leaf in kind.__subclasses__():
        if leaf.__module__.endswith(".errors") and not leaf.__module__.startswith("app.core"):
            yield leaf
        yield from feature_errors(leaf)


async def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    """With its version, title and paths."""
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version", "description"} <= document["info"].keys()
    assert document["info"]["version"] == app.__version__
    assert all(path.startswith("/") for path in document["paths"])


async def test_every_reference_resolves(document: dict[str, Any]) -> None:
    """And every schema is used by somebody."""
    references = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    assert references <= schemas
    unused = schemas - references
    assert {name.rsplit("/", 1)[1] for name in unused} <= {"HTTPValidationError", "ValidationError"}


async def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    """A summary, a description, a tag, and an id of its own."""
    found = dict(operations(document))

    assert len(found) > 12
    for name, operation in found.items():
        assert operation.get("summary"), name
        assert operation.get("description"), name
        assert len(operation["tags"]) == 1, name
    ids = [operation["operationId"] for operation in found.values()]
    assert len(set(ids)) == len(ids)


async def test_every_operation_describes_its_success(document: dict[str, Any]) -> None:
    """A 2xx with a schema, or without a body.

    202 stands beside it where the outcome may not be known yet, and 200 beside 201 where it may be there already.
    """
    for name, operation in operations(document):
        succeeds = {code: answer for code, answer in operation["responses"].items() if code.startswith("2")}
        assert len(succeeds.keys() - {"202"}) == 1 or set(succeeds) in ({"202"}, {"200", "201"}), name
        for code, answer in succeeds.items():
            content = answer.get("content", {})
            assert code == "204" or content, name
            assert all(media.get("schema") for media in content.values()), name


async def test_every_refusal_is_a_problem_document(document: dict[str, Any]) -> None:
    """In the one shape, with at least one code in its description."""
    for name, operation in operations(document):
        for code, answer in operation["responses"].items():
            if code.startswith("2"):
                continue
            if code == "503" and "application/json" in answer.get("content", {}):
                continue  # Health and readiness say with their own shape that they are not well.
            [(media, content)] = answer["content"].items()
            assert media == "application/problem+json", (name, code)
            assert content["schema"]["$ref"] == "#/components/schemas/Problem", (name, code)
            assert re.search(r"`[a-z_]+`", answer["description"]), (name, code)


async def test_every_code_of_a_feature_is_described(document: dict[str, Any]) -> None:
    """A refusal that no route announces would surprise its clients."""
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if module.name.endswith(".errors"):
            importlib.import_module(module.name)
    described = {
        (code, refusal)
        for _, operation in operations(document)
        for code, answer in operation["responses"].items()
        for refusal in re.findall(r"`([a-z_]+)`", answer["description"])
    }
    errors = list(feature_errors())

    assert len(errors) > 20
    assert {(str(error.status), error.code) for error in errors} <= described


async def test_codes_are_unique_and_titled() -> None:
    """A program decides by the code, a person reads the title."""
    errors = list(feature_errors())

    assert len({error.code for error in errors}) == len(errors)
    assert len({error.title for error in errors}) == len(errors)
    assert all(re.fullmatch(r"[a-z][a-z_]+", error.code) for error in errors)


async def test_path_parameters_are_declared(document: dict[str, Any]) -> None:
    """Each exactly once, and required."""
    for path, item in document["paths"].items():
        wanted = set(re.findall(r"{(\w+)}", path))
        for method in METHODS & item.keys():
            declared = [p for p in item[method].get("parameters", ()) if p["in"] == "path"]
            assert {parameter["name"] for parameter in declared} == wanted
            assert all(parameter["required"] for parameter in declared)


async def test_every_parameter_has_a_schema(document: dict[str, Any]) -> None:
    """Names are unique within an operation."""
    for name, operation in operations(document):
        parameters = operation.get("parameters", [])
        assert all(parameter["schema"] for parameter in parameters), name
        assert len({(p["in"], p["name"]) for p in parameters}) == len(parameters), name


async def test_protected_operations_declare_their_scheme(document: dict[str, Any]) -> None:
    """A 401 for lack of a token goes with a security scheme that is defined."""
    schemes = document["components"]["securitySchemes"]
    for name, operation in operations(document):
        needed = {scheme for choice in operation.get("security", ()) for scheme in choice}
        assert needed <= schemes.keys(), name
        if name.split()[1].startswith("/bookings") and name not in GUESTS:
            assert needed, name


async def test_the_search_is_described_with_its_dates_ahead(api: Client, document: dict[str, Any]) -> None:
    """Its example works when it is tried today."""
    operation = document["paths"]["/flights/search"]["get"]
    examples = {p["name"]: p.get("example") for p in operation["parameters"]}

    assert {"origin", "destination", "departure_date", "return_date", "cabin", "currency"} <= examples.keys()
    tried = await api.get(
        "/flights/search", origin="JFK", destination="LHR", departure_date=examples["departure_date"]
    )
    assert (tried.status, bool(tried.body["data"])) == (200, True)


async def test_the_command_prints_the_same_paths(document: dict[str, Any]) -> None:
    """`python -m app openapi` needs no server."""
    printed = json.loads((await asyncio.to_thread(run, "-m", "app", "openapi")).stdout)

    assert printed.keys() == document.keys()
    assert printed["paths"].keys() == document["paths"].keys()
