"""The hot path of flight search: an answer given a moment ago is repeated before FastAPI is entered."""

from starlette.types import Scope

from app.core.etags import matches
from app.core.metrics import SEARCH_ANSWERS
from app.core.web.context import Ready
from app.core.web.headers import Header
from app.offers import answers

ROUTE = "/flights/search"
_FOUND, _NOT_MODIFIED = ("GET", ROUTE, 200), ("GET", ROUTE, 304)
_hits = SEARCH_ANSWERS.labels("hot")


def shortcut(scope: Scope, if_none_match: bytes | None) -> Ready | None:
    """The answer to a search that this process answered just now; None sends the request on its way."""
    if scope["path"] != ROUTE or scope["method"] != "GET":
        return None
    answer = answers.hot(scope["query_string"])
    if answer is None:
        return None
    _hits.inc()
    answers.repeated(answer)
    if if_none_match is not None and matches(if_none_match.decode("latin-1"), answer.etag):
        return _NOT_MODIFIED, _validators(answer), b""
    return _FOUND, answer.headers, answer.body


def rendered(scope: Scope, answer: answers.Answer) -> tuple[int, list[Header], bytes]:
    """The answer, or 304 to a client that has it from an earlier GET."""
    for name, value in scope["headers"] if scope["method"] == "GET" else ():
        if name == b"if-none-match" and matches(value.decode("latin-1"), answer.etag):
            return 304, _validators(answer), b""
    return 200, answer.headers, answer.body


def _validators(answer: answers.Answer) -> list[Header]:
    return [header for header in answer.headers if header[0] in (b"etag", b"cache-control")]
