"""The API without what observes it, to see what that costs: `BENCH_METRICS` says whether metrics are counted.

Log lines go with LOG_LEVEL=WARNING, traces are off by themselves; metrics cannot be switched off, so here every
metric that the product declares forgets what it is told. Without lines and metrics a request is not accounted for.
"""

import os
from typing import Any

from app.core import metrics
from app.core.web.context import RequestContext


class _Nothing:
    """Takes everything and keeps nothing."""

    def __getattr__(self, _: str) -> Any:
        return self._forget

    def _forget(self, *_: Any) -> None: ...


def _forgets(*_: Any) -> _Nothing:
    return _Nothing()


if not os.environ.get("BENCH_METRICS"):
    for _metric in [one for one in vars(metrics).values() if hasattr(one, "collect")]:
        for _way in ("labels", "inc", "dec", "set", "observe", "add"):
            if hasattr(type(_metric), _way):
                setattr(type(_metric), _way, _forgets)
    if os.environ.get("LOG_LEVEL") == "WARNING":
        RequestContext._account = _forgets  # type: ignore[assignment, method-assign]

# Only now, because modules take their metrics by the hand when they are loaded.
from app.main import app  # noqa: E402

__all__ = ["app"]
