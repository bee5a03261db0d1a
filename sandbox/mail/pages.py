"""The inbox over HTTP: as JSON for programs, and as pages for people who want to see a mail."""

from __future__ import annotations

from html import escape
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sandbox.mail.inbox import Inbox, Mail

GUIDE = {
    "GET|DELETE /_sandbox/mail": "the mails that arrived, newest first; ?to= for one address",
    "GET /_sandbox/mail/{id}": "one mail: headers, text, html, attachments",
    "GET /_sandbox/inbox": "the same for a browser",
}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sandbox inbox</title>
<style>body{{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}}td{{padding:.3rem 1rem .3rem 0}}
pre{{white-space:pre-wrap}}
iframe{{border:1px solid #ccc;height:48rem;width:100%}}pre{{background:#f4f4f4;padding:1rem}}</style>
<h1><a href="/_sandbox/inbox">Inbox</a></h1>{body}</html>"""
# A mail is looked at as mail programs show it: without scripts.
_HEADERS = {"Content-Security-Policy": "script-src 'none'"}


def routes(inbox: Inbox) -> list[Route]:
    async def listed(request: Request) -> Response:
        found = inbox.to(request.query_params.get("to"))
        return _json({"mails": [mail.line() for mail in found]})

    async def clear(_: Request) -> Response:
        inbox.clear()
        return _json({"mails": []})

    async def one(request: Request) -> Response:
        try:
            return _json(inbox.one(request.path_params["id"]).whole())
        except LookupError as problem:
            return _json({"error": f"not known: {problem}"}, 404)

    async def page(_: Request) -> Response:
        return HTMLResponse(_PAGE.format(body=_list(inbox.to())), headers=_HEADERS)

    async def mail_page(request: Request) -> Response:
        try:
            body = _letter(inbox.one(request.path_params["id"]))
        except LookupError:
            return HTMLResponse(_PAGE.format(body="<p>This mail is gone."), 404)
        return HTMLResponse(_PAGE.format(body=body), headers=_HEADERS)

    return [
        Route("/_sandbox/mail", listed, methods=["GET"]),
        Route("/_sandbox/mail", clear, methods=["DELETE"]),
        Route("/_sandbox/mail/{id:int}", one, methods=["GET"]),
        Route("/_sandbox/inbox", page, methods=["GET"]),
        Route("/_sandbox/inbox/{id:int}", mail_page, methods=["GET"]),
    ]


def _json(body: dict[str, Any], status: int = 200) -> Response:
    text = orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return Response(text, status, media_type="application/json")


def _list(mails: list[Mail]) -> str:
    shown = [mail.line() for mail in mails]
    lines = [
        f"<tr><td>{one['at']}<td>{escape(', '.join(one['to']))}"
        f'<td><a href="/_sandbox/inbox/{one["id"]}">{escape(one["subject"])}</a>'
        for one in shown
    ]
    return f"<table>{''.join(lines)}</table>" if lines else "<p>No mail has arrived."


def _letter(mail: Mail) -> str:
    whole = mail.whole()
    headers = "\n".join(f"{name}: {value}" for name, value in whole["headers"])
    names = ", ".join(str(one["name"]) for one in whole["attachments"]) or "nothing"
    return (
        f"<h2>{escape(whole['subject'])}</h2>"
        f'<iframe sandbox srcdoc="{escape(whole["html"] or "")}"></iframe>'
        f"<h3>Text</h3><pre>{escape(whole['text'] or '')}</pre>"
        f"<h3>Attached</h3><p>{escape(names)}<h3>Headers</h3><pre>{escape(headers)}</pre>"
    )
