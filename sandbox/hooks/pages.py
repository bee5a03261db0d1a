"""Hooks over HTTP: they take webhooks, are told how to answer, and show what arrived to programs and to people."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from datetime import UTC, datetime
from html import escape
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.hooks.arrivals import Arrival, Hooks

GUIDE = {
    "POST /_sandbox/hooks/{name}": "a receiver of webhooks: subscribe to it, each name is one of its own",
    "POST /_sandbox/hooks/{name}/behaviour": "how it answers, and the secret to verify signatures with",
    "GET|DELETE /_sandbox/hooks": "what arrived, newest first; ?name= for one; a live page in a browser",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">{refresh}<title>Sandbox webhooks</title>
<style>body{{font:15px/1.5 system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem}}td,th{{padding:.3rem 1rem .3rem 0;
text-align:left}}pre{{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:1rem}}
.good{{color:#17702f}}.bad{{color:#b00020}}</style>
<h1><a href="/_sandbox/hooks">Webhooks that arrived</a></h1>{body}</html>"""
_REFRESH = '<meta http-equiv="refresh" content="2">'
_HEADERS = {"Content-Security-Policy": "script-src 'none'"}


def routes(hooks: Hooks) -> list[Route]:
    async def take(request: Request) -> Response:
        name = request.path_params["name"]
        at, body = time.time(), await request.body()
        behaviour = hooks.by_name[name].next_behaviour()
        answered = "hang" if behaviour.hang else str(behaviour.status)
        hooks.keep(name, at, dict(request.headers), body, answered)
        await asyncio.sleep(behaviour.delay_seconds)
        while behaviour.hang and (await request.receive())["type"] != "http.disconnect":
            pass
        return Response(behaviour.body, behaviour.status, behaviour.headers)

    async def behave(request: Request) -> Response:
        name = request.path_params["name"]
        try:
            wanted = orjson.loads(await request.body() or b"{}")
            hooks.behave(name, dict(wanted))
        except (ValueError, TypeError, AttributeError) as problem:
            return _json({"error": str(problem)}, 400)
        hook = hooks.by_name[name]
        return _json({"behaviour": asdict(hook.behaviour), "secrets": len(hook.secrets)})

    async def listed(request: Request) -> Response:
        found = hooks.at(request.query_params.get("name"))
        if "text/html" in request.headers.get("accept", ""):
            return _page(_list(hooks, found, f"{request.base_url}_sandbox/hooks/mine"), live=True)
        return _json({"arrivals": [_whole(hooks, one) for one in found]})

    async def clear(_: Request) -> Response:
        hooks.forget_arrivals()
        return _json({"arrivals": []})

    async def one(request: Request) -> Response:
        try:
            found = hooks.one(request.path_params["id"])
        except LookupError as problem:
            return _json({"error": f"not known: {problem}"}, 404)
        if "text/html" in request.headers.get("accept", ""):
            return _page(_details(_whole(hooks, found)))
        return _json(_whole(hooks, found))

    return [
        Route("/_sandbox/hooks", listed, methods=["GET"]),
        Route("/_sandbox/hooks", clear, methods=["DELETE"]),
        Route("/_sandbox/hooks/{id:int}", one, methods=["GET"]),
        Route("/_sandbox/hooks/{name}", take, methods=["POST"]),
        Route("/_sandbox/hooks/{name}/behaviour", behave, methods=["POST"]),
    ]


def _json(body: dict[str, Any], status: int = 200) -> Response:
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(text, status, media_type="application/json")


def _page(body: str, *, live: bool = False) -> Response:
    return HTMLResponse(_PAGE.format(body=body, refresh=_REFRESH if live else ""), headers=_HEADERS)


def _whole(hooks: Hooks, arrival: Arrival) -> dict[str, Any]:
    """The event too, if the body is one; `seen_before` says that the same one has been here already."""
    same = arrival.headers.get("webhook-id")
    earlier = [one for one in hooks.at(arrival.hook) if one.id < arrival.id]
    return {
        "id": arrival.id,
        "hook": arrival.hook,
        "at": datetime.fromtimestamp(arrival.at, UTC).isoformat(timespec="milliseconds"),
        "signature": hooks.verdict(arrival),
        "seen_before": same is not None and any(one.headers.get("webhook-id") == same for one in earlier),
        "answered": arrival.answered,
        "headers": arrival.headers,
        "body": arrival.body.decode(errors="replace"),
        "event": _event(arrival.body),
    }


def _event(body: bytes) -> dict[str, Any] | None:
    try:
        read = orjson.loads(body)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _list(hooks: Hooks, arrivals: list[Arrival], address: str) -> str:
    if not arrivals:
        return f"<p>Nothing has arrived. Subscribe to <code>{escape(address)}</code>; this page refreshes itself."
    lines = [_line(_whole(hooks, one)) for one in arrivals[:100]]
    return f"<table><tr><th>at<th>hook<th>event<th>about<th>signature<th>answered{''.join(lines)}</table>"


def _line(whole: dict[str, Any]) -> str:
    event = whole["event"] or {}
    data = event.get("data")
    about = (data.get("pnr") or data.get("flight_id") or "") if isinstance(data, dict) else ""
    again = " (again)" if whole["seen_before"] else ""
    return (
        f"<tr><td>{whole['at'][11:23]}<td>{escape(whole['hook'])}"
        f'<td><a href="/_sandbox/hooks/{whole["id"]}">{escape(str(event.get("type", "not an event")))}</a>{again}'
        f"<td>{escape(str(about))}<td>{_coloured(whole['signature'])}<td>{whole['answered']}"
    )


def _details(whole: dict[str, Any]) -> str:
    headers = "\n".join(f"{name}: {value}" for name, value in whole["headers"].items())
    event = whole["event"]
    pretty = orjson.dumps(event, option=orjson.OPT_INDENT_2).decode() if event else "not JSON"
    return (
        f"<p>{whole['at']} at {escape(whole['hook'])}, signature: {_coloured(whole['signature'])}, "
        f"answered: {whole['answered']}<h3>Event</h3><pre>{escape(pretty)}</pre>"
        f"<h3>The bytes that are signed</h3><pre>{escape(whole['body'])}</pre>"
        f"<h3>Headers</h3><pre>{escape(headers)}</pre>"
    )


def _coloured(verdict: str) -> str:
    return f'<span class="{"good" if verdict == "good" else "bad"}">{escape(verdict)}</span>'
