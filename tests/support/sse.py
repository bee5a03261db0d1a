"""Reading a stream of server-sent events as it comes."""

from typing import Any

import aiohttp


async def event(response: aiohttp.ClientResponse) -> dict[str, Any]:
    """The next event, or comment, by its fields."""
    fields: dict[str, Any] = {}
    while (line := (await _line(response)).rstrip(b"\n")) or not fields:
        name, _, value = line.decode().partition(":")
        if line:
            fields[name or "comment"] = value.strip()
    return fields


async def _line(response: aiohttp.ClientResponse) -> bytes:
    """A line of any length."""
    line = b""
    while not line.endswith(b"\n"):
        try:
            line += await response.content.readuntil(b"\n")
        except ValueError:
            line += await response.content.read(65_536)
        if response.content.at_eof():
            break
    return line
