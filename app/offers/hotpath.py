"""The hot path of flight search: an answer given a moment ago is repeated before FastAPI is entered.

Routing, validation and dependency injection cost several times what sending ready bytes costs.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.etags import matches
from app.core.metrics import SEARCH_ANSWERS
from app.offers import answers

_PATH = "/flights/search"
_hits = SEARCH_ANSWERS.labels("hot")


class HotSearch:
    """Pure ASGI; whatever it does not know passes through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == _PATH and scope["method"] == "GET":
            answer = answers.hot(scope["query_string"])
            if answer is not None:
                scope["state"]["route"] = _PATH
                _hits.inc()
                await reply(scope, send, answer)
                return
        await self.app(scope, receive, send)


async def reply(scope: Scope, send: Send, answer: answers.Answer) -> None:
    """Send the answer, or 304 to a client that still has it."""
    known = next((value for name, value in scope["headers"] if name == b"if-none-match"), None)
    if known is not None and matches(known.decode("latin-1"), answer.etag):
        headers = [header for header in answer.headers if header[0] in (b"etag", b"cache-control")]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
