"""Every route that takes JSON, as the description has it, refuses what is none and what is of another type."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
import pytest_asyncio

from tests.door.raw import CANARY, Reply, request, send
from tests.support.client import Client

JSON = "Content-Type: application/json"
NOT_JSON = {
    "NaN": b'{"a": NaN}',
    "a name twice": b'{"a": 1, "a": 2}',
    "a surrogate": b'{"a": "\\ud800"}',
    "a zero": b'{"a": "\\u0000"}',
    "depth": b"[" * 40 + b"]" * 40,
    "a large number": b'{"a": 1e300}',
    "no UTF-8": b'{"a": "\xff"}',
}
BOUNDS = {"string": "maxLength", "array": "maxItems", "integer": "maximum", "number": "maximum"}
# Their service looks at every cell.
FREE = {"POST /admin/rules/{kind}/tables: unknown members"}
OF_ANOTHER_TYPE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**53,
    "",
    CANARY,
    [],
    [[]],
    [CANARY],
    {},
    {"x": CANARY},
    "\x1b" * 300,
]


@dataclass(frozen=True)
class Routes:
    """What the description says of routes, with its references followed."""

    described: dict[str, Any]

    def of_json(self) -> Iterator[tuple[str, str, list[str]]]:
        """Method, path, and the names that a body may have."""
        for method, path, operation in self.all():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                schema = content["application/json"]["schema"]
                # What may be left out is one of several.
                shapes = [self.followed(one) for one in (schema, *schema.get("anyOf", ()))]
                yield method, path, [name for shape in shapes for name in shape.get("properties", ())]

    def all(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, operations in self.described["paths"].items():
            for method, operation in operations.items():
                yield method.upper(), path, operation

    def followed(self, schema: dict[str, Any]) -> dict[str, Any]:
        name = schema.get("$ref", "").rpartition("/")[2]
        return self.described["components"]["schemas"][name] if name else schema

    def open_ends(self, schema: dict[str, Any], at: str) -> Iterator[str]:
        """What has no bounds in a schema, or takes members that it does not name."""
        schema = self.followed(schema)
        for one in schema.get("anyOf", ()):
            yield from self.open_ends(one, at)
        for name, member in schema.get("properties", {}).items():
            yield from self.open_ends(member, f"{at}/{name}")
        kind = schema.get("type", "")
        if kind == "object" and schema.get("additionalProperties") is not False:
            yield f"{at}: unknown members"
        closed = (
            "enum" in schema or "const" in schema or "format" in schema or _ends(schema.get("pattern", ""))
        )
        if kind in BOUNDS and not closed and BOUNDS[kind] not in schema:
            yield f"{at}: {kind}"
        if kind == "array":
            yield from self.open_ends(schema["items"], f"{at}[]")


def _ends(pattern: str) -> bool:
    """Whether what matches has an end."""
    return pattern.startswith("^") and pattern.endswith("$") and not re.search(r"(?<!\\)[*+]|,\}", pattern)


@pytest.fixture(scope="session")
def routes(address: str) -> Routes:
    from app.main import create_api

    return Routes(create_api().openapi())


@pytest_asyncio.fixture
async def token(api: Client, sql: Any) -> str:
    """An administrator's, so that nothing is refused for its sake."""
    admin = await api.signed_up()
    await sql("UPDATE users SET role = 'admin' WHERE id = CAST(:id AS uuid)", id=admin.user["id"])
    assert admin.token is not None
    return admin.token


async def asked(address: str, token: str, method: str, path: str, body: bytes) -> Reply:
    target = path.replace("{", "").replace("}", "")
    return await send(address, request(method, target, [JSON, f"Authorization: Bearer {token}"], body))


def test_there_are_such_routes(routes: Routes) -> None:
    """The walks below walk somewhere."""
    assert len(list(routes.of_json())) >= 20


def test_whatever_comes_in_has_bounds(routes: Routes) -> None:
    """Every text, list and number of every body and every parameter; and no body has a member that is not named."""
    found = set[str]()
    for method, path, operation in routes.all():
        for parameter in operation.get("parameters", ()):
            found |= set(routes.open_ends(parameter["schema"], f"{method} {path} ?{parameter['name']}"))
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            found |= set(routes.open_ends(content["application/json"]["schema"], f"{method} {path}"))

    assert found == FREE


async def test_all_take_json_only(address: str, token: str, routes: Routes) -> None:
    """In one strict reading, the same everywhere."""
    for method, path, _ in routes.of_json():
        for name, body in NOT_JSON.items():
            reply = await asked(address, token, method, path, body)
            assert (reply.status, reply.code) == (400, "malformed_json"), (method, path, name)


async def test_none_breaks_at_a_type(address: str, token: str, routes: Routes) -> None:
    """Neither for the whole nor for any member; what was sent does not come back, but where it was wrong does."""
    for method, path, members in routes.of_json():
        bodies = [*OF_ANOTHER_TYPE, *({name: wrong} for name in members for wrong in OF_ANOTHER_TYPE[::2])]
        for body in bodies:
            reply = await asked(address, token, method, path, orjson.dumps(body))
            assert reply.status < 500, (method, path, body, reply.raw)
            if reply.status >= 400:
                assert reply.code
                assert CANARY.encode() not in reply.raw
                for error in reply.body.get("errors", ()):
                    assert _leads_into(body, error), (method, path, body, error)


def _leads_into(body: Any, error: dict[str, str]) -> bool:
    """Whether the pointer is one into what was sent; or just beside it, where something is missing."""
    *above, last = error["pointer"].split("/")
    if above[:1] != [""]:
        return error["pointer"] == "" or not error["pointer"].startswith("/")
    for part in above[1:]:
        body = body[int(part)] if isinstance(body, list) else body[part]
    return error["code"] == "missing" or last in body or (isinstance(body, list) and int(last) < len(body))
