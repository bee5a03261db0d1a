"""Operations as the running product describes them, and requests that are made from the description alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.client import Answer, Client

METHODS = ("get", "patch", "put", "post", "delete")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    description: dict[str, Any]
    document: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_protected(self) -> bool:
        """Whether nobody gets an answer without a token: `{}` among the ways to sign in is none."""
        wanted = self.description.get("security")
        return bool(wanted) and {} not in wanted

    @property
    def is_for_admins(self) -> bool:
        return "`admins_only`" in self.description["responses"].get("403", {}).get("description", "")

    @property
    def collections(self) -> list[str]:
        """What each path parameter picks from: `bookings` in `/bookings/{pnr}`."""
        return re.findall(r"/([\w-]+)/{\w+}", self.path)

    def at(self, ids: dict[str, str]) -> str:
        """The path to these objects."""
        return re.sub(r"/([\w-]+)/{\w+}", lambda found: f"/{found[1]}/{ids.get(found[1], 'x')}", self.path)

    async def called(
        self, client: Client, ids: dict[str, str], headers: dict[str, str] | None = None
    ) -> Answer:
        return await client.send(self.method, self.at(ids) + self._query(), json=self.body(), headers=headers)

    def _query(self) -> str:
        wanted = [one for one in self.description.get("parameters", ()) if one["in"] == "query"]
        required = [f"{one['name']}={self._value(one['schema'])}" for one in wanted if one.get("required")]
        return "?" + "&".join(required) if required else ""

    def body(self) -> Any:
        """What has to be sent as JSON; None where nothing has."""
        return self.least() if self.description.get("requestBody", {}).get("required") else None

    def least(self) -> Any:
        """The least JSON that the schema takes; None where it takes none."""
        described = self.description.get("requestBody", {})
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        return self._value(schema) if schema else None

    def _value(self, schema: dict[str, Any]) -> Any:
        """Something that fits a schema: its example if it gives one, or the least."""
        if "$ref" in schema:
            return self._value(self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
        for given in ("examples", "enum"):
            if schema.get(given):
                return schema[given][0]
        for given in ("const", "default", "example"):
            if given in schema:
                return schema[given]
        if choices := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            return self._value(choices[0])
        kind = schema.get("type")
        if kind == "object":
            return {name: self._value(schema["properties"][name]) for name in schema.get("required", ())}
        if kind == "array":
            return [self._value(schema["items"])] * max(1, schema.get("minItems", 1))
        if kind == "string" and schema.get("format") == "date-time":
            return "2026-01-01T00:00:00Z"
        if kind == "string":
            return "x" * max(1, schema.get("minLength", 1))
        return int(schema.get("minimum", 1)) if kind in ("integer", "number") else True


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Those that change least come first."""
    for method in METHODS:
        for path, item in document["paths"].items():
            if method in item:
                yield Operation(method.upper(), path, item[method], document)
