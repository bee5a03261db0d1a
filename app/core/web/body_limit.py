"""Bodies that say that they are too large are refused unread; FastAPI counts the ones that do not say."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.web import problems

MOST_BYTES = 1024 * 1024


class BodyLimit:
    """Pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
            if not declared.isdigit() or len(declared) > 18 or int(declared) > MOST_BYTES:
                refusal = problems.BodyTooLarge(f"The most is {MOST_BYTES} bytes.")
                await problems.answer(Request(scope), refusal)(scope, receive, send)
                return
        await self.app(scope, receive, send)
