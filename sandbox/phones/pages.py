"""The phones over HTTP: as JSON for programs, and as a page for people who want to see what is on a screen."""

from __future__ import annotations

from html import escape
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.phones.screens import Phones

GUIDE = {
    "POST /v1/projects/{project}/messages:send": "FCM's HTTP v1 API, with tokens from POST /token",
    "GET|DELETE /_sandbox/phones": "the phones, what they were sent and what is on their screens; ?token= for one",
    "GET /_sandbox/screens": "the same for a browser",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox phones</title>
<style>body{{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}}
section{{border:1px solid #ccc;border-radius:1.5rem;display:inline-block;margin:0 1rem 1rem 0;padding:1rem;
vertical-align:top;width:20rem}}article{{background:#f4f4f4;border-radius:.75rem;margin:.75rem 0;padding:.5rem 1rem}}
h2{{font-size:12px;overflow:hidden;text-overflow:ellipsis}}h3,p{{margin:0}}small{{color:#666}}</style>
<h1>Phones</h1>{body}</html>"""
_HEADERS = {"Content-Security-Policy": "script-src 'none'"}


def routes(phones: Phones) -> list[Route]:
    async def listed(request: Request) -> Response:
        return _json({"phones": phones.shown(request.query_params.get("token"))})

    async def clear(_: Request) -> Response:
        phones.clear()
        return _json({"phones": []})

    async def page(_: Request) -> Response:
        shown = "".join(_phone(phone) for phone in phones.shown())
        return HTMLResponse(_PAGE.format(body=shown or "<p>No phone was sent anything."), headers=_HEADERS)

    return [
        Route("/_sandbox/phones", listed, methods=["GET"]),
        Route("/_sandbox/phones", clear, methods=["DELETE"]),
        Route("/_sandbox/screens", page, methods=["GET"]),
    ]


def _json(body: dict[str, Any]) -> Response:
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(text, media_type="application/json")


def _phone(phone: dict[str, Any]) -> str:
    shown = "".join(
        f"<article><small>{one['at']}</small><h3>{escape(str(one['title']))}</h3><p>{escape(str(one['body']))}</article>"
        for one in phone["screen"]
    )
    return f"<section><h2>{escape(phone['token'])}</h2>{shown}</section>"
