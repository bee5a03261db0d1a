"""Reference data as ready bytes, with an ETag and 304 for a client that still has them."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from app.core.etags import etag_of, matches


def reference_data(request: Request, content: Any, max_age: int = 3600) -> Response:
    """Public data that seldom changes: cacheable, revalidated by its ETag."""
    body = orjson.dumps(content)
    etag = etag_of(body)
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={max_age}"}
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
