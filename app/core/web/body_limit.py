"""Bodies that say that they are too large are refused unread; FastAPI counts the ones that do not say."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.web import problems

MOST_BYTES = 1024 * 1024


class BodyLimit:
    """Pure ASGI. `larger` names the paths that take larger bodies, and how large."""

    def __init__(self, app: ASGIApp, larger: Mapping[str, int]) -> None:
        self.app = app
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
            most = self.larger.get(scope["path"], MOST_BYTES)
            if not declared.isdigit() or len(declared) > 18 or int(declared) > most:
                refusal = problems.BodyTooLarge(f"The most is {most} bytes.")
                await problems.answer(Request(scope), refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)
