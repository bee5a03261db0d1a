"""The page on which a cardholder passes or fails 3-D Secure, where a bank's would be."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from sandbox.cards import payments
from sandbox.cards.books import Object

if TYPE_CHECKING:
    from sandbox.cards.service import Cards

PAGE = """<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>3-D Secure</title>
<body style="font: 1.1rem sans-serif; margin: 3rem auto; max-width: 28rem; text-align: center">
<h1>{title}</h1>
{content}
"""
QUESTION = """<p>Your card is to be charged {amount} {currency} (in the smallest unit).</p>
<form method="post">
<button name="result" value="pass">It is me</button>
<button name="result" value="fail">It is not</button>
</form>"""


async def threed_secure(cards: Cards, request: Request) -> Response:
    """Asks by GET, is answered by POST, and then sends the cardholder back to the shop."""
    intent = cards.books.intents.get(request.path_params["intent"])
    if intent is None:
        return _page("There is no such payment", "", 404)
    if intent["status"] != "requires_action":
        return _page("There is nothing to confirm", "<p>You can close this page.</p>")
    if request.method == "GET":
        asked = QUESTION.format(amount=intent["amount"], currency=escape(intent["currency"].upper()))
        return _page("Is it you?", asked)
    result = (await request.form()).get("result")
    if result not in ("pass", "fail"):
        return _page("Is it you?", "<p>Answer pass or fail.</p>", 400)
    back = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
    payments.finish(cards.nobodys_call(), intent, well=result == "pass")
    cards.look()
    if back is None:
        return _page("Thank you", "<p>You can close this page.</p>")
    return RedirectResponse(_way_back(back, intent), 303)


def _way_back(address: str, intent: Object) -> str:
    """With what the vendor adds to it."""
    failed = intent["status"] == "requires_payment_method"
    told = {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": "failed" if failed else "succeeded",
    }
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(told))))))


def _page(title: str, content: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(PAGE.format(title=title, content=content), status)
